//! The way back: the user's own rules, read off live ones. Owns the telling apart of what a hold
//! put in and what the user wrote; needs no hold to be the one that the live rules were made by.

use serde_json::Value;

use super::backend;
use super::hold::{Own, RouteHold};
use super::object::{Kind, Place};
use super::{ingress, matches, pin, split};

/// The user's own rules.
pub(super) struct Undone {
    pub(super) rules: Vec<Value>,
    /// Weights of split backends are other than a hold's.
    pub(super) overridden: bool,
    /// Rules that were ours, but are not as a hold wants them.
    pub(super) foreign: Vec<Value>,
}

/// The user's own rules of live ones, where `known` are the holds that may have made those, the
/// likeliest first. Rules without a Service of a hold's are the user's own as they are.
pub(super) fn own(live: &[Value], known: &[&RouteHold], place: Place) -> Undone {
    let known: Vec<_> = known.iter().copied().filter(|hold| hold.own.is_some()).collect();
    if place.kind == Kind::Ingress {
        let rules = ingress::own(live, &known);
        return Undone { rules, overridden: false, foreign: Vec::new() };
    }
    let live = unpinned(live, &known, place);
    let mut undone = Undone { rules: Vec::new(), overridden: false, foreign: Vec::new() };
    let mut dropped = Vec::new();
    for (number, rule) in live.iter().enumerate() {
        match Found::of(rule, number, &known, place) {
            Found::Own => undone.rules.push(rule.clone()),
            Found::Split { own, exact } => {
                undone.overridden |= !exact;
                let mut rule = rule.clone();
                rule["backendRefs"] = own;
                undone.rules.push(rule);
            }
            Found::Ours => dropped.push(rule),
        }
    }
    let ours: Vec<_> = known
        .iter()
        .filter_map(|hold| split::unpinned(&undone.rules, hold, place).ok())
        .flatten()
        .collect();
    dropped.retain(|rule| !ours.contains(*rule));
    undone.foreign = dropped.into_iter().cloned().collect();
    undone
}

/// Rules with the user's own Services in the places of the stable revision's.
pub(super) fn unpinned(live: &[Value], known: &[&RouteHold], place: Place) -> Vec<Value> {
    let mut rules = live.to_vec();
    pin::unpin(&mut rules, known, place);
    rules
}

/// What a live rule is.
enum Found {
    /// The user's, as it is.
    Own,
    /// The user's with other backends.
    Split {
        own: Value,
        /// Just as a hold splits them.
        exact: bool,
    },
    /// Not the user's.
    Ours,
}

impl Found {
    fn of(rule: &Value, number: usize, known: &[&RouteHold], place: Place) -> Self {
        let Some(list) = rule["backendRefs"].as_array() else { return Self::Own };
        let is_canary = |raw: &Value| {
            let name = backend::service(raw, place);
            name.is_some_and(|name| known.iter().any(|hold| hold.is_canary(name)))
        };
        let (canaries, rest): (Vec<_>, Vec<_>) = list.iter().partition(|raw| is_canary(raw));
        if canaries.is_empty() {
            return Self::Own;
        }
        let (own, alone) = joined(&rest, canaries, known);
        if !alone.is_empty() {
            // Without its Service beside it: for chosen requests, or by somebody's hand.
            let is_ours = rest.is_empty() || chooses(rule, &alone, known);
            return if is_ours { Self::Ours } else { Self::Split { own, exact: false } };
        }
        let shape: Vec<_> = rest.iter().map(|raw| weightless(raw)).collect();
        let mut best: Option<(Likeness, &Value)> = None;
        for (hold, kept, own) in kept(known) {
            let Some(backends) = own.as_array() else { continue };
            // A memory that names a Service of ours is not one of ours.
            if backends.iter().any(is_canary) || !backends.iter().map(weightless).eq(shape.clone())
            {
                continue;
            }
            let exact = split::backends(rule, own, hold, place).as_ref() == Some(list);
            let likeness = Likeness { exact, here: kept == number };
            if best.is_none_or(|(before, _)| likeness > before) {
                best = Some((likeness, own));
            }
        }
        match best {
            Some((Likeness { exact, .. }, own)) => Self::Split { own: own.clone(), exact },
            // Backends that somebody has changed by hand: the proportions are what was meant.
            None => Self::Split { own, exact: false },
        }
    }
}

/// Every match of the rule asks for what a hold chooses requests by.
fn chooses(rule: &Value, canaries: &[&Value], known: &[&RouteHold]) -> bool {
    let shares = known.iter().flat_map(|hold| &hold.shares);
    let of_these =
        shares.filter(|share| canaries.iter().any(|raw| raw["name"] == share.canary.as_str()));
    let conditions: Vec<_> = of_these.flat_map(|share| &share.conditions).collect();
    let matches = rule["matches"].as_array().map_or(&[][..], Vec::as_slice);
    let chosen = |one| conditions.iter().any(|condition| matches::asks(one, condition));
    !matches.is_empty() && matches.iter().all(chosen)
}

/// How well the live backends fit to what a hold remembers; the greater the better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    exact: bool,
    /// Remembered of the rule at the same place.
    here: bool,
}

/// The user's backends that the holds remember.
fn kept<'a>(known: &'a [&'a RouteHold]) -> impl Iterator<Item = (&'a RouteHold, usize, &'a Value)> {
    known.iter().flat_map(|hold| {
        let own = hold.own.iter().flat_map(|Own { backends }| backends);
        own.map(|(number, list)| (*hold, *number, list))
    })
}

fn weightless(raw: &Value) -> Value {
    without(raw, &["weight"])
}

fn without(raw: &Value, keys: &[&str]) -> Value {
    let mut fields = raw.as_object().cloned().unwrap_or_default();
    keys.iter().for_each(|key| drop(fields.remove(*key)));
    Value::Object(fields)
}

/// Each stable backend with the weight of its update revision added, and the update revisions that
/// have no stable backend.
fn joined<'a>(
    rest: &[&Value],
    mut canaries: Vec<&'a Value>,
    known: &[&RouteHold],
) -> (Value, Vec<&'a Value>) {
    let shares = || known.iter().flat_map(|hold| &hold.shares);
    let weight = |raw: &Value| raw.get("weight").map_or(Some(1), Value::as_u64).unwrap_or(0);
    let mut own = Vec::new();
    for raw in rest {
        let mut sum = weight(raw);
        canaries.retain(|canary| {
            let pair = shares().any(|share| {
                raw["name"] == share.service.as_str() && canary["name"] == share.canary.as_str()
            });
            let same = |raw| without(raw, &["name", "weight"]);
            let twin = pair && same(raw) == same(canary);
            sum = sum.saturating_add(if twin { weight(canary) } else { 0 });
            !twin
        });
        let mut raw = (*raw).clone();
        if sum != weight(&raw) {
            raw["weight"] = Value::from(sum.min(backend::WEIGHT_MAX));
        }
        own.push(raw);
    }
    (Value::Array(own), canaries)
}
