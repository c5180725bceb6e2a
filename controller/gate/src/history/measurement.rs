//! One measurement, as it is kept and shown. Owns nothing but the record.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Verdict;

/// What was asked, what came, and what it was taken for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Measurement {
    /// When it was asked.
    pub at: Timestamp,
    /// What follows.
    pub verdict: Verdict,
    /// A stable CamelCase word.
    pub reason: String,
    /// One sentence with its numbers.
    pub told: String,
    /// The query with its values in place.
    pub query: String,
    /// The values as text, with their labels.
    pub values: Vec<Value>,
}

/// A value that came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Value {
    /// As text: a status has no floats.
    pub value: String,
    /// What it is of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}
