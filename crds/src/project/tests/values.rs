//! Whose values are those in the projected fields? A user's writes of them in a release.

use serde_json::{Value, json};

use super::*;
use crate::contract::LAST_APPLIED_ANNOTATION;

#[track_caller]
fn originals_after(old: &Value, new: &Value) -> Original {
    let (stored, _) = user_writes(old, new);
    assert_eq!(stored["spec"], old["spec"], "the fields stay as the hold wants them");
    assert_eq!(Fenced { original: OWN, ..fenced_of(&stored) }, fenced_of(old));
    fenced_of(&stored).original
}

#[test]
fn a_changed_field_is_a_changed_original() {
    let old = in_release();
    let new = with(&old, "/spec/minReadySeconds", json!(7));
    let new = with(&new, "/spec/progressDeadlineSeconds", json!(700));
    let new = with(&new, "/spec/strategy/rollingUpdate/maxSurge", json!(4));
    let expected = Original {
        min_ready_seconds: 7,
        progress_deadline_seconds: 700,
        max_surge: IntOrPercent::Count(4),
        ..OWN
    };
    assert_eq!(originals_after(&old, &new), expected);
    let (_, projection) = user_writes(&old, &new);
    assert_eq!(
        projection.warnings,
        ["applied when Rollout web is done: minReadySeconds, progressDeadlineSeconds, maxSurge"]
    );
    assert_eq!(projection.verdict, Verdict::Overridden);
}

/// kubectl replace of a manifest that states none of the fields, as the apiserver defaults it.
#[test]
fn a_removed_field_is_the_default() {
    let old = in_release();
    let new = without(&old, "/spec/minReadySeconds");
    let new = without(&new, "/spec/progressDeadlineSeconds");
    let new = without(&new, "/spec/strategy");
    let quarter = IntOrPercent::Percent(25);
    let expected = Original {
        paused: false,
        min_ready_seconds: 0,
        progress_deadline_seconds: 600,
        max_surge: quarter,
        max_unavailable: quarter,
    };
    assert_eq!(originals_after(&old, &new), expected);
}

fn last_applied(spec: &Value) -> Value {
    json!(json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": spec }).to_string())
}

fn applying(object: &Value, spec: &Value) -> Value {
    let pointer = format!("/metadata/annotations/{}", LAST_APPLIED_ANNOTATION.replace('/', "~1"));
    with(object, &pointer, last_applied(spec))
}

/// kubectl finds no difference to send, but the manifest that it records has changed.
#[test]
fn a_value_equal_to_the_projected_one_is_told_by_the_manifest() {
    let old = applying(&in_release(), &json!({ "minReadySeconds": 5 }));
    let rolling = json!({ "maxSurge": 0, "maxUnavailable": "20%" });
    let spec = json!({ "minReadySeconds": 5, "strategy": { "rollingUpdate": rolling } });
    let new = applying(&old, &spec);
    let expected = Original { max_surge: IntOrPercent::Count(0), ..OWN };
    assert_eq!(originals_after(&old, &new), expected);
    let again = user_writes(&old, &new).0;
    check_untouched(&again, &again, Writer::Other);
}

#[test]
fn a_manifest_that_did_not_change_says_nothing_new() {
    let spec = json!({ "strategy": { "rollingUpdate": { "maxSurge": 0 } } });
    let old = applying(&in_release(), &spec);
    check_untouched(&old, &old, Writer::Other);
}

/// A manifest made of an export of the held object itself.
#[test]
fn a_manifest_that_states_the_fence_says_nothing() {
    let old = in_release();
    let new = applying(&old, &old["spec"]);
    assert_eq!(originals_after(&old, &new), OWN);
}

#[test]
fn a_pause_in_the_manifest_counts_although_the_hold_is_paused_too() {
    let target = Target { paused: true, ..second_batch().target };
    let old = held(Fenced { target, ..second_batch() });
    let new = applying(&old, &json!({ "paused": true }));
    assert_eq!(originals_after(&old, &new), Original { paused: true, ..OWN });
}

fn owned(object: &Value, manager: &str, operation: &str, fields: &Value) -> Value {
    let entry = json!({ "manager": manager, "operation": operation,
        "fieldsType": "FieldsV1", "fieldsV1": { "f:spec": fields } });
    with(object, "/metadata/managedFields", json!([entry]))
}

fn surge_owned() -> Value {
    json!({ "f:strategy": { "f:rollingUpdate": { "f:maxSurge": {} } } })
}

#[test]
fn a_value_equal_to_the_projected_one_is_told_by_its_new_owner() {
    let old = in_release();
    let new = owned(&old, "flux", "Apply", &surge_owned());
    let expected = Original { max_surge: IntOrPercent::Count(0), ..OWN };
    assert_eq!(originals_after(&old, &new), expected);
}

#[test]
fn who_owned_it_before_or_only_updated_claims_nothing() {
    let old = owned(&in_release(), "flux", "Apply", &surge_owned());
    check_untouched(&old, &old, Writer::Other);
    for (manager, operation) in [("hpa", "Update"), ("sluice-retreat", "Apply")] {
        let new = owned(&in_release(), manager, operation, &surge_owned());
        check_untouched(&in_release(), &new, Writer::Other);
    }
}

/// The new owner states the original, which the hold overrides. Asked again, we see the projected
/// value with a new owner, and must not take it for the owner's.
#[test]
fn a_new_owner_of_the_original_is_not_one_of_the_projected_value() {
    let old = in_release();
    let new = owned(&old, "flux", "Apply", &surge_owned());
    let new = with(&new, "/spec/strategy/rollingUpdate/maxSurge", json!("30%"));
    assert_eq!(originals_after(&old, &new), OWN);
    let stored = user_writes(&old, &new).0;
    check_untouched(&stored, &stored, Writer::Other);
}

#[test]
fn an_export_that_is_applied_server_side_owns_nothing_of_its_own() {
    let old = in_release();
    let everything = json!({ "f:paused": {}, "f:minReadySeconds": {},
        "f:progressDeadlineSeconds": {}, "f:strategy": surge_owned()["f:strategy"] });
    assert_eq!(originals_after(&old, &owned(&old, "kubectl", "Apply", &everything)), OWN);
}

/// An export from an earlier batch, with that batch's fields and annotation.
#[test]
fn an_old_export_means_the_originals_of_its_time() {
    let mut first = second_batch();
    first.batch = 1;
    first.target.max_unavailable = IntOrPercent::Percent(10);
    first.original.min_ready_seconds = 3;
    let (stored, _) = user_writes(&in_release(), &held(first));
    assert_eq!(fenced_of(&stored), second_batch(), "unchanged fields say nothing");
}

#[test]
fn a_later_hold_is_not_made_of_a_users_annotation() {
    let old = in_release();
    let mut open = second_batch();
    open.target.max_unavailable = IntOrPercent::Percent(100);
    let forged = with(&old, "/spec/strategy/rollingUpdate/maxUnavailable", json!("100%"));
    let (stored, _) = user_writes(&old, &with_hold(&forged, &Hold::fenced(open)));
    assert_eq!(stored["spec"], old["spec"]);
    assert_eq!(fenced_of(&stored).target, second_batch().target);
}

/// A value that is invalid next to the other originals must be refused now, not when the fence is
/// lifted. So it is left without its fence, for the apiserver to refuse.
#[test]
fn values_that_the_apiserver_refuses_lose_their_fence() {
    let old = in_release();
    let (stored, _) = user_writes(&old, &with(&old, "/spec/minReadySeconds", json!(300)));
    assert_eq!(stored["spec"]["minReadySeconds"], 300);
    assert_eq!(stored["spec"]["progressDeadlineSeconds"], 300);
    assert_eq!(hold_of(&stored), hold_of(&old));
}

/// The object was changed while no webhook stood in the path: the next write mends it.
#[test]
fn fields_out_of_shape_are_projected_again() {
    let old = with(&in_release(), "/spec/strategy/rollingUpdate/maxUnavailable", json!("90%"));
    let (stored, _) = user_writes(&old, &with(&old, "/metadata/labels/tier", json!("front")));
    assert_eq!(stored["spec"], in_release()["spec"]);
    assert_eq!(fenced_of(&stored), second_batch());
}
