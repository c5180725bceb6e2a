//! The controller's own writes.

use serde_json::json;

use super::*;
use crate::hold::SCHEMA;
use crate::project::projected;

#[test]
fn the_target_becomes_the_fields() {
    let old = user_writes(&at_rest("v1"), &at_rest("v2")).0;
    let new = with_hold(&old, &Hold::fenced(second_batch()));
    let projection = project(&old, &new, Writer::Controller);
    let expected = json!([
        { "op": "remove", "path": "/spec/paused" },
        { "op": "replace", "path": "/spec/strategy/rollingUpdate/maxSurge", "value": 0 },
    ]);
    assert_eq!(serde_json::to_value(&projection.patch).unwrap(), expected);
    assert_eq!(projection.verdict, Verdict::Written);
    assert!(projected(&stored(&old, &new, Writer::Controller)));
}

#[test]
fn the_users_pause_outlives_the_target() {
    let mut paused = second_batch();
    paused.original.paused = true;
    assert_eq!(held(paused)["spec"]["paused"], true);
}

#[test]
fn lifting_restores_every_original() {
    let held = in_release();
    assert_eq!(stored(&held, &lifted(&held), Writer::Controller), at_rest("v2"));

    let defaults = Original {
        paused: false,
        min_ready_seconds: 0,
        progress_deadline_seconds: 600,
        max_surge: IntOrPercent::Percent(25),
        max_unavailable: IntOrPercent::Percent(25),
    };
    let with_defaults = super::held(Fenced { original: defaults, ..second_batch() });
    let spec = &stored(&with_defaults, &lifted(&with_defaults), Writer::Controller)["spec"];
    assert!(spec.get("minReadySeconds").is_none() && spec.get("paused").is_none());
    assert_eq!(spec["progressDeadlineSeconds"], 600);
}

#[test]
fn the_lifted_values_are_those_of_the_hold_before() {
    let held = in_release();
    let new = with(&lifted(&held), "/spec/minReadySeconds", json!(1));
    assert_eq!(stored(&held, &new, Writer::Controller), at_rest("v2"));
}

#[test]
fn a_repair_projects_again_although_nothing_changes() {
    let good = in_release();
    let bad = with(&good, "/spec/minReadySeconds", json!(5));
    let bad = with(&bad, "/spec/strategy", json!({ "type": "Recreate" }));
    assert!(!projected(&bad));
    assert_eq!(stored(&bad, &bad, Writer::Controller), good);
}

#[test]
fn a_template_in_the_annotation_moves_to_the_spec() {
    let old = rejected();
    let mut retry = Hold::fenced(Fenced::first(revision("v2"), revision("v1"), OWN));
    retry.template = Some(template("v2"));
    let stored = stored(&old, &with_hold(&old, &retry), Writer::Controller);
    assert_eq!(stored["spec"]["template"], template("v2"));
    assert_eq!(hold_of(&stored).template, None);
    assert!(projected(&stored));
}

#[test]
fn a_users_payload_is_not_honoured() {
    let old = in_release();
    let mut payload = Hold::fenced(second_batch());
    payload.template = Some(template("v9"));
    assert_eq!(user_writes(&old, &with_hold(&old, &payload)).0, old);
}

#[test]
fn an_annotation_that_is_no_hold_leaves_the_one_before() {
    let old = in_release();
    let mut payload = Hold::fenced(second_batch());
    payload.template = Some(json!("no template"));
    for text in [json!("nonsense"), json!("{\"schema\":1}"), json!(payload.to_text())] {
        let new = with(&old, "/metadata/annotations/sluice.dev~1hold", text);
        assert_eq!(stored(&old, &new, Writer::Controller), old);
    }
}

/// A newer controller before the webhook is upgraded, and after it was taken back.
#[test]
fn a_newer_schema_keeps_the_fields_and_its_own_annotation() {
    let old = in_release();
    let text = json!(format!("{{\"schema\":{},\"state\":\"drained\"}}", SCHEMA + 1));
    let newer = with(&old, "/metadata/annotations/sluice.dev~1hold", text);
    let touched = with(&newer, "/spec/minReadySeconds", json!(1));
    assert_eq!(stored(&old, &touched, Writer::Controller), newer);
    for older in [lifted(&newer), old] {
        assert_eq!(stored(&newer, &older, Writer::Controller), newer);
    }
}

#[test]
fn every_write_of_the_controllers_projects_once() {
    let held = in_release();
    let mut barred = Hold::barred(revision("v2"), Bar::Rejected);
    barred.template = Some(template("v1"));
    for new in [lifted(&held), with_hold(&held, &barred), with_hold(&held, &hold_of(&held))] {
        let stored = stored(&held, &new, Writer::Controller);
        assert!(project(&held, &stored, Writer::Controller).patch.0.is_empty());
        assert!(projected(&stored));
    }
}
