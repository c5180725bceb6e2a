//! What the status says.

use serde_json::{Value, json};

use super::super::member::{Lifecycle, Member};
use super::super::status::{Pass, Status, differs, status};
use super::{ago, members, now, set};

fn of(spec: &Value, members: &[Member]) -> Status {
    let pass = Pass {
        current_revision: "web-old".to_owned(),
        update_revision: "web-new".to_owned(),
        ..Pass::default()
    };
    status(&set(spec), members, pass, now())
}

#[test]
fn zeros_that_the_api_leaves_out_are_left_out() {
    let spec = json!({ "updateStrategy": { "partition": "100%" } });
    let written = serde_json::to_value(of(&spec, &members("OOo"))).unwrap();
    assert_eq!(
        written,
        json!({
            "observedGeneration": 7,
            "replicas": 3,
            "readyReplicas": 2,
            "availableReplicas": 2,
            "updatedReplicas": 0,
            "updatedReadyReplicas": 0,
            "currentRevision": "web-old",
            "updateRevision": "web-new",
            "collisionCount": 0,
            "labelSelector": "app=web",
        })
    );
}

#[test]
fn updated_pods_are_counted_three_times() {
    let mut pods = members("NNNn");
    pods[0].ready_since = Some(ago(5));
    pods[1].lifecycle = Lifecycle::Updating;
    let status = of(&json!({ "minReadySeconds": 10, "replicas": 5 }), &pods);
    let counts = [
        status.updated_replicas,
        status.updated_ready_replicas,
        status.updated_available_replicas,
        status.expected_updated_replicas,
    ];
    assert_eq!(counts, [4, 3, 1, 5]);
}

#[test]
fn a_pod_that_an_update_in_place_keeps_from_requests_is_not_ready() {
    let mut pods = members("NNN");
    pods[0].update_ready = Some(false);
    pods[1].update_ready = None;
    assert_eq!(of(&json!({}), &pods).ready_replicas, 2);
}

#[test]
fn the_current_revision_moves_by_counts_alone() {
    let current = |spec, sketch| of(&spec, &members(sketch)).current_revision;
    assert_eq!(current(json!({}), "nnn"), "web-new");
    assert_eq!(current(json!({}), "nnO"), "web-old");
    assert_eq!(current(json!({}), "NN"), "web-old");
    assert_eq!(current(json!({}), "NNNN"), "web-old");
    assert_eq!(current(json!({ "replicas": 0 }), ""), "web-new");
    // Neither the partition nor a pause matters.
    let held = json!({ "updateStrategy": { "partition": "100%", "paused": true } });
    assert_eq!(current(held, "nnn"), "web-new");
}

#[test]
fn failures_are_said_but_are_no_reason_to_write() {
    let failed = Pass { failures: vec![("FailedScale", "no room".to_owned())], ..Pass::default() };
    let said = status(&set(&json!({})), &members("NNN"), failed, now());
    assert_eq!(said.conditions[0].kind, "FailedScale");
    assert_eq!(said.conditions[0].message, "no room");
    let well = status(&set(&json!({})), &members("NNN"), Pass::default(), now());
    assert!(!differs(&well, &said));
}

#[test]
fn every_count_and_a_later_generation_are_reasons_to_write() {
    let old = of(&json!({}), &members("NNO"));
    assert!(!differs(&old, &old.clone()));
    assert!(differs(&old, &of(&json!({}), &members("NNo"))));
    assert!(differs(&old, &Status { observed_generation: 8, ..old.clone() }));
    assert!(!differs(&old, &Status { observed_generation: 6, ..old.clone() }));
    assert!(differs(&old, &Status { update_revision: "web-x".to_owned(), ..old.clone() }));
}
