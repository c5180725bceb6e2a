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
    /// How many requests there were, where a least number is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Requests>,
}

/// More of the query of a measurement that is not the last is not kept.
const EARLIER_CHARS_MAX: usize = 1000;

impl Measurement {
    /// Of one that is not the last any more the queries need not be kept in full.
    pub fn shorten(&mut self) {
        let requests = self.requests.as_mut().map(|requests| &mut requests.query);
        for query in [Some(&mut self.query), requests].into_iter().flatten() {
            // One that has been cut is as long as it gets.
            if query.chars().nth(EARLIER_CHARS_MAX + CUT.len()).is_some() {
                *query = cut(query, EARLIER_CHARS_MAX);
            }
        }
    }
}

/// At the end of a text that went on.
const CUT: &str = "...";

/// So many characters of a text, and a mark if it went on.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}{CUT}", &text[..end]),
        None => text.to_owned(),
    }
}

/// How many requests there were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requests {
    /// The query that counts them.
    pub query: String,
    /// What came, as text; absent where that is not one number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
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
