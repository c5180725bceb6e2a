//! A DaemonSet: the same rules, on the type of its update strategy.

use super::*;
use crate::project::projected;
use crate::{HoldState, UpdateType, Updating, Withheld};

/// An armed DaemonSet outside a release, for 5 nodes.
fn at_rest(image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            "name": "agent",
            "generation": 3,
            "labels": { "sluice.dev/armed": "true", "sluice.dev/rollout": "agent", "app": "agent" },
        },
        "spec": {
            "revisionHistoryLimit": 10,
            "selector": { "matchLabels": { "app": "agent" } },
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxSurge": 0, "maxUnavailable": "30%" },
            },
            "template": template(image),
        },
        "status": { "observedGeneration": 3, "desiredNumberScheduled": 5 },
    })
}

/// The same under the user's own OnDelete.
fn on_delete(image: &str) -> Value {
    with(&at_rest(image), "/spec/updateStrategy/type", json!("OnDelete"))
}

/// The same, in a release of `image` over v1.
fn held(image: &str, batch: u32) -> Value {
    let held = Withheld {
        revision: revision(image),
        stable: revision("v1"),
        rollback: false,
        batch,
        target: Updating { by: UpdateType::OnDelete },
        original: Updating { by: UpdateType::RollingUpdate },
    };
    annotated(&on_delete(image), &Hold::of_release(HoldState::Withheld(held)))
}

fn annotated(object: &Value, hold: &Hold) -> Value {
    with(object, "/metadata/annotations", json!({ HOLD_ANNOTATION: hold.to_text() }))
}

#[track_caller]
fn withheld_of(object: &Value) -> Withheld {
    hold_of(object).as_withheld().unwrap().clone()
}

#[test]
fn a_new_template_is_held_by_on_delete_in_its_own_write() {
    let (object, projection) = user_writes(&at_rest("v1"), &at_rest("v2"));
    assert_eq!(projection.verdict, Verdict::Held);
    assert_eq!(projection.warnings, ["held by Rollout agent: kubectl sluice status agent"]);
    assert_eq!(object["spec"], on_delete("v2")["spec"]);
    let text = object["metadata"]["annotations"][HOLD_ANNOTATION].as_str().unwrap();
    assert_eq!(
        text,
        format!(
            concat!(
                r#"{{"schema":1,"state":"withheld","revision":"{}","stable":"{}","batch":0,"#,
                r#""target":{{"type":"OnDelete"}},"original":{{"type":"RollingUpdate"}}}}"#
            ),
            revision("v2"),
            revision("v1"),
        )
    );
    assert!(projected(&object));
}

#[test]
fn the_lift_brings_the_users_object_back() {
    let (object, _) = user_writes(&at_rest("v1"), &at_rest("v2"));
    let lifted = with(&object, "/metadata/annotations", json!({}));
    let object = stored(&object, &lifted, Writer::Controller);
    assert_eq!(object["spec"], at_rest("v2")["spec"]);
    assert!(projected(&object));
}

#[test]
fn a_batch_changes_nothing_but_the_annotation() {
    let (was, next) = (held("v2", 0), held("v2", 1));
    assert_eq!(stored(&was, &next, Writer::Controller), next);
}

#[test]
fn without_nodes_an_update_is_complete_at_once() {
    let idle = |image: &str| with(&at_rest(image), "/status/desiredNumberScheduled", json!(0));
    let (object, projection) = user_writes(&idle("v1"), &idle("v2"));
    assert_eq!((object, projection.verdict), (idle("v2"), Verdict::Untouched));
}

#[test]
fn what_nobody_has_counted_is_held() {
    let idle = |image: &str| with(&at_rest(image), "/status/desiredNumberScheduled", json!(0));
    let new = |image: &str| with(&idle(image), "/status/observedGeneration", json!(0));
    let stale = |image: &str| with(&idle(image), "/metadata/generation", json!(4));
    let bare = |image: &str| without(&idle(image), "/status");
    for old in [new("v1"), stale("v1"), bare("v1")] {
        let write = with(&old, "/spec/template", template("v2"));
        assert_eq!(user_writes(&old, &write).1.verdict, Verdict::Held, "{old}");
    }
}

#[test]
fn a_status_in_the_write_says_nothing_of_the_nodes() {
    let mut new = at_rest("v2");
    new["status"]["desiredNumberScheduled"] = json!(0);
    assert_eq!(user_writes(&at_rest("v1"), &new).1.verdict, Verdict::Held);
}

#[test]
fn a_re_apply_that_states_rolling_update_does_not_let_it_go() {
    let was = held("v2", 1);
    let new = with(&was, "/spec/updateStrategy/type", json!("RollingUpdate"));
    let (object, projection) = user_writes(&was, &new);
    assert_eq!(object, was);
    assert_eq!(projection.warnings, ["applied when Rollout agent is done: updateStrategy.type"]);
}

#[test]
fn numbers_of_the_rolling_update_are_the_users_all_along() {
    let was = held("v2", 1);
    let new = with(&was, "/spec/updateStrategy/rollingUpdate/maxUnavailable", json!(2));
    let (object, projection) = user_writes(&was, &new);
    assert_eq!((object, projection.verdict), (new, Verdict::Untouched));
}

#[test]
fn on_delete_at_rest_is_the_users_own() {
    let (object, projection) = user_writes(&at_rest("v1"), &on_delete("v1"));
    assert_eq!((&object, projection.verdict), (&on_delete("v1"), Verdict::Untouched));
    assert!(projected(&object));
    for next in [on_delete("v2"), at_rest("v1")] {
        let (object, projection) = user_writes(&on_delete("v1"), &next);
        assert_eq!((object, projection.verdict), (next, Verdict::Untouched));
    }
    let (object, _) = user_writes(&on_delete("v1"), &at_rest("v2"));
    assert_eq!(withheld_of(&object).original.by, UpdateType::RollingUpdate);
}

#[test]
fn an_export_of_a_release_brings_no_on_delete() {
    let (object, projection) = user_writes(&at_rest("v2"), &held("v2", 1));
    assert_eq!(object["spec"], at_rest("v2")["spec"]);
    let told = &projection.warnings;
    assert!(told.iter().any(|said| said.contains("an export")), "{told:?}");
    // In a release it says what is there already.
    let manifest = json!({ "spec": held("v2", 1)["spec"] }).to_string();
    let was = held("v2", 2);
    let last_applied = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";
    let (object, _) = user_writes(&was, &with(&was, last_applied, json!(manifest)));
    assert_eq!(withheld_of(&object), withheld_of(&was));
}

#[test]
fn another_version_in_a_release_keeps_the_stable_one() {
    let was = held("v2", 2);
    let (object, projection) = user_writes(&was, &with(&was, "/spec/template", template("v3")));
    assert_eq!(projection.verdict, Verdict::Held);
    let after = withheld_of(&object);
    assert_eq!((after.revision, after.stable, after.batch), (revision("v3"), revision("v1"), 0));
    assert_eq!(object["spec"], on_delete("v3")["spec"]);
    let (object, _) = user_writes(&was, &with(&was, "/spec/template", template("v1")));
    assert!(withheld_of(&object).rollback);
}

#[test]
fn an_abort_brings_template_and_type_back_in_one_write() {
    let was = held("v2", 1);
    let mut bar = Hold::barred(revision("v2"), Bar::Rejected);
    bar.template = Some(template("v1"));
    let object = stored(&was, &annotated(&was, &bar), Writer::Controller);
    assert_eq!(object["spec"], at_rest("v1")["spec"]);
    assert!(projected(&object));
    let again = with(&object, "/spec/template", template("v2"));
    let (kept, projection) = user_writes(&object, &again);
    assert_eq!((kept, projection.verdict), (object, Verdict::PutBack));
}

#[test]
fn a_write_that_nobody_projected_is_told() {
    let loose = with(&held("v2", 1), "/spec/updateStrategy/type", json!("RollingUpdate"));
    assert!(!projected(&loose));
}

#[test]
fn a_hold_that_forgot_the_users_type_is_none() {
    let text = held("v2", 1)["metadata"]["annotations"][HOLD_ANNOTATION].clone();
    let text = text.as_str().unwrap().replace("RollingUpdate", "OnDelete");
    assert!(matches!(Hold::read(&text), crate::hold::Reading::Malformed(_)), "{text}");
}
