//! The stable revision's own Service in the place of the user's: the last step of the way there,
//! the first of the way back. Owns the names of backends; touches nothing else.

use serde_json::Value;

use super::backend;
use super::hold::{RouteHold, Share};
use super::object::Place;

/// Puts the stable revision's Service in the place of every held one.
pub(super) fn pin(rules: &mut [Value], hold: &RouteHold, place: Place) {
    rename(rules, place, |name| {
        let share = hold.shares.iter().find(|share| share.service == name)?;
        share.stable.clone()
    });
}

/// Puts the user's own Services back, whichever of the holds replaced them.
pub(super) fn unpin(rules: &mut [Value], known: &[&RouteHold], place: Place) {
    let shares: Vec<&Share> = known.iter().flat_map(|hold| &hold.shares).collect();
    rename(rules, place, |name| {
        let share = shares.iter().find(|share| share.stable.as_deref() == Some(name))?;
        Some(share.service.clone())
    });
}

fn rename(rules: &mut [Value], place: Place, new: impl Fn(&str) -> Option<String>) {
    let lists = rules.iter_mut().filter_map(|rule| rule.get_mut("backendRefs")?.as_array_mut());
    for raw in lists.flatten() {
        if let Some(name) = backend::service(raw, place).and_then(&new) {
            raw["name"] = Value::from(name);
        }
    }
}
