//! A workload of raw JSON, as far as a hold has to do with it. Owns the reading: an object of a
//! shape that no apiserver shows is no workload, and is left alone.

use serde_json::{Map, Value};

use super::kind::{HeldOf, Projected};
use crate::contract::{ARMED_LABEL, ARMED_VALUE, HOLD_ANNOTATION, ROLLOUT_LABEL};
use crate::hold::Reading;
use crate::{Hold, Revision};

/// A workload in one of its two states in a review.
#[derive(Clone)]
pub(super) struct Workload<'a, F> {
    pub(super) raw: &'a Value,
    pub(super) fields: F,
    pub(super) hold: Reading,
    pub(super) hold_text: Option<&'a str>,
    pub(super) template: &'a Value,
    /// Pods that it asks for.
    pub(super) replicas: i64,
}

impl<'a, F: Projected> Workload<'a, F> {
    pub(super) fn read(raw: &'a Value) -> Option<Self> {
        Self::read_after(raw, raw)
    }

    /// Reads what a write makes of `before`.
    pub(super) fn read_after(before: &Value, raw: &'a Value) -> Option<Self> {
        let is = |key: &str, expected: &str| raw[key].is_null() || raw[key] == expected;
        if !is("apiVersion", F::KIND.api_version()) || !is("kind", F::KIND.as_str()) {
            return None;
        }
        let metadata = raw["metadata"].as_object()?;
        let spec = &raw["spec"];
        map(metadata.get("labels"))?;
        let hold_text = match map(metadata.get("annotations"))?.and_then(|a| a.get(HOLD_ANNOTATION))
        {
            Some(text) => Some(text.as_str()?),
            None => None,
        };
        Some(Self {
            raw,
            fields: F::read(spec)?,
            hold: hold_text.map_or(Reading::None, Hold::read),
            hold_text,
            template: Some(&spec["template"]).filter(|template| template.is_object())?,
            replicas: F::replicas(raw, before)?,
        })
    }

    pub(super) fn label(&self, name: &str) -> Option<&'a Value> {
        self.raw["metadata"]["labels"].get(name)
    }

    pub(super) fn annotation(&self, name: &str) -> Option<&'a str> {
        self.raw["metadata"]["annotations"].get(name)?.as_str()
    }

    pub(super) fn is_armed(&self) -> bool {
        self.label(ARMED_LABEL).is_some_and(|value| value == ARMED_VALUE)
    }

    /// Name of the Rollout that armed it, for people.
    pub(super) fn rollout(&self) -> Option<&'a str> {
        self.label(ROLLOUT_LABEL)?.as_str()
    }

    pub(super) fn revision(&self) -> Revision {
        Revision::of_template(self.template)
    }

    /// The fence is on: by its own mark, or because a hold with these values says so.
    pub(super) fn is_fenced(&self) -> bool {
        let held = || self.fenced().is_some_and(|(_, held)| self.fields == F::held(held));
        self.fields.is_fenced() || (!F::IS_MARKED && held())
    }

    /// Pods that an update may reach.
    pub(super) fn reach(&self) -> i64 {
        self.fields.reach(self.replicas)
    }

    /// The hold and its state in a release, if that is what it carries.
    pub(super) fn fenced(&self) -> Option<(&Hold, &HeldOf<F>)> {
        match &self.hold {
            Reading::Hold(hold) => Some((hold, F::held_in(&hold.state)?)),
            _ => None,
        }
    }
}

/// An absent map and a null are the same; anything else than a map is nothing of an apiserver's.
fn map(value: Option<&Value>) -> Option<Option<&Map<String, Value>>> {
    match value {
        None | Some(Value::Null) => Some(None),
        Some(Value::Object(map)) => Some(Some(map)),
        Some(_) => None,
    }
}
