//! The projection of a route: what the hold annotation makes of the rules of an HTTPRoute, a
//! GRPCRoute or an [Ingress](ingress), on every write. The same design as `crate::project` has for
//! workloads.
//!
//! ```text
//!   own rules --split--> live rules --undo--> own rules      for any rules, exactly
//!   project(old, new, writer) -> the operations that make `new` what it has to be
//! ```
//!
//! Pure and total: no clock, no cache, no state; the same review gives the same patch, applying it
//! and asking again gives none, and an object of a strange shape is left alone. Everything in a
//! route that is not a backend of a held Service stays as the user has it, unknown fields included.
//!
//! Rules, with who wrote:
//! * **the controller**: its annotation says which Services are split and how, and the webhook adds
//!   what has to be put back. Without the annotation the user's own rules are back.
//! * **anybody else**, on an armed route: annotation and labels stay. Rules that the write brings
//!   are the user's own from now on, and land split. What it changes in rules that are split
//!   already is taken into the user's own, but for the weights and rules that are the hold's.
//!
//! Where no webhook stands in the path the controller finds out by [`projected`] and [`restored`].
//! Its next write is understood then as long as a hold carries what the one before remembered.
//!
//! A route that cannot be split within the API's limits is left as the user has it, all of it, and
//! says so: the controller waits, and no user's write is refused because of us.

use json_patch::Patch;
use serde_json::Value;

use crate::contract::{ARMED_LABEL, HOLD_ANNOTATION, ROLLOUT_LABEL};
use crate::project::{Projection, Verdict, Writer};

mod backend;
mod hold;
pub mod ingress;
mod matches;
mod object;
mod pin;
mod split;
mod undo;
mod voice;

#[cfg(test)]
mod tests;

pub use hold::{Compare, Condition, Own, Pair, RouteHold, RouteReading, Share};
pub use split::Unfit;

use object::Route;

/// What has to become of an update of a route (raw JSON as the apiserver shows it).
#[must_use]
pub fn project(old: &Value, new: &Value, writer: Writer) -> Projection {
    let (Some(old), Some(new)) = (Route::read(old), Route::read(new)) else {
        return untouched();
    };
    let wanted = match writer {
        Writer::Controller => controller(&old, &new),
        Writer::Other if !old.is_armed() && !new.is_armed() => return untouched(),
        // Nobody but the controller arms a route.
        Writer::Other if !old.is_armed() => arming(&old, &new),
        Writer::Other => user(&old, &new),
    };
    let patch = json_patch::diff(new.raw, &wanted.object);
    Projection { patch, warnings: wanted.warnings, verdict: wanted.verdict }
}

/// Whether the rules of a live route are what its hold makes of them.
///
/// # Errors
/// Its own rules cannot be split as the hold wants it; they are live as they are.
pub fn projected(object: &Value) -> Result<bool, Unfit> {
    let Some(route) = Route::read(object) else { return Ok(true) };
    match &route.hold {
        RouteReading::None | RouteReading::Newer(_) => Ok(true),
        RouteReading::Malformed(_) => Ok(false),
        RouteReading::Hold(hold) => {
            let own = undo::own(route.rules, &[hold], route.place()).rules;
            Ok(split::rules(&own, hold, route.place())? == route.rules && hold.own.is_some())
        }
    }
}

/// Whether the rules of a route whose hold was taken away are the user's own again. Where they are
/// not, no webhook stood in the path of that write.
#[must_use]
pub fn restored(was: &RouteHold, object: &Value) -> bool {
    Route::read(object)
        .is_none_or(|route| undo::own(route.rules, &[was], route.place()).rules == route.rules)
}

fn untouched() -> Projection {
    let verdict = Verdict::Untouched;
    Projection { patch: Patch(Vec::new()), warnings: Vec::new(), verdict }
}

/// How a route has to look after a write.
struct Wanted {
    object: Value,
    verdict: Verdict,
    warnings: Vec<String>,
}

impl Wanted {
    fn of(object: Value) -> Self {
        Self { object, verdict: Verdict::Untouched, warnings: Vec::new() }
    }
}

/// The controller's annotation is taken as it is, but for what has to be put back: that is read
/// off the live rules here, so that no write can lose it.
fn controller(old: &Route, new: &Route) -> Wanted {
    let mut wanted = Wanted::of(new.raw.clone());
    if old.hold_text.is_none() && new.hold_text.is_none() {
        return wanted;
    }
    wanted.verdict = Verdict::Written;
    let known: Vec<_> = [&old.hold, &new.hold].into_iter().filter_map(RouteReading::hold).collect();
    let own = || undo::own(new.rules, &known, new.place()).rules;
    match (&old.hold, &new.hold) {
        // Whoever wrote a newer schema means rules that this code cannot know.
        (_, RouteReading::Newer(_)) => set_rules(&mut wanted.object, old.rules),
        (RouteReading::Newer(_), RouteReading::Hold(_) | RouteReading::Malformed(_)) => {
            set_annotation(&mut wanted.object, old.hold_text.map(Value::from));
            set_rules(&mut wanted.object, old.rules);
        }
        (_, RouteReading::Hold(hold)) => hold_rules(&mut wanted, &own(), hold, new),
        (_, RouteReading::None) => set_rules(&mut wanted.object, &own()),
        // The annotation is no hold: the one before stays.
        (RouteReading::Hold(hold), RouteReading::Malformed(_)) => {
            hold_rules(&mut wanted, &own(), hold, new);
        }
        (_, RouteReading::Malformed(_)) => {
            set_annotation(&mut wanted.object, old.hold_text.map(Value::from));
        }
    }
    wanted
}

/// Somebody arms a route: that stays undone.
fn arming(old: &Route, new: &Route) -> Wanted {
    let mut wanted = kept(old, new);
    wanted.warnings.extend(kept_warning(old, new, &wanted));
    wanted
}

/// Labels and annotation as before the write.
fn kept(old: &Route, new: &Route) -> Wanted {
    let mut wanted = Wanted::of(new.raw.clone());
    set_annotation(&mut wanted.object, old.hold_text.map(Value::from));
    for label in [ARMED_LABEL, ROLLOUT_LABEL] {
        put(&mut wanted.object, ["metadata", "labels", label], old.label(label).cloned());
    }
    if wanted.object != *new.raw {
        wanted.verdict = Verdict::Kept;
    }
    wanted
}

fn user(old: &Route, new: &Route) -> Wanted {
    let mut wanted = kept(old, new);
    let hold = match &old.hold {
        RouteReading::Hold(hold) => hold,
        RouteReading::Newer(_) => {
            set_rules(&mut wanted.object, old.rules);
            if new.rules != old.rules {
                wanted.verdict = Verdict::Overridden;
                wanted.warnings.push(voice::newer(old.rollout()));
            }
            return wanted;
        }
        RouteReading::None | RouteReading::Malformed(_) => {
            // An export of a release: what it has split is undone by its own annotation.
            let known: Vec<_> = new.hold.hold().into_iter().collect();
            set_rules(&mut wanted.object, &undo::own(new.rules, &known, new.place()).rules);
            wanted.warnings.extend(kept_warning(old, new, &wanted));
            return wanted;
        }
    };
    // Rules that come with an annotation of their own (an export, or our own output in a second
    // pass) are told by that.
    let known: Vec<_> = [&new.hold, &old.hold].into_iter().filter_map(RouteReading::hold).collect();
    let before = undo::own(old.rules, &[hold], old.place()).rules;
    let undone = undo::own(new.rules, &known, new.place());
    let changed = undone.rules != before;
    hold_rules(&mut wanted, &undone.rules, hold, new);
    if wanted.object == *new.raw {
        // Nothing was wished that is not so, or it is our own output in a second pass.
        wanted.warnings.clear();
        return wanted;
    }
    if wanted.object["spec"]["rules"] != new.raw["spec"]["rules"] {
        wanted.verdict = Verdict::Overridden;
    }
    wanted.warnings.extend(kept_warning(old, new, &wanted));
    let there = undo::unpinned(old.rules, &known, old.place());
    let foreign = undone.foreign.iter().any(|rule| !there.contains(rule));
    if undone.overridden || foreign {
        wanted.warnings.push(voice::weights(old.rollout()));
    } else if changed && wanted.warnings.is_empty() {
        wanted.warnings.push(voice::taken(old.rollout()));
    }
    wanted
}

/// Somebody's own text or label was not taken.
fn kept_warning(old: &Route, new: &Route, wanted: &Wanted) -> Option<String> {
    let label = |name| old.label(name) != new.label(name);
    let stored = wanted.object["metadata"]["annotations"].get(HOLD_ANNOTATION);
    let text = new.hold_text != old.hold_text && new.hold_text != stored.and_then(Value::as_str);
    let differs = text || label(ARMED_LABEL) || label(ROLLOUT_LABEL);
    differs.then(|| voice::kept(old.rollout()))
}

/// Splits the user's own rules as the hold wants it, and remembers them in it.
fn hold_rules(wanted: &mut Wanted, own: &[Value], hold: &RouteHold, route: &Route) {
    let mut stored = RouteHold { own: None, ..hold.clone() };
    match split::rules(own, hold, route.place()) {
        Ok(rules) => {
            stored.own = Some(Own::of(own, &rules));
            set_rules(&mut wanted.object, &rules);
        }
        Err(unfit) => {
            wanted.warnings.push(voice::unfit(route.rollout(), &unfit));
            set_rules(&mut wanted.object, own);
        }
    }
    set_annotation(&mut wanted.object, Some(Value::from(stored.to_text())));
}

/// An object without rules keeps having none.
fn set_rules(object: &mut Value, rules: &[Value]) {
    if object["spec"].get("rules").is_some() || !rules.is_empty() {
        object["spec"]["rules"] = Value::from(rules);
    }
}

fn set_annotation(object: &mut Value, text: Option<Value>) {
    put(object, ["metadata", "annotations", HOLD_ANNOTATION], text);
}

/// Makes the value at a path of three keys this one, or absent.
fn put(object: &mut Value, [part, key, inner]: [&str; 3], value: Option<Value>) {
    let Some(part) = object.get_mut(part).and_then(Value::as_object_mut) else { return };
    match (part.get_mut(key).and_then(Value::as_object_mut), value) {
        (Some(map), Some(value)) => drop(map.insert(inner.to_owned(), value)),
        (Some(map), None) => drop(map.remove(inner)),
        (None, Some(value)) => {
            drop(part.insert(key.to_owned(), Value::from_iter([(inner, value)])));
        }
        (None, None) => {}
    }
}
