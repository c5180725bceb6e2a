//! How a pod of a set is made. Pure: who makes it brings the id and the time.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::member::short;
use super::names::{
    INSTANCE_ID, LETTERS, LIFECYCLE_STATE, LIFECYCLE_TIME, REVISION, TEMPLATE_HASH, UPDATE_READY,
};
use super::revisions::owner;
use super::spec::CloneSet;

const ID_LENGTH: u32 = 5;

/// A pod of this revision, whose template it is.
pub fn pod(set: &CloneSet, revision: &str, template: &Value, id: &str, now: Timestamp) -> Value {
    let name = set.metadata.name.as_deref().unwrap_or_default();
    let of_template = |field: &str| template.pointer(&format!("/metadata/{field}")).cloned();
    let mut labels = object(of_template("labels"));
    for (label, value) in [
        (INSTANCE_ID, id),
        (REVISION, revision),
        (TEMPLATE_HASH, short(revision)),
        (LIFECYCLE_STATE, "PreparingNormal"),
    ] {
        labels.insert(label.to_owned(), Value::from(value));
    }
    let mut annotations = object(of_template("annotations"));
    annotations.insert(LIFECYCLE_TIME.to_owned(), Value::from(whole_second(now)));
    let mut metadata = json!({
        "name": format!("{name}-{id}"),
        "generateName": format!("{name}-"),
        "namespace": set.metadata.namespace,
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [owner(set)],
    });
    if let Some(finalizers) = of_template("finalizers") {
        metadata["finalizers"] = finalizers;
    }
    let spec = with_gate(object(template.get("spec").cloned()));
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec })
}

/// The time as Kruise writes it.
pub fn whole_second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An id out of a random number.
pub fn id(random: u64) -> String {
    let letters = LETTERS.len() as u64;
    let place = |digit: u32| (random / letters.pow(digit) % letters) as usize;
    (0..ID_LENGTH).map(|digit| char::from(LETTERS[place(digit)])).collect()
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn with_gate(mut spec: Map<String, Value>) -> Map<String, Value> {
    let gates = spec.entry("readinessGates").or_insert_with(|| json!([]));
    if let Value::Array(gates) = gates
        && !gates.iter().any(|gate| gate["conditionType"] == UPDATE_READY)
    {
        gates.push(json!({ "conditionType": UPDATE_READY }));
    }
    spec
}
