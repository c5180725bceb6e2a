//! A StatefulSet: the same rules, on its partition.

use super::*;
use crate::project::projected;
use crate::{HoldState, Partition, Partitioned};

const FENCE: i32 = 2_147_483_647;

/// An armed StatefulSet outside a release: 10 replicas, the user's own partition.
fn at_rest_from(image: &str, partition: i32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {
            "name": "db",
            "labels": { "sluice.dev/armed": "true", "sluice.dev/rollout": "db", "app": "db" },
        },
        "spec": {
            "replicas": 10,
            "serviceName": "db",
            "podManagementPolicy": "OrderedReady",
            "revisionHistoryLimit": 10,
            "selector": { "matchLabels": { "app": "db" } },
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "partition": partition },
            },
            "template": template(image),
        },
        "status": { "replicas": 10 },
    })
}

fn at_rest(image: &str) -> Value {
    at_rest_from(image, 0)
}

/// The same, in a release of `image` over v1, with this partition.
fn held(image: &str, batch: u32, partition: i32) -> Value {
    let held = Partitioned {
        revision: revision(image),
        stable: revision("v1"),
        rollback: false,
        batch,
        target: Partition { partition },
        original: Partition { partition: 0 },
    };
    let mut object = at_rest_from(image, partition);
    let hold = Hold::of_release(HoldState::Partitioned(held));
    object["metadata"]["annotations"] = json!({ HOLD_ANNOTATION: hold.to_text() });
    object
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
fn hold_of(object: &Value) -> Partitioned {
    match Hold::of(object) {
        crate::hold::Reading::Hold(hold) => match hold.state {
            HoldState::Partitioned(held) => held,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn partition(object: &Value) -> i64 {
    object["spec"]["updateStrategy"]["rollingUpdate"]["partition"].as_i64().unwrap()
}

#[test]
fn a_new_template_is_held_by_the_partition_in_its_own_write() {
    let (object, projection) = users(&at_rest("v1"), &at_rest("v2"));
    assert_eq!(projection.verdict, Verdict::Held);
    assert_eq!(projection.warnings, ["held by Rollout db: kubectl sluice status db"]);
    assert_eq!(partition(&object), i64::from(FENCE));
    let text = object["metadata"]["annotations"][HOLD_ANNOTATION].as_str().unwrap();
    assert_eq!(
        text,
        format!(
            concat!(
                r#"{{"schema":1,"state":"partitioned","revision":"{}","stable":"{}","batch":0,"#,
                r#""target":{{"partition":2147483647}},"original":{{"partition":0}}}}"#
            ),
            revision("v2"),
            revision("v1"),
        )
    );
    assert!(projected(&object));
}

#[test]
fn the_users_own_partition_is_kept_for_the_end() {
    let (object, _) = users(&at_rest_from("v1", 4), &at_rest_from("v2", 4));
    assert_eq!(hold_of(&object).original, Partition { partition: 4 });
    let mut lifted = object.clone();
    lifted["metadata"].as_object_mut().unwrap().remove("annotations");
    let (object, _) = write(&object, &lifted, Writer::Controller);
    assert_eq!(object, at_rest_from("v2", 4));
}

#[test]
fn an_update_that_reaches_no_pod_is_complete_at_once() {
    for partition in [10, 12, FENCE] {
        let (object, projection) =
            users(&at_rest_from("v1", partition), &at_rest_from("v2", partition));
        assert_eq!(projection.verdict, Verdict::Untouched, "partition {partition}");
        assert_eq!(object, at_rest_from("v2", partition));
    }
}

#[test]
fn a_batch_is_the_controllers_partition() {
    let (was, next) = (held("v2", 0, FENCE), held("v2", 1, 8));
    let mut new = was.clone();
    new["metadata"]["annotations"] = next["metadata"]["annotations"].clone();
    let (object, projection) = write(&was, &new, Writer::Controller);
    assert_eq!(projection.verdict, Verdict::Written);
    assert_eq!(object, next);
}

#[test]
fn a_re_apply_that_states_a_partition_does_not_move_it() {
    let was = held("v2", 1, 8);
    let mut new = was.clone();
    new["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = json!(3);
    let (object, projection) = users(&was, &new);
    assert_eq!(partition(&object), 8);
    assert_eq!(hold_of(&object).original, Partition { partition: 3 });
    assert_eq!(projection.warnings, ["applied when Rollout db is done: partition"]);
}

#[test]
fn scaling_up_in_a_batch_stops_the_partition_in_the_same_write() {
    let was = held("v2", 1, 8);
    let mut new = was.clone();
    new["spec"]["replicas"] = json!(20);
    let (object, _) = users(&was, &new);
    assert_eq!(partition(&object), i64::from(FENCE));
    assert_eq!((hold_of(&object).batch, hold_of(&object).target.partition), (1, FENCE));
    new["spec"]["replicas"] = json!(5);
    let (object, _) = users(&was, &new);
    assert_eq!(partition(&object), 8);
}

#[test]
fn another_version_in_a_release_stops_it_and_keeps_the_stable_one() {
    let was = held("v2", 1, 8);
    let mut new = was.clone();
    new["spec"]["template"] = template("v3");
    let (object, projection) = users(&was, &new);
    assert_eq!(projection.verdict, Verdict::Held);
    let after = hold_of(&object);
    assert_eq!((after.revision, after.stable, after.batch), (revision("v3"), revision("v1"), 0));
    assert_eq!(partition(&object), i64::from(FENCE));
}

#[test]
fn the_stable_template_is_a_rollback() {
    let was = held("v2", 1, 8);
    let mut new = was.clone();
    new["spec"]["template"] = template("v1");
    let (object, _) = users(&was, &new);
    assert!(hold_of(&object).rollback);
    assert_eq!(partition(&object), i64::from(FENCE));
}

#[test]
fn an_abort_brings_template_and_partition_back_in_one_write() {
    let was = held("v2", 1, 8);
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
fn on_delete_is_left_alone_at_rest_and_not_applied_in_a_release() {
    let on_delete = |image: &str| {
        let mut object = at_rest(image);
        object["spec"]["updateStrategy"] = json!({ "type": "OnDelete" });
        object
    };
    let (object, projection) = users(&on_delete("v1"), &on_delete("v2"));
    assert_eq!((object, projection.verdict), (on_delete("v2"), Verdict::Untouched));
    let was = held("v2", 1, 8);
    let mut new = was.clone();
    new["spec"]["updateStrategy"] = json!({ "type": "OnDelete" });
    let (object, projection) = users(&was, &new);
    assert_eq!(object["spec"], was["spec"]);
    let said = "strategy OnDelete was not applied: apply it again when Rollout db is done";
    assert_eq!(projection.warnings, [said]);
}

#[test]
fn the_hold_of_a_deployment_is_no_hold_of_a_statefulset() {
    let was = at_rest("v1");
    let mut new = was.clone();
    let hold = Fenced::first(revision("v2"), revision("v1"), OWN);
    let text = Hold::fenced(hold).to_text();
    new["metadata"]["annotations"] = json!({ HOLD_ANNOTATION: text });
    let (object, _) = write(&was, &new, Writer::Controller);
    assert_eq!(object["spec"], was["spec"]);
    assert!(matches!(Hold::of(&object), crate::hold::Reading::None));
}
