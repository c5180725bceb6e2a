//! A route of raw JSON, as far as a hold has to do with it. Owns the reading: an object of a shape
//! that no apiserver shows is no route, and is left alone.

use serde_json::{Map, Value};

use super::hold::{RouteHold, RouteReading};
use crate::contract::{ARMED_LABEL, ARMED_VALUE, HOLD_ANNOTATION, ROLLOUT_LABEL};

/// The API groups of the routes that this code knows.
const GATEWAY: &str = "gateway.networking.k8s.io/";
const NETWORKING: &str = "networking.k8s.io/";

/// Which kind of route; they differ in what a match may ask, and an Ingress in everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Http,
    Grpc,
    Ingress,
}

/// What the rules of a route have to be read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) kind: Kind,
    /// The route's own namespace, which its backends are in unless they say otherwise.
    pub(super) namespace: Option<&'a str>,
    /// All of it.
    pub(super) raw: &'a Value,
}

/// A route in one of its two states in a review.
pub(super) struct Route<'a> {
    pub(super) raw: &'a Value,
    pub(super) hold: RouteReading,
    pub(super) hold_text: Option<&'a str>,
    pub(super) rules: &'a [Value],
    kind: Kind,
}

impl<'a> Route<'a> {
    pub(super) fn read(raw: &'a Value) -> Option<Self> {
        let (group, kind) = match raw["kind"].as_str()? {
            "HTTPRoute" => (GATEWAY, Kind::Http),
            "GRPCRoute" => (GATEWAY, Kind::Grpc),
            "Ingress" => (NETWORKING, Kind::Ingress),
            _ => return None,
        };
        raw["apiVersion"].as_str()?.strip_prefix(group)?;
        let metadata = raw["metadata"].as_object()?;
        map(metadata.get("labels"))?;
        let hold_text = match map(metadata.get("annotations"))?.and_then(|a| a.get(HOLD_ANNOTATION))
        {
            Some(text) => Some(text.as_str()?),
            None => None,
        };
        let rules = match raw["spec"].as_object()?.get("rules") {
            None => &[][..],
            Some(rules) => rules.as_array()?,
        };
        let objects = rules.iter().all(Value::is_object);
        let hold = hold_text.map_or(RouteReading::None, RouteHold::read);
        objects.then_some(Self { raw, hold, hold_text, rules, kind })
    }

    pub(super) fn place(&self) -> Place<'a> {
        let namespace = self.raw["metadata"]["namespace"].as_str();
        Place { kind: self.kind, namespace, raw: self.raw }
    }

    pub(super) fn label(&self, name: &str) -> Option<&'a Value> {
        self.raw["metadata"]["labels"].get(name)
    }

    pub(super) fn is_armed(&self) -> bool {
        self.label(ARMED_LABEL).is_some_and(|value| value == ARMED_VALUE)
    }

    /// Name of the Rollout that armed it, for people.
    pub(super) fn rollout(&self) -> Option<&'a str> {
        self.label(ROLLOUT_LABEL)?.as_str()
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
