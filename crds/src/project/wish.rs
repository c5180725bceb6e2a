//! What the user's own values of the projected fields are after a write of the user's. Owns the
//! telling apart of a user's value and one that the hold put there; judges no template.

use super::deployment::Deployment;
use super::field::{Field, Setting};
use super::statement::Statement;
use super::{Fields, Strategy};
use crate::{Fenced, Hold, Original};

/// Outside a release: what the write has, but never a fence that an export brought along.
pub(super) fn at_rest(old: &Deployment, new: &Deployment) -> Fields {
    if !new.fields.is_fenced() {
        return new.fields.clone();
    }
    match export(new) {
        Some(export) => {
            let mut own = export.original;
            for (field, written) in settings(&new.fields) {
                if Fields::held(export).get(field) != Some(written) {
                    own.set(field, written);
                }
            }
            let strategy = match new.fields.strategy {
                Strategy::Recreate => Strategy::Recreate,
                Strategy::RollingUpdate { .. } => Fields::restored(&own).strategy,
            };
            Fields { strategy, ..Fields::restored(&own) }
        }
        None if !old.fields.is_fenced() => old.fields.clone(),
        // A fence without a hold: what it hides is lost, and nothing here can tell.
        None => new.fields.clone(),
    }
}

/// The user's values in a release.
#[derive(Debug, PartialEq)]
pub(super) struct Wish {
    pub(super) original: Original,
    /// The fields that the write tried to change, and that stay as the hold wants them.
    pub(super) overridden: Vec<Field>,
}

/// In a release, where the old object carries `hold`, and `was` in it.
pub(super) fn in_release(old: &Deployment, new: &Deployment, hold: &Hold, was: &Fenced) -> Wish {
    let another = new.fenced().is_some_and(|(another, _)| another != hold);
    let export = export(new).filter(|_| another);
    let wish = settled(old, new, was, export);
    if export.is_some() && !wish.original.is_acceptable() {
        // An old export mixed with other values may give what the apiserver refuses: then only
        // what the write states itself can be meant.
        return settled(old, new, was, None);
    }
    wish
}

/// The hold in an object that somebody exported while it was fenced.
fn export<'a>(new: &'a Deployment) -> Option<&'a Fenced> {
    let (_, fenced) = new.fenced()?;
    (new.fields.is_fenced() && fenced.original.is_acceptable()).then_some(fenced)
}

fn settled(old: &Deployment, new: &Deployment, was: &Fenced, export: Option<&Fenced>) -> Wish {
    let held = Fields::held(was);
    let statement = Statement::of(old, new);
    let mut wish = Wish { original: was.original, overridden: Vec::new() };
    for (field, written) in settings(&new.fields) {
        if held.get(field) == Some(written) {
            if statement.claims(field) {
                wish.original.set(field, written);
            }
        } else if old.fields.get(field) != Some(written) {
            wish.overridden.push(field);
            let exported = export.filter(|export| Fields::held(export).get(field) == Some(written));
            wish.original.set(field, exported.map_or(written, |export| export.original.get(field)));
        }
    }
    wish
}

fn settings(fields: &Fields) -> impl Iterator<Item = (Field, Setting)> {
    Field::ALL.into_iter().filter_map(|field| Some((field, fields.get(field)?)))
}
