//! A user's writes while a release is on: templates, pauses, strategy.

use serde_json::json;

use super::*;
use crate::project::{Fields, Strategy};

#[test]
fn a_third_version_takes_over_paused_and_moves_nothing() {
    let old = in_release();
    let (stored, projection) = user_writes(&old, &with(&old, "/spec/template", template("v3")));
    assert_eq!(projection.verdict, Verdict::Held);
    assert_eq!(
        projection.warnings,
        ["this version replaces the one in release, held by Rollout web: \
          kubectl sluice status web"]
    );
    let was = second_batch();
    let target = Target { paused: true, ..was.target };
    let next = Fenced { revision: revision("v3"), batch: 0, target, ..was };
    assert_eq!(fenced_of(&stored), next);
    let strategy = &old["spec"]["strategy"];
    assert_eq!(stored["spec"]["strategy"], *strategy, "another sum would add pods, paused or not");
    assert_eq!(stored["spec"]["paused"], true);
}

#[test]
fn the_stable_template_is_a_rollback_that_stays_fenced() {
    let old = in_release();
    let new = with(&at_rest("v1"), "/spec/minReadySeconds", json!(6));
    let (stored, projection) = user_writes(&old, &new);
    let warning = "Rollout web goes back to this version at once: kubectl sluice status web";
    assert_eq!(projection.warnings[0], warning);
    let next = fenced_of(&stored);
    assert!(next.rollback && next.target.paused);
    assert_eq!((&next.revision, next.batch), (&revision("v1"), 2));
    assert_eq!(next.original.min_ready_seconds, 6);
    assert_eq!(stored["spec"]["minReadySeconds"], 2_147_483_646);
    assert_eq!(stored["spec"]["paused"], true);
}

#[test]
fn a_rollback_may_be_changed_for_another_version() {
    let (back, _) = user_writes(&in_release(), &at_rest("v1"));
    let (stored, _) = user_writes(&back, &with(&back, "/spec/template", template("v3")));
    let next = fenced_of(&stored);
    assert!(!next.rollback);
    assert_eq!((next.revision, next.stable, next.batch), (revision("v3"), revision("v1"), 0));
}

#[test]
fn the_same_manifest_again_changes_nothing() {
    let old = in_release();
    check_untouched(&old, &old, Writer::Other);
    for scaled in [0, 20] {
        check_untouched(&old, &with(&old, "/spec/replicas", json!(scaled)), Writer::Other);
    }
    let (stored, projection) = user_writes(&old, &at_rest("v2"));
    assert_eq!(stored["spec"], old["spec"]);
    assert_eq!(hold_of(&stored), hold_of(&old));
    assert_eq!(projection.verdict, Verdict::Overridden);
}

/// The template was injected into after our stamp: neither form of it is a new version.
#[test]
fn a_template_that_another_webhook_completes_is_one_version() {
    let old = with(&in_release(), "/spec/template", template("v2-injected"));
    let (stored, _) = user_writes(&old, &with(&old, "/spec/template", template("v2")));
    assert_eq!(fenced_of(&stored), second_batch());
    check_untouched(&old, &with(&old, "/metadata/labels/tier", json!("x")), Writer::Other);
}

#[test]
fn a_users_pause_is_honoured_and_their_resume_clears_it() {
    let old = in_release();
    let (paused, projection) = user_writes(&old, &with(&old, "/spec/paused", json!(true)));
    assert_eq!(paused["spec"]["paused"], true);
    assert!(fenced_of(&paused).original.paused);
    assert!(!fenced_of(&paused).target.paused);
    assert_eq!(projection.warnings, Vec::<String>::new());

    let (resumed, _) = user_writes(&paused, &without(&paused, "/spec/paused"));
    assert_eq!(resumed, old);
}

#[test]
fn nobody_unpauses_the_hold() {
    let target = Target { paused: true, ..second_batch().target };
    let original = Original { paused: true, ..OWN };
    let old = held(Fenced { target, original, ..second_batch() });
    let (stored, projection) = user_writes(&old, &with(&old, "/spec/paused", json!(false)));
    assert_eq!(stored["spec"]["paused"], true);
    assert!(!fenced_of(&stored).original.paused, "the resume counts for the user's own pause");
    assert_eq!(projection.warnings, ["stays paused until Rollout web starts its first batch"]);
    let running = in_release();
    check_untouched(&running, &with(&running, "/spec/paused", json!(false)), Writer::Other);
}

#[test]
fn a_switch_to_recreate_is_projected_back_and_said() {
    let old = in_release();
    let recreate = with(&old, "/spec/strategy", json!({ "type": "Recreate" }));
    let (stored, projection) = user_writes(&old, &recreate);
    assert_eq!(stored, old);
    assert_eq!(
        projection.warnings,
        ["strategy Recreate was not applied: apply it again when Rollout web is done"]
    );
    let shape = Fields::of(&recreate["spec"]).unwrap().strategy;
    assert_eq!(shape, Strategy::Recreate, "the write was what it is meant to be");
}

#[test]
fn a_hold_of_a_newer_sluice_keeps_every_field() {
    let newer = json!("{\"schema\":2,\"state\":\"fenced\",\"more\":true}");
    let old = with(&in_release(), "/metadata/annotations/sluice.dev~1hold", newer);
    let new = with(&at_rest("v3"), "/spec/paused", json!(true));
    let (stored, projection) = user_writes(&old, &new);
    assert_eq!(stored["metadata"], with_hold_text(&at_rest("v3"), &old)["metadata"]);
    assert_eq!(stored["spec"]["template"], template("v3"));
    for key in ["minReadySeconds", "progressDeadlineSeconds", "strategy"] {
        assert_eq!(stored["spec"][key], old["spec"][key], "{key}");
    }
    assert!(stored["spec"].get("paused").is_none());
    assert_eq!(projection.verdict, Verdict::Overridden);
}

/// A write of the controller's that no webhook saw: it comes again. Until then nothing is projected
/// and nothing of the fence is lost, but a new template is held.
#[test]
fn a_template_that_never_moved_waits_for_the_controller() {
    let mut waiting = Hold::fenced(second_batch());
    waiting.template = Some(template("v2"));
    let old = with_hold(&in_release(), &waiting);
    let (stored, _) = user_writes(&old, &with(&old, "/spec/minReadySeconds", json!(1)));
    assert_eq!(stored, old);

    let (stored, _) = user_writes(&old, &with(&old, "/spec/template", template("v3")));
    assert_eq!(hold_of(&stored).template, None);
    assert_eq!(fenced_of(&stored).revision, revision("v3"));
}

fn with_hold_text(object: &serde_json::Value, from: &serde_json::Value) -> serde_json::Value {
    let text = from["metadata"]["annotations"][HOLD_ANNOTATION].clone();
    with(object, "/metadata/annotations/sluice.dev~1hold", text)
}
