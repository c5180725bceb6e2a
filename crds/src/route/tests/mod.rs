//! The projection of routes by its behaviour. This file has the objects that the others write
//! about: an armed HTTPRoute `web` of a Rollout `web`, and the writes that reach it.

use serde_json::{Value, json};

use super::{Compare, Condition, Pair, RouteHold, RouteReading, Share, project, projected};
use crate::contract::HOLD_ANNOTATION;
use crate::project::{Projection, Verdict, Writer};

mod chosen;
mod ingress;
mod limits;
mod properties;
mod user;
mod weights;
mod without;

/// A backend as the apiserver shows it.
fn backend(name: &str, weight: u64) -> Value {
    json!({ "group": "", "kind": "Service", "name": name, "port": 80, "weight": weight })
}

fn path(prefix: &str) -> Value {
    json!({ "path": { "type": "PathPrefix", "value": prefix } })
}

/// An armed route with these rules.
fn route(rules: impl Into<Value>) -> Value {
    let rules = rules.into();
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "labels": { "sluice.dev/armed": "true", "sluice.dev/rollout": "web" },
        },
        "spec": { "parentRefs": [{ "name": "sluice" }], "rules": rules },
        "status": { "parents": [] },
    })
}

/// One rule with one backend.
fn plain() -> Value {
    route(json!([{ "matches": [path("/")], "backendRefs": [backend("web", 1)] }]))
}

fn share(weight: u32) -> Share {
    Share {
        service: "web".to_owned(),
        stable: None,
        canary: "web-canary".to_owned(),
        weight,
        conditions: Vec::new(),
    }
}

fn header(name: &str, value: &str) -> Condition {
    let pair = Pair { compare: Compare::Exact, name: name.to_owned(), value: value.to_owned() };
    Condition { headers: vec![pair], ..Condition::default() }
}

fn query(name: &str, value: &str) -> Condition {
    let Condition { headers, .. } = header(name, value);
    Condition { query_params: headers, ..Condition::default() }
}

/// The object as the controller sends it.
fn with_hold(object: &Value, shares: &[Share]) -> Value {
    with_text(object, &RouteHold::new(shares.to_vec()).to_text())
}

fn with_text(object: &Value, text: &str) -> Value {
    let mut object = object.clone();
    object["metadata"]["annotations"][HOLD_ANNOTATION] = json!(text);
    object
}

fn lifted(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("annotations");
    }
    object
}

/// What the apiserver stores of a write. A second pass over the output changes nothing.
#[track_caller]
fn written(old: &Value, new: &Value, writer: Writer) -> (Value, Projection) {
    let projection = project(old, new, writer);
    let mut result = new.clone();
    json_patch::patch(&mut result, &projection.patch).unwrap();
    let again = project(old, &result, writer).patch;
    assert!(again.0.is_empty(), "a second pass changes {again} after {}", projection.patch);
    (result, projection)
}

/// The route as it is under a hold with these shares.
#[track_caller]
fn held(object: &Value, shares: &[Share]) -> Value {
    let (live, _) = written(object, &with_hold(object, shares), Writer::Controller);
    live
}

/// The route after its hold was taken away.
#[track_caller]
fn restored(live: &Value) -> Value {
    written(live, &lifted(live), Writer::Controller).0
}

fn rules(object: &Value) -> &Value {
    &object["spec"]["rules"]
}

/// Names and weights of a rule's backends.
fn weights(object: &Value, rule: usize) -> Vec<(&str, u64)> {
    let list = rules(object)[rule]["backendRefs"].as_array().unwrap();
    let weight = |raw: &Value| raw.get("weight").map_or(1, |weight| weight.as_u64().unwrap());
    list.iter().map(|raw| (raw["name"].as_str().unwrap(), weight(raw))).collect()
}

fn hold_of(object: &Value) -> RouteHold {
    match RouteHold::of(object) {
        RouteReading::Hold(hold) => *hold,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_annotation_reads_as_it_was_written() {
    let mut hold = RouteHold::new(vec![Share { conditions: vec![query("v", "2")], ..share(5) }]);
    assert_eq!(RouteHold::read(&hold.to_text()), RouteReading::Hold(Box::new(hold.clone())));
    hold.own = Some(super::Own { backends: [(3, json!([backend("web", 1)]))].into() });
    assert_eq!(RouteHold::read(&hold.to_text()), RouteReading::Hold(Box::new(hold)));
    let text = r#"{"schema":1,"shares":[{"service":"web","canary":"web-canary","weight":5}]}"#;
    assert_eq!(RouteHold::new(vec![share(5)]).to_text(), text);
}

#[test]
fn an_unsound_hold_is_none() {
    let both = Share { service: "web-canary".to_owned(), canary: "x".to_owned(), ..share(5) };
    let empty = Share { conditions: vec![Condition::default()], ..share(5) };
    for shares in [vec![share(101)], vec![share(5), share(6)], vec![share(5), both], vec![empty]] {
        let hold = RouteHold::new(shares);
        let reading = RouteHold::read(&hold.to_text());
        assert!(matches!(reading, RouteReading::Malformed(_)), "{hold:?}");
    }
    assert_eq!(RouteHold::read(r#"{"schema":2,"shares":"?"}"#), RouteReading::Newer(2));
}
