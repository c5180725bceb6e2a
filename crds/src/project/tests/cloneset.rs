//! A CloneSet: the same rules, on its partition, which is a share of the pods.

use super::*;
use crate::project::projected;
use crate::{HoldState, Kept, Portion, Portioned};

const FENCE: &str = "100%";

/// An armed CloneSet outside a release: 10 replicas, the user's own partition.
fn at_rest_from(image: &str, partition: &str) -> Value {
    json!({
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {
            "name": "db",
            "labels": { "sluice.dev/armed": "true", "sluice.dev/rollout": "db", "app": "db" },
        },
        "spec": {
            "replicas": 10,
            "revisionHistoryLimit": 10,
            "selector": { "matchLabels": { "app": "db" } },
            "updateStrategy": {
                "type": "InPlaceIfPossible",
                "partition": partition,
                "maxUnavailable": "20%",
                "maxSurge": 0,
            },
            "template": template(image),
        },
        "status": { "replicas": 10 },
    })
}

fn at_rest(image: &str) -> Value {
    at_rest_from(image, "0%")
}

/// The same, in a release of `image` over v1, with this partition.
fn held(image: &str, batch: u32, partition: &str) -> Value {
    let held = Portioned {
        revision: revision(image),
        stable: revision("v1"),
        rollback: false,
        batch,
        target: Portion { partition: kept(partition) },
        original: Portion { partition: kept("0%") },
    };
    let mut object = at_rest_from(image, partition);
    let hold = Hold::of_release(HoldState::Portioned(held));
    object["metadata"]["annotations"] = json!({ HOLD_ANNOTATION: hold.to_text() });
    object
}

fn kept(text: &str) -> Kept {
    text.parse().unwrap()
}

fn write(old: &Value, new: &Value, writer: Writer) -> (Value, Projection) {
    let projection = project(old, new, writer);
    let mut object = new.clone();
    json_patch::patch(&mut object, &projection.patch).unwrap();
    let again = project(old, &object, writer);
    let mut twice = object.clone();
    json_patch::patch(&mut twice, &again.patch).unwrap();
    assert_eq!(twice, object, "a second pass changes its own output");
    (object, projection)
}

fn users(old: &Value, new: &Value) -> (Value, Projection) {
    write(old, new, Writer::Other)
}

#[track_caller]
fn hold_of(object: &Value) -> Portioned {
    match Hold::of(object) {
        crate::hold::Reading::Hold(hold) => match hold.state {
            HoldState::Portioned(held) => held,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn partition(object: &Value) -> &str {
    object["spec"]["updateStrategy"]["partition"].as_str().unwrap()
}

#[test]
fn a_new_template_is_held_by_the_partition_in_its_own_write() {
    let (object, projection) = users(&at_rest("v1"), &at_rest("v2"));
    assert_eq!(projection.verdict, Verdict::Held);
    assert_eq!(projection.warnings, ["held by Rollout db: kubectl sluice status db"]);
    assert_eq!(partition(&object), FENCE);
    let text = object["metadata"]["annotations"][HOLD_ANNOTATION].as_str().unwrap();
    assert_eq!(
        text,
        format!(
            concat!(
                r#"{{"schema":1,"state":"portioned","revision":"{}","stable":"{}","batch":0,"#,
                r#""target":{{"partition":"100%"}},"original":{{"partition":"0%"}}}}"#
            ),
            revision("v2"),
            revision("v1"),
        )
    );
    assert!(projected(&object));
}

#[test]
fn the_users_own_partition_is_kept_for_the_end() {
    let (object, _) = users(&at_rest_from("v1", "33.3%"), &at_rest_from("v2", "33.3%"));
    assert_eq!(hold_of(&object).original, Portion { partition: kept("33.3%") });
    let mut lifted = object.clone();
    lifted["metadata"].as_object_mut().unwrap().remove("annotations");
    let (object, _) = write(&object, &lifted, Writer::Controller);
    assert_eq!(object, at_rest_from("v2", "33.3%"));
}

#[test]
fn an_update_that_reaches_no_pod_is_complete_at_once() {
    let (object, projection) = users(&at_rest_from("v1", FENCE), &at_rest_from("v2", FENCE));
    assert_eq!(projection.verdict, Verdict::Untouched);
    assert_eq!(object, at_rest_from("v2", FENCE));
}

#[test]
fn a_batch_is_the_controllers_partition() {
    let (was, next) = (held("v2", 0, FENCE), held("v2", 1, "80%"));
    let mut new = was.clone();
    new["metadata"]["annotations"] = next["metadata"]["annotations"].clone();
    let (object, projection) = write(&was, &new, Writer::Controller);
    assert_eq!(projection.verdict, Verdict::Written);
    assert_eq!(object, next);
}

#[test]
fn a_re_apply_that_states_a_partition_does_not_move_it() {
    let was = held("v2", 1, "80%");
    let mut new = was.clone();
    new["spec"]["updateStrategy"]["partition"] = json!("30%");
    let (object, projection) = users(&was, &new);
    assert_eq!(partition(&object), "80%");
    assert_eq!(hold_of(&object).original, Portion { partition: kept("30%") });
    assert_eq!(projection.warnings, ["applied when Rollout db is done: partition"]);
}

#[test]
fn scaling_up_in_a_batch_stops_the_partition_in_the_same_write() {
    let was = held("v2", 1, "80%");
    let mut new = was.clone();
    new["spec"]["replicas"] = json!(20);
    let (object, _) = users(&was, &new);
    assert_eq!(partition(&object), FENCE);
    assert_eq!((hold_of(&object).batch, hold_of(&object).target.partition), (1, Kept::ALL));
    new["spec"]["replicas"] = json!(5);
    let (object, _) = users(&was, &new);
    assert_eq!(partition(&object), "80%");
}

#[test]
fn another_version_in_a_release_stops_it_and_keeps_the_stable_one() {
    let was = held("v2", 1, "80%");
    let mut new = was.clone();
    new["spec"]["template"] = template("v3");
    let (object, projection) = users(&was, &new);
    assert_eq!(projection.verdict, Verdict::Held);
    let after = hold_of(&object);
    assert_eq!((after.revision, after.stable, after.batch), (revision("v3"), revision("v1"), 0));
    assert_eq!(partition(&object), FENCE);
}

#[test]
fn the_stable_template_is_a_rollback() {
    let was = held("v2", 1, "80%");
    let mut new = was.clone();
    new["spec"]["template"] = template("v1");
    let (object, _) = users(&was, &new);
    assert!(hold_of(&object).rollback);
    assert_eq!(partition(&object), FENCE);
}

#[test]
fn an_abort_brings_template_and_partition_back_in_one_write() {
    let was = held("v2", 1, "80%");
    let mut bar = Hold::barred(revision("v2"), Bar::Rejected);
    bar.template = Some(template("v1"));
    let mut new = was.clone();
    new["metadata"]["annotations"][HOLD_ANNOTATION] = json!(bar.to_text());
    let (object, _) = write(&was, &new, Writer::Controller);
    assert_eq!(object["spec"], at_rest("v1")["spec"]);
    let mut again = object.clone();
    again["spec"]["template"] = template("v2");
    let (kept, projection) = users(&object, &again);
    assert_eq!(projection.verdict, Verdict::PutBack);
    assert_eq!(kept, object);
}

#[test]
fn the_users_own_limits_and_pause_stay_the_users() {
    let was = held("v2", 1, "80%");
    let mut new = was.clone();
    for (field, value) in [("paused", json!(true)), ("maxUnavailable", json!(1))] {
        new["spec"]["updateStrategy"][field] = value;
    }
    let (object, projection) = users(&was, &new);
    assert_eq!((object, projection.verdict), (new, Verdict::Untouched));
}

#[test]
fn the_hold_of_a_deployment_is_no_hold_of_a_cloneset() {
    let was = at_rest("v1");
    let mut new = was.clone();
    let hold = Fenced::first(revision("v2"), revision("v1"), OWN);
    let text = Hold::fenced(hold).to_text();
    new["metadata"]["annotations"] = json!({ HOLD_ANNOTATION: text });
    let (object, _) = write(&was, &new, Writer::Controller);
    assert_eq!(object["spec"], was["spec"]);
    assert!(matches!(Hold::of(&object), crate::hold::Reading::None));
}
