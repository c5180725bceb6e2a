//! What the user's own values of the projected fields are after a write of the user's. Owns the
//! telling apart of a user's value and one that the hold put there; judges no template.

use super::field::{Field, Setting};
use super::kind::{HeldOf, Projected};
use super::statement::Statement;
use super::workload::Workload;
use crate::Hold;

/// Outside a release: what the write has, but never a fence that an export brought along.
pub(super) fn at_rest<F: Projected>(old: &Workload<F>, new: &Workload<F>) -> F {
    if !new.is_fenced() {
        return new.fields.clone();
    }
    match export(new) {
        Some(export) => {
            let mut own = export.original;
            for (field, written) in settings(&new.fields) {
                if F::held(export).get(field) != Some(written) {
                    F::set_own(&mut own, field, written);
                }
            }
            F::restored(&own).under(&new.fields)
        }
        None if !old.fields.is_fenced() => old.fields.clone(),
        // A fence without a hold: what it hides is lost, and nothing here can tell.
        None => new.fields.clone(),
    }
}

/// The user's values in a release.
pub(super) struct Wish<F: Projected> {
    pub(super) original: F::Original,
    /// The fields that the write tried to change, and that stay as the hold wants them.
    pub(super) overridden: Vec<Field>,
}

/// In a release, where the old object carries `hold`, and `was` in it.
pub(super) fn in_release<F: Projected>(
    old: &Workload<F>,
    new: &Workload<F>,
    hold: &Hold,
    was: &HeldOf<F>,
) -> Wish<F> {
    let another = new.fenced().is_some_and(|(another, _)| another != hold);
    let export = export(new).filter(|_| another);
    let wish = settled(old, new, was, export);
    if export.is_some() && !F::is_acceptable(&wish.original) {
        // An old export mixed with other values may give what the apiserver refuses: then only
        // what the write states itself can be meant.
        return settled(old, new, was, None);
    }
    wish
}

/// The hold in an object that somebody exported while it was fenced.
fn export<'a, F: Projected>(new: &'a Workload<F>) -> Option<&'a HeldOf<F>> {
    let (_, fenced) = new.fenced()?;
    (new.is_fenced() && F::is_acceptable(&fenced.original)).then_some(fenced)
}

fn settled<F: Projected>(
    old: &Workload<F>,
    new: &Workload<F>,
    was: &HeldOf<F>,
    export: Option<&HeldOf<F>>,
) -> Wish<F> {
    let held = F::held(was);
    let statement = Statement::of(old, new);
    let mut wish = Wish { original: was.original, overridden: Vec::new() };
    for (field, written) in settings(&new.fields) {
        if held.get(field) == Some(written) {
            if statement.claims(field) {
                F::set_own(&mut wish.original, field, written);
            }
        } else if old.fields.get(field) != Some(written) {
            wish.overridden.push(field);
            let exported = export.filter(|export| F::held(export).get(field) == Some(written));
            let own = exported.and_then(|export| F::own(&export.original, field));
            F::set_own(&mut wish.original, field, own.unwrap_or(written));
        }
    }
    wish
}

fn settings<F: Projected>(fields: &F) -> impl Iterator<Item = (Field, Setting)> {
    F::FIELDS.iter().filter_map(|field| Some((*field, fields.get(*field)?)))
}
