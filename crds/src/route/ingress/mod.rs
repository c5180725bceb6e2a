//! The projection of an Ingress: the user's paths with a Service of ours in the place of theirs,
//! and the way back. What gets a share of the requests to the update revision is `canary`'s; an
//! Ingress itself knows no weights.
//!
//! A controller answers with an error where the Service of a path has no pods, whatever its canary
//! Ingress says. So one that is to have all requests stands in the path itself.

use serde_json::Value;

use super::hold::{RouteHold, Share};
use super::object::Place;
use super::split::Unfit;

mod canary;
mod chosen;
mod dialect;

pub use canary::{Canary, canary, corrected};
pub use chosen::{Unsayable, sayable};

use dialect::Dialect;

/// All requests.
const ALL: u32 = 100;

/// The user's own rules as the hold wants them.
pub(super) fn rules(own: &[Value], hold: &RouteHold, place: Place) -> Result<Vec<Value>, Unfit> {
    fits(hold, place)?;
    let ours = |name: &str| hold.is_canary(name) || hold.is_stable(name);
    if let Some(name) = services(own).find(|name| ours(name)) {
        return Err(Unfit::NamesOurs(name.to_owned()));
    }
    let mut live = own.to_vec();
    rename(&mut live, |name| {
        let share = hold.shares.iter().find(|share| share.service == name)?;
        stands_in(share).map(str::to_owned)
    });
    Ok(live)
}

/// The user's own rules of live ones, whichever of the holds made those.
pub(super) fn own(live: &[Value], known: &[&RouteHold]) -> Vec<Value> {
    let shares: Vec<&Share> = known.iter().flat_map(|hold| &hold.shares).collect();
    let mut rules = live.to_vec();
    rename(&mut rules, |name| {
        let is_ours =
            |share: &&&Share| share.canary == name || share.stable.as_deref() == Some(name);
        shares.iter().find(is_ours).map(|share| share.service.clone())
    });
    rules
}

/// The Service that stands in for the user's; None: that one itself.
fn stands_in(share: &Share) -> Option<&str> {
    if share.weight >= ALL { Some(&share.canary) } else { share.stable.as_deref() }
}

/// The Ingress can be shared as the hold wants it.
fn fits(hold: &RouteHold, place: Place) -> Result<(), Unfit> {
    let dialect = Dialect::of(place.raw)
        .ok_or_else(|| Unfit::Class(dialect::class(place.raw).unwrap_or("no class").to_owned()))?;
    if place.raw["metadata"]["annotations"][dialect.key(dialect::CANARY)] == "true" {
        return Err(Unfit::IsCanary);
    }
    let fallback = &place.raw["spec"]["defaultBackend"]["service"]["name"];
    for share in &hold.shares {
        if *fallback == share.service.as_str() {
            return Err(Unfit::Fallback(share.service.clone()));
        }
        sayable(&share.conditions)?;
    }
    // One canary Ingress has one weight.
    let like = |a: &Share, b: &Share| a.weight == b.weight && a.conditions == b.conditions;
    let alike = hold.shares.windows(2).all(|pair| like(&pair[0], &pair[1]));
    if alike { Ok(()) } else { Err(Unfit::Differ) }
}

fn services(rules: &[Value]) -> impl Iterator<Item = &str> {
    let paths = rules.iter().filter_map(|rule| rule["http"]["paths"].as_array()).flatten();
    paths.filter_map(service)
}

/// The Service of a path.
fn service(path: &Value) -> Option<&str> {
    path["backend"]["service"]["name"].as_str()
}

fn rename(rules: &mut [Value], new: impl Fn(&str) -> Option<String>) {
    let paths = rules.iter_mut().filter_map(|rule| rule.pointer_mut("/http/paths")?.as_array_mut());
    for path in paths.flatten() {
        if let Some(name) = service(path).and_then(&new) {
            path["backend"]["service"]["name"] = Value::from(name);
        }
    }
}
