//! A new template on a workload outside a release.

use serde_json::{Value, json};

use super::*;
use crate::project::projected;

#[test]
fn a_new_template_is_held_in_the_same_write() {
    let (stored, projection) = user_writes(&at_rest("v1"), &at_rest("v2"));
    assert_eq!(projection.verdict, Verdict::Held);
    assert_eq!(projection.warnings, ["held by Rollout web: kubectl sluice status web"]);
    let target = Target {
        paused: true,
        max_surge: IntOrPercent::Percent(30),
        max_unavailable: IntOrPercent::Percent(20),
    };
    let fenced = Fenced {
        revision: revision("v2"),
        stable: revision("v1"),
        rollback: false,
        batch: 0,
        target,
        original: OWN,
    };
    assert_eq!(hold_of(&stored), Hold::fenced(fenced));
    assert_eq!(stored["spec"]["paused"], true);
    assert_eq!(stored["spec"]["minReadySeconds"], 2_147_483_646);
    assert_eq!(stored["spec"]["progressDeadlineSeconds"], 2_147_483_647);
    assert_eq!(stored["spec"]["strategy"], at_rest("v1")["spec"]["strategy"]);
    assert!(projected(&stored));
}

#[test]
fn the_operations_are_only_those_needed() {
    let mut patch = project(&at_rest("v1"), &at_rest("v2"), Writer::Other).patch;
    let hold = patch.0.pop().unwrap();
    assert_eq!(hold.path().to_string(), "/metadata/annotations/sluice.dev~1hold");
    let expected = json!([
        { "op": "add", "path": "/spec/paused", "value": true },
        { "op": "replace", "path": "/spec/minReadySeconds", "value": 2_147_483_646 },
        { "op": "replace", "path": "/spec/progressDeadlineSeconds", "value": 2_147_483_647 },
    ]);
    assert_eq!(serde_json::to_value(patch).unwrap(), expected);
}

#[test]
fn a_missing_parent_is_added_with_its_content() {
    let old = at_rest("v1");
    let new = without(&at_rest("v2"), "/metadata/annotations");
    let new = without(&new, "/spec/strategy");
    let (stored, _) = user_writes(&old, &new);
    let hold = stored["metadata"]["annotations"].as_object().unwrap();
    assert_eq!(hold.keys().collect::<Vec<_>>(), [HOLD_ANNOTATION]);
    let quarter = IntOrPercent::Percent(25);
    assert_eq!(fenced_of(&stored).target.max_surge, quarter, "what is absent is the default");
}

#[test]
fn the_users_new_values_are_the_originals() {
    let new = with(&at_rest("v2"), "/spec/minReadySeconds", json!(9));
    let new = with(&new, "/spec/paused", json!(true));
    let new = with(&new, "/spec/strategy/rollingUpdate/maxSurge", json!(3));
    let (stored, _) = user_writes(&at_rest("v1"), &new);
    let Original { paused, min_ready_seconds, max_surge, .. } = fenced_of(&stored).original;
    assert_eq!((paused, min_ready_seconds, max_surge), (true, 9, IntOrPercent::Count(3)));
}

#[test]
fn a_deadline_of_the_fences_value_may_be_the_users() {
    let deadline = |object| with(&object, "/spec/progressDeadlineSeconds", json!(2_147_483_647));
    let (stored, _) = user_writes(&deadline(at_rest("v1")), &deadline(at_rest("v2")));
    assert_eq!(fenced_of(&stored).original.progress_deadline_seconds, 2_147_483_647);
}

#[test]
fn what_is_no_new_template_passes() {
    let old = at_rest("v1");
    for (pointer, value) in [
        ("/spec/replicas", json!(20)),
        ("/spec/minReadySeconds", json!(1)),
        ("/spec/paused", json!(true)),
        ("/spec/strategy", json!({ "type": "Recreate" })),
        ("/metadata/labels/tier", json!("front")),
        ("/spec/template/metadata/creationTimestamp", Value::Null),
        ("/spec/template/spec/nodeSelector", Value::Null),
    ] {
        check_untouched(&old, &with(&old, pointer, value), Writer::Other);
    }
}

#[test]
fn a_restart_is_a_new_template() {
    let restart = json!({ "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z" });
    let new = with(&at_rest("v1"), "/spec/template/metadata/annotations", restart);
    assert_eq!(user_writes(&at_rest("v1"), &new).1.verdict, Verdict::Held);
}

#[test]
fn a_workload_that_is_not_armed_is_left_alone() {
    let disarmed = |image| without(&at_rest(image), "/metadata/labels/sluice.dev~1armed");
    check_untouched(&disarmed("v1"), &disarmed("v2"), Writer::Other);
}

#[test]
fn recreate_is_left_alone() {
    let recreate = |image| with(&at_rest(image), "/spec/strategy", json!({ "type": "Recreate" }));
    check_untouched(&recreate("v1"), &recreate("v2"), Writer::Other);
    check_untouched(&at_rest("v1"), &recreate("v2"), Writer::Other);
    assert_eq!(user_writes(&recreate("v1"), &at_rest("v2")).1.verdict, Verdict::Held);
}

#[test]
fn without_replicas_a_change_is_complete_at_once() {
    let zero = |image| with(&at_rest(image), "/spec/replicas", json!(0));
    check_untouched(&zero("v1"), &zero("v2"), Writer::Other);
    check_untouched(&zero("v1"), &at_rest("v2"), Writer::Other);
    check_untouched(&at_rest("v1"), &zero("v2"), Writer::Other);
    let absent = without(&at_rest("v2"), "/spec/replicas");
    assert_eq!(user_writes(&at_rest("v1"), &absent).1.verdict, Verdict::Held, "absent is 1");
}

/// The apiserver refuses it; under a fence it would be accepted, and the lift refused for ever.
#[test]
fn values_that_the_apiserver_refuses_are_not_hidden() {
    for (pointer, value) in [
        ("/spec/minReadySeconds", json!(300)),
        ("/spec/minReadySeconds", json!(-1)),
        ("/spec/progressDeadlineSeconds", json!(5)),
        ("/spec/strategy/rollingUpdate", json!({ "maxSurge": 0, "maxUnavailable": "0%" })),
        ("/spec/strategy/rollingUpdate/maxUnavailable", json!("101%")),
        ("/spec/strategy/rollingUpdate/maxSurge", json!(-1)),
        ("/spec/strategy/rollingUpdate/maxSurge", json!("some")),
    ] {
        check_untouched(&at_rest("v1"), &with(&at_rest("v2"), pointer, value), Writer::Other);
    }
}

/// Another mutating webhook, after ours, changes the template; we are asked again.
#[test]
fn a_later_webhooks_template_is_the_one_that_is_stamped() {
    let old = at_rest("v1");
    let (first, _) = user_writes(&old, &at_rest("v2"));
    let injected = with(&first, "/spec/template", template("v2-injected"));
    let (stored, _) = user_writes(&old, &injected);
    assert_eq!(fenced_of(&stored).revision, revision("v2-injected"));
    assert_eq!(fenced_of(&stored).original, OWN);
}

/// It makes the template what it was: there is nothing to hold after all.
#[test]
fn a_later_webhook_may_undo_the_change() {
    let old = at_rest("v1");
    let (first, _) = user_writes(&old, &at_rest("v2"));
    let undone = with(&first, "/spec/template", template("v1"));
    let (stored, _) = user_writes(&old, &undone);
    assert_eq!(stored, old);
}

/// A policy in front of us writes the same hold. Its text becomes ours, which others search.
#[test]
fn a_hold_projected_before_us_is_left_as_it_is() {
    let old = at_rest("v1");
    let (first, _) = user_writes(&old, &at_rest("v2"));
    let (stored, projection) = user_writes(&old, &first);
    assert_eq!(stored, first);
    assert_eq!(projection.warnings.len(), 1, "only the webhook can tell the user");

    let spaced = serde_json::to_string_pretty(&hold_of(&first)).unwrap();
    let new = with(&first, "/metadata/annotations/sluice.dev~1hold", json!(spaced));
    assert_eq!(user_writes(&old, &new).0, first);
}

#[test]
fn a_forged_hold_is_replaced_by_the_right_one() {
    let old = at_rest("v1");
    let right = hold_of(&user_writes(&old, &at_rest("v2")).0);
    let mut open = second_batch();
    open.target.max_unavailable = IntOrPercent::Percent(100);
    let (stored, projection) = user_writes(&old, &with_hold(&at_rest("v2"), &Hold::fenced(open)));
    assert_eq!(hold_of(&stored), right);
    assert_eq!(projection.verdict, Verdict::Held);
}

/// `kubectl get -o yaml` in a release, applied when it is over.
#[test]
fn an_export_of_a_held_object_gives_the_values_that_it_held() {
    let export = with(&in_release(), "/spec/template", template("v1"));
    let (stored, projection) = user_writes(&at_rest("v1"), &export);
    assert_eq!(stored, at_rest("v1"));
    assert_eq!(projection.verdict, Verdict::Overridden);

    let (stored, _) = user_writes(&at_rest("v1"), &in_release());
    let first = Fenced::first(revision("v2"), revision("v1"), OWN);
    assert_eq!(fenced_of(&stored), first);
}

#[test]
fn an_export_without_annotations_gives_the_values_from_before() {
    let export = lifted(&in_release());
    let old = with(&at_rest("v1"), "/spec/minReadySeconds", json!(7));
    let (stored, _) = user_writes(&old, &export);
    let own = Original { min_ready_seconds: 7, ..OWN };
    assert_eq!(fenced_of(&stored).original, own);
    let unchanged = with(&export, "/spec/template", template("v1"));
    assert_eq!(user_writes(&old, &unchanged).0, old);
}

/// `kubectl rollout undo` brings the annotations of an old ReplicaSet.
#[test]
fn a_stale_hold_of_a_replica_set_says_nothing() {
    let mut stale = second_batch();
    stale.target.max_surge = IntOrPercent::Percent(30);
    stale.original.max_surge = IntOrPercent::Count(9);
    let new = with_hold(&at_rest("v2"), &Hold::fenced(stale));
    let (stored, _) = user_writes(&at_rest("v1"), &new);
    assert_eq!(fenced_of(&stored).original, OWN, "the live values are not the fence's");
    let unchanged = with(&new, "/spec/template", template("v1"));
    assert_eq!(user_writes(&at_rest("v1"), &unchanged).0, at_rest("v1"));
}

/// The annotation was lost while no webhook and no policy stood in the path.
#[test]
fn a_fence_without_a_hold_hides_defaults() {
    let lost = lifted(&in_release());
    assert!(!projected(&lost));
    check_untouched(&lost, &with(&lost, "/spec/replicas", json!(3)), Writer::Other);
    let (stored, _) = user_writes(&lost, &with(&lost, "/spec/template", template("v3")));
    let Original { min_ready_seconds, progress_deadline_seconds, .. } = fenced_of(&stored).original;
    assert_eq!((min_ready_seconds, progress_deadline_seconds), (0, 600));
}
