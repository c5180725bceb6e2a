//! What is wrong with a Rollout: all of it at once, each problem with its field, the value and a
//! cure. Owns the judgement; the CRD holds the same rules (see [`crate::cel`]) with less to say.
//!
//! Everything is read from raw JSON, part by part: a problem in one part hides none in another.

use std::fmt;

use serde_json::{Value, json};

use crate::contract::{GROUP, VERSION};
use crate::{Rollout, RolloutSpec};

mod gates;
mod rules;
mod shape;
mod traffic;

#[cfg(test)]
mod tests;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `spec.strategy.batches[1].replicas`.
    pub field: String,
    /// What, and what to do about it.
    pub message: String,
}

impl Problem {
    fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Reads a Rollout as a user wrote it.
///
/// # Errors
/// All that is wrong with it, unknown fields and nulls included; never an empty list.
pub fn rollout(raw: &Value) -> Result<Rollout, Vec<Problem>> {
    let mut problems = Vec::new();
    for (key, expected) in
        [("apiVersion", format!("{GROUP}/{VERSION}")), ("kind", "Rollout".to_owned())]
    {
        if raw[key] != expected {
            problems.push(Problem::new(key, format!("is {}: write {expected}", shown(&raw[key]))));
        }
    }
    problems.extend(judged(raw));
    if !problems.is_empty() {
        return Err(problems);
    }
    // What is left to fail is metadata, which the apiserver reads before us.
    serde_json::from_value(raw.clone())
        .map_err(|error| vec![Problem::new("metadata", error.to_string())])
}

/// What is wrong with a change of a Rollout. A spec that stays as it is passes, right or wrong:
/// nobody must be kept from a label or from the removal of a finalizer.
#[must_use]
pub fn update(old: &Value, new: &Value) -> Vec<Problem> {
    if old["spec"] == new["spec"] {
        return Vec::new();
    }
    let mut problems = rollout(new).err().unwrap_or_default();
    if old["spec"]["workloadRef"] != new["spec"]["workloadRef"] {
        let name = new["metadata"]["name"].as_str().unwrap_or_default();
        let message = format!(
            "is immutable and names {}: put that back, or delete Rollout {name} and make another",
            shown(&old["spec"]["workloadRef"]["name"])
        );
        problems.push(Problem::new("spec.workloadRef", message));
    }
    problems
}

/// What is wrong with a Rollout that was read before.
#[must_use]
pub fn spec(name: &str, spec: &RolloutSpec) -> Vec<Problem> {
    judged(&json!({ "metadata": { "name": name }, "spec": spec }))
}

fn judged(raw: &Value) -> Vec<Problem> {
    let mut problems = shape::problems(&raw["spec"]);
    problems.extend(rules::problems(raw));
    problems.extend(gates::problems(&raw["spec"]));
    problems.extend(traffic::problems(&raw["spec"]));
    problems
}

/// A value in a message: short, and without the quotes of a text.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => "a map".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
