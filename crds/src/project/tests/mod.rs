//! The projection by its behaviour. This file has the objects that the others write about: an armed
//! Deployment `web` of a Rollout `web`, and the writes that reach it.

use serde_json::{Value, json};

use super::{Projection, Verdict, Writer, project};
use crate::contract::HOLD_ANNOTATION;
use crate::hold::Bar;
use crate::{Fenced, Hold, IntOrPercent, Original, Revision, Target};

mod barred;
mod cloneset;
mod controller;
mod daemonset;
mod first_hold;
mod properties;
mod release;
mod stateful;
mod sticky;
mod strange;
mod values;

/// A pod template with this image.
fn template(image: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "app", "image": image }] },
    })
}

fn revision(image: &str) -> Revision {
    Revision::of_template(&template(image))
}

/// An armed Deployment outside a release, as the apiserver shows it: 10 replicas, the user's own
/// minReadySeconds 5 and strategy 30% / 20%.
fn at_rest(image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "labels": { "sluice.dev/armed": "true", "sluice.dev/rollout": "web", "app": "web" },
            "annotations": { "deployment.kubernetes.io/revision": "1" },
        },
        "spec": {
            "replicas": 10,
            "minReadySeconds": 5,
            "progressDeadlineSeconds": 300,
            "revisionHistoryLimit": 10,
            "selector": { "matchLabels": { "app": "web" } },
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxSurge": "30%", "maxUnavailable": "20%" },
            },
            "template": template(image),
        },
        "status": { "replicas": 10 },
    })
}

const OWN: Original = Original {
    paused: false,
    min_ready_seconds: 5,
    progress_deadline_seconds: 300,
    max_surge: IntOrPercent::Percent(30),
    max_unavailable: IntOrPercent::Percent(20),
};

/// Batch 2 of the release of v2: no surge, 20% new.
fn second_batch() -> Fenced {
    Fenced {
        revision: revision("v2"),
        stable: revision("v1"),
        rollback: false,
        batch: 2,
        target: Target {
            paused: false,
            max_surge: IntOrPercent::Count(0),
            max_unavailable: IntOrPercent::Percent(20),
        },
        original: OWN,
    }
}

/// The Deployment in [`second_batch`].
fn in_release() -> Value {
    held(second_batch())
}

/// The Deployment with v2 under this hold, as the controller's write leaves it.
fn held(fenced: Fenced) -> Value {
    let old = at_rest("v2");
    stored(&old, &with_hold(&old, &Hold::fenced(fenced)), Writer::Controller)
}

/// The Deployment at rest with v1 after v2 was rejected.
fn rejected() -> Value {
    let mut barred = Hold::barred(revision("v2"), Bar::Rejected);
    barred.template = Some(template("v1"));
    let old = in_release();
    stored(&old, &with_hold(&old, &barred), Writer::Controller)
}

/// The Deployment with v1, scaled to zero while v2 was released.
fn dormant() -> Value {
    let waiting = Hold::barred(revision("v2"), Bar::Dormant);
    with(&with_hold(&at_rest("v1"), &waiting), "/spec/replicas", json!(0))
}

fn with(object: &Value, pointer: &str, value: Value) -> Value {
    let mut object = object.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    parent.insert(key.replace("~1", "/"), value);
    object
}

fn without(object: &Value, pointer: &str) -> Value {
    let mut object = object.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    parent.remove(&key.replace("~1", "/")).expect(pointer);
    object
}

fn with_hold(object: &Value, hold: &Hold) -> Value {
    with(object, "/metadata/annotations/sluice.dev~1hold", json!(hold.to_text()))
}

fn lifted(object: &Value) -> Value {
    without(object, "/metadata/annotations/sluice.dev~1hold")
}

fn hold_of(object: &Value) -> Hold {
    match Hold::of(object) {
        crate::hold::Reading::Hold(hold) => *hold,
        other => panic!("{other:?}"),
    }
}

fn fenced_of(object: &Value) -> Fenced {
    hold_of(object).as_fenced().unwrap().clone()
}

/// What the apiserver stores of a write.
fn stored(old: &Value, new: &Value, writer: Writer) -> Value {
    let mut result = new.clone();
    json_patch::patch(&mut result, &project(old, new, writer).patch).unwrap();
    result
}

/// What the apiserver stores of a user's write, with all that is said about it. A second pass over
/// the output changes nothing.
#[track_caller]
fn user_writes(old: &Value, new: &Value) -> (Value, Projection) {
    let projection = project(old, new, Writer::Other);
    let mut result = new.clone();
    json_patch::patch(&mut result, &projection.patch).unwrap();
    let again = project(old, &result, Writer::Other).patch;
    assert!(again.0.is_empty(), "a second pass changes {again}");
    (result, projection)
}

#[track_caller]
fn check_untouched(old: &Value, new: &Value, writer: Writer) {
    let projection = project(old, new, writer);
    assert_eq!(projection.patch.0, [], "{}", projection.patch);
    assert_eq!(projection.warnings, Vec::<String>::new());
    assert_eq!(projection.verdict, Verdict::Untouched);
}
