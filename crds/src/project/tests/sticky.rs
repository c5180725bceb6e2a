//! Our annotation and labels under other hands.

use serde_json::json;

use super::*;

const KEPT: &str = "labels and annotations of sluice.dev stay as Rollout web has them";

#[test]
fn a_replace_that_strips_everything_of_ours_strips_nothing() {
    let old = in_release();
    let new = lifted(&old);
    let new = without(&new, "/metadata/labels/sluice.dev~1armed");
    let new = without(&new, "/metadata/labels/sluice.dev~1rollout");
    let (stored, projection) = user_writes(&old, &new);
    assert_eq!(stored, old);
    assert_eq!(projection.warnings, [KEPT]);
    assert_eq!(projection.verdict, Verdict::Kept);

    let bare = without(&without(&new, "/metadata/labels"), "/metadata/annotations");
    let (stored, _) = user_writes(&old, &bare);
    assert_eq!(hold_of(&stored), hold_of(&old));
    assert_eq!(stored["metadata"]["labels"].as_object().unwrap().len(), 2);
}

#[test]
fn other_values_are_put_back() {
    let old = in_release();
    let new = with(&old, "/metadata/labels/sluice.dev~1armed", json!("false"));
    let new = with(&new, "/metadata/labels/sluice.dev~1rollout", json!("other"));
    let new = with(&new, "/metadata/annotations/sluice.dev~1hold", json!("{}"));
    assert_eq!(user_writes(&old, &new).0, old);
}

#[test]
fn labels_stay_at_rest_too_and_a_hold_from_nowhere_goes() {
    let old = at_rest("v1");
    let new = without(&old, "/metadata/labels/sluice.dev~1armed");
    assert_eq!(user_writes(&old, &new).0, old);
    let new = with_hold(&old, &Hold::fenced(second_batch()));
    assert_eq!(user_writes(&old, &new).0, old);
}

#[test]
fn nobody_else_arms_a_workload() {
    let old = without(&at_rest("v1"), "/metadata/labels/sluice.dev~1armed");
    let old = without(&old, "/metadata/labels/sluice.dev~1rollout");
    let new = with_hold(&at_rest("v2"), &Hold::fenced(second_batch()));
    let (stored, projection) = user_writes(&old, &new);
    assert_eq!(stored, with(&old, "/spec/template", template("v2")));
    assert_eq!(projection.verdict, Verdict::Kept);
}

#[test]
fn the_controller_arms_and_disarms() {
    let armed = at_rest("v1");
    let bare = without(&armed, "/metadata/labels/sluice.dev~1armed");
    check_untouched(&bare, &armed, Writer::Controller);
    check_untouched(&armed, &bare, Writer::Controller);
    let disarmed = lifted(&without(&in_release(), "/metadata/labels/sluice.dev~1armed"));
    let stored = stored(&in_release(), &disarmed, Writer::Controller);
    assert_eq!(stored["spec"], at_rest("v2")["spec"]);
}

/// Only the annotation's text decides, and an annotation that is none is nobody's to change.
#[test]
fn a_malformed_annotation_stays_until_a_hold_replaces_it() {
    let old = with(&at_rest("v1"), "/metadata/annotations/sluice.dev~1hold", json!("x"));
    assert_eq!(user_writes(&old, &at_rest("v1")).0, old);
    let (stored, _) = user_writes(&old, &at_rest("v2"));
    assert_eq!(fenced_of(&stored), Fenced::first(revision("v2"), revision("v1"), OWN));
}
