//! The hold annotation of a route: its schema, and its reading and writing. What it means for the
//! rules is `split`'s business, when it changes is the planner's.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cel;
use crate::contract::HOLD_ANNOTATION;
use crate::hold::SCHEMA;

/// A share that a hold splits off at most is all of it.
const PERCENT: u32 = 100;

/// What the controller wants of a route, as the annotation carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteHold {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// The Services whose requests are split, each once.
    pub shares: Vec<Share>,
    /// What has to be put back. The webhook writes it; absent while the rules are the user's own,
    /// because no webhook has seen the hold, or because the rules cannot be split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Own>,
}

/// How the requests of one Service are split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// The user's Service.
    pub service: String,
    /// The Service of the stable revision, which stands in for the user's. Absent: that answers
    /// itself, with the pods of all revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<String>,
    /// The Service of the update revision.
    pub canary: String,
    /// Percent of the requests that go to `canary`.
    pub weight: u32,
    /// Requests that go to `canary` whatever the weight: those that meet any of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// What a request has to have, all of it; in the words of the Gateway API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// Headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = cel::MAX_PAIRS))]
    pub headers: Vec<Pair>,
    /// Query parameters (HTTPRoute only).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = cel::MAX_PAIRS))]
    pub query_params: Vec<Pair>,
    /// Cookies (Ingress only; their value is `always`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = cel::MAX_PAIRS))]
    pub cookies: Vec<Pair>,
}

/// A header, query parameter or cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pair {
    /// How the value is compared.
    #[serde(rename = "type", default)]
    pub compare: Compare,
    /// Its name.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    pub name: String,
    /// Its value.
    #[schemars(length(min = 1, max = cel::MAX_VALUE))]
    pub value: String,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Compare {
    /// Letter by letter.
    #[default]
    Exact,
    /// As a regular expression of the gateway's dialect.
    RegularExpression,
}

/// The user's own part of rules that are split: the backends of each rule whose backends are not
/// the user's own in the live object. Rules of ours come after the user's and are simply removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// `backendRefs` by the number of the rule.
    #[serde(default)]
    pub backends: BTreeMap<usize, Value>,
}

/// What a route says about holds.
#[derive(Clone, Debug, PartialEq)]
pub enum RouteReading {
    /// No annotation.
    None,
    /// A hold that this code understands.
    Hold(Box<RouteHold>),
    /// A hold of a newer schema, whose rules must be left alone.
    Newer(u32),
    /// A text that is no hold.
    Malformed(String),
}

impl Own {
    /// What `live` has of the user's `own` rules in another form.
    pub(super) fn of(own: &[Value], live: &[Value]) -> Self {
        let backends = |rule: &Value| rule["backendRefs"].clone();
        let pairs = own.iter().map(backends).zip(live.iter().map(backends));
        let differ = pairs.enumerate().filter(|(_, (own, live))| own != live);
        Self { backends: differ.map(|(number, (own, _))| (number, own)).collect() }
    }
}

impl RouteReading {
    pub(super) fn hold(&self) -> Option<&RouteHold> {
        match self {
            Self::Hold(hold) => Some(hold),
            Self::None | Self::Newer(_) | Self::Malformed(_) => None,
        }
    }
}

impl RouteHold {
    /// A hold of this schema, as the controller writes it.
    #[must_use]
    pub fn new(shares: Vec<Share>) -> Self {
        Self { schema: SCHEMA, shares, own: None }
    }

    /// The annotation's text: one line of JSON, the same for equal holds.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Plain structs with string keys: serialisation has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads an annotation's text.
    #[must_use]
    pub fn read(text: &str) -> RouteReading {
        #[derive(Deserialize)]
        struct Schema {
            schema: u32,
        }
        match serde_json::from_str::<Schema>(text) {
            Ok(Schema { schema }) if schema > SCHEMA => RouteReading::Newer(schema),
            _ => match serde_json::from_str::<Self>(text) {
                Ok(hold) => match hold.unsound() {
                    Some(problem) => RouteReading::Malformed(problem.to_owned()),
                    None => RouteReading::Hold(Box::new(hold)),
                },
                Err(error) => RouteReading::Malformed(error.to_string()),
            },
        }
    }

    /// Reads the hold of a route (anything with `metadata.annotations`).
    #[must_use]
    pub fn of(object: &Value) -> RouteReading {
        match object["metadata"]["annotations"].get(HOLD_ANNOTATION) {
            Some(Value::String(text)) => Self::read(text),
            Some(other) => RouteReading::Malformed(other.to_string()),
            None => RouteReading::None,
        }
    }

    /// The name is that of an update revision's Service.
    pub(super) fn is_canary(&self, name: &str) -> bool {
        self.shares.iter().any(|share| share.canary == name)
    }

    /// The name is that of a stable revision's Service of ours.
    pub(super) fn is_stable(&self, name: &str) -> bool {
        self.shares.iter().any(|share| share.stable.as_deref() == Some(name))
    }

    fn unsound(&self) -> Option<&'static str> {
        let services: Vec<_> = self.shares.iter().map(|share| &share.service).collect();
        let twice = (1..services.len()).any(|i| services[..i].contains(&services[i]));
        // What is both could not be told apart in a live rule.
        let stables = self.shares.iter().filter_map(|share| share.stable.as_ref());
        let both =
            services.iter().any(|service| self.is_canary(service) || self.is_stable(service))
                || stables.into_iter().any(|stable| self.is_canary(stable));
        let empty = |share: &Share| share.conditions.contains(&Condition::default());
        [
            (self.shares.iter().any(|share| share.weight > PERCENT), "a weight over 100"),
            (twice, "a Service twice"),
            (both, "a Service that is both stable and canary"),
            (self.shares.iter().any(empty), "a condition that asks for nothing"),
        ]
        .into_iter()
        .find_map(|(wrong, what)| wrong.then_some(what))
    }
}
