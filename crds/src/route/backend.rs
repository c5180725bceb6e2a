//! One backend of a rule: whose Service it is, and what it weighs. Owns the arithmetic by which the
//! weight of a held Service is split; touches no other field.

use serde_json::{Map, Value};

use super::hold::{RouteHold, Share};
use super::object::Place;

/// The largest weight that the Gateway API takes.
pub(super) const WEIGHT_MAX: u64 = 1_000_000;
/// The default of the Gateway API.
const WEIGHT_DEFAULT: u64 = 1;
const PERCENT: u64 = 100;

/// A backend of the user's own, read.
#[derive(Clone, Copy)]
pub(super) struct Backend<'a> {
    raw: &'a Map<String, Value>,
    pub(super) weight: u64,
    /// The share that its Service is held with.
    pub(super) share: Option<&'a Share>,
    /// Percent of its requests that go to the update revision.
    pub(super) percent: u64,
}

impl<'a> Backend<'a> {
    /// None where it is of a shape that the apiserver refuses.
    pub(super) fn read(raw: &'a Value, hold: &'a RouteHold, place: Place) -> Option<Self> {
        let weight = match raw.get("weight") {
            None => WEIGHT_DEFAULT,
            Some(weight) => weight.as_u64().filter(|weight| *weight <= WEIGHT_MAX)?,
        };
        let name = service(raw, place);
        let share = hold.shares.iter().find(|share| name == Some(&share.service));
        let percent = share.map_or(0, |share| u64::from(share.weight).min(PERCENT));
        Some(Self { raw: raw.as_object()?, weight, share, percent })
    }

    /// All its requests go to the update revision.
    pub(super) fn whole(self) -> Self {
        Self { percent: PERCENT, ..self }
    }

    fn weighing(&self, weight: u64) -> Map<String, Value> {
        let mut backend = self.raw.clone();
        if weight != self.weight {
            backend.insert("weight".to_owned(), Value::from(weight));
        }
        backend
    }

    /// The same for the Service of the update revision.
    fn of_canary(&self, share: &Share, weight: u64) -> Value {
        let mut backend = self.weighing(weight);
        backend.insert("name".to_owned(), Value::from(share.canary.as_str()));
        Value::Object(backend)
    }
}

/// The backends of a rule with every held Service split: the user's in their places, the update
/// revisions' after them.
pub(super) fn split(backends: &[Backend]) -> Vec<Value> {
    let parts: Vec<_> = backends.iter().zip(parts(backends)).collect();
    let user = parts.iter().map(|(backend, part)| Value::Object(backend.weighing(part.stable)));
    let canaries = parts.iter().filter_map(|(backend, part)| {
        let share = backend.share.filter(|_| part.canary > 0)?;
        Some(backend.of_canary(share, part.canary))
    });
    user.chain(canaries).collect()
}

/// The same for requests that `chosen` is to have: its update revision in its Service's place.
pub(super) fn chosen(backends: &[Backend], chosen: &Share) -> Vec<Value> {
    let is_chosen = |backend: &Backend| backend.share == Some(chosen);
    let mut rest = backends.to_vec();
    rest.iter_mut().filter(|one| is_chosen(one)).for_each(|one| {
        (one.share, one.percent) = (None, 0);
    });
    let mut list = split(&rest);
    for (raw, _) in list.iter_mut().zip(backends).filter(|(_, backend)| is_chosen(backend)) {
        raw["name"] = Value::from(chosen.canary.as_str());
    }
    list
}

/// Exact wherever whole numbers within the API's bound allow it; else to the nearest millionth,
/// where no weight becomes 0 that was none.
fn parts(backends: &[Backend]) -> Vec<Part> {
    let factors = [1, PERCENT].into_iter().chain(2..PERCENT);
    let parts = factors.into_iter().find_map(|factor| exact(backends, factor));
    parts.unwrap_or_else(|| nearest(backends))
}

/// What a backend weighs once it is split.
#[derive(Clone, Copy, Debug)]
struct Part {
    stable: u64,
    canary: u64,
}

/// All weights times `factor`, if every part is a whole number within the bound then.
fn exact(backends: &[Backend], factor: u64) -> Option<Vec<Part>> {
    let part = |backend: &Backend| {
        let canary = backend.weight * factor * backend.percent;
        let stable = backend.weight * factor * (PERCENT - backend.percent);
        let whole = canary.is_multiple_of(PERCENT);
        let part = Part { stable: stable / PERCENT, canary: canary / PERCENT };
        (whole && part.stable.max(part.canary) <= WEIGHT_MAX).then_some(part)
    };
    backends.iter().map(part).collect()
}

/// All weights as large as the bound allows, the parts rounded.
fn nearest(backends: &[Backend]) -> Vec<Part> {
    let largest = backends.iter().map(|backend| backend.weight).max().unwrap_or_default().max(1);
    let part = |backend: &Backend| {
        let least = u64::from(backend.weight > 0);
        let scaled = (backend.weight * WEIGHT_MAX / largest).max(least);
        let percent = if backend.weight > 0 { backend.percent } else { 0 };
        let canary = (scaled * percent + PERCENT / 2) / PERCENT;
        // Neither side of a split is rounded away.
        let canary = canary.max(u64::from(percent > 0));
        let stable = (scaled.saturating_sub(canary)).max(u64::from(least > 0 && percent < PERCENT));
        Part { stable, canary }
    };
    backends.iter().map(part).collect()
}

/// The Service that a backend is, if it is one of the route's own namespace.
pub(super) fn service<'a>(raw: &'a Value, place: Place) -> Option<&'a str> {
    let is = |key: &str, default: &str| raw[key].is_null() || raw[key] == default;
    let here = raw["namespace"].is_null() || raw["namespace"].as_str() == place.namespace;
    (is("group", "") && is("kind", "Service") && here).then(|| raw["name"].as_str())?
}
