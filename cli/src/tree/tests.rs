//! What a person sees at each turn of a release.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use serde_json::{Value, json};

use super::{Outcome, Seen};
use crate::paint::Paint;

fn rollout(status: &Value) -> crds::Rollout {
    serde_json::from_value(json!({
        "apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
        "metadata": { "name": "web", "namespace": "shop", "generation": 3 },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
            "strategy": { "batches": [{ "replicas": 1 }, { "replicas": "100%" }] },
        },
        "status": status,
    }))
    .unwrap()
}

fn workload(hold: Option<&Value>) -> Deployment {
    let annotations = hold.map(|hold| json!({ "sluice.dev/hold": hold.to_string() }));
    serde_json::from_value(json!({
        "metadata": { "name": "web", "annotations": annotations },
        "spec": { "selector": {}, "template": template("2", None) },
    }))
    .unwrap()
}

fn template(version: &str, hash: Option<&str>) -> Value {
    let mut labels = json!({ "app": "web" });
    if let Some(hash) = hash {
        labels["pod-template-hash"] = json!(hash);
    }
    json!({
        "metadata": { "labels": labels },
        "spec": { "containers": [{ "name": "app", "image": format!("app:{version}") }] },
    })
}

fn set(name: &str, version: &str, wanted: i32, ready: i32) -> ReplicaSet {
    serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": { "replicas": wanted, "selector": {}, "template": template(version, Some("x")) },
        "status": { "replicas": wanted, "readyReplicas": ready },
    }))
    .unwrap()
}

fn fenced(revision: &str) -> Value {
    json!({
        "schema": 1, "state": "fenced", "revision": revision, "stable": "aaaaaaaaaa", "batch": 1,
        "target": { "paused": false, "maxSurge": 0, "maxUnavailable": "10%" },
        "original": { "progressDeadlineSeconds": 600, "maxSurge": "25%", "maxUnavailable": "25%" },
    })
}

fn barred() -> Value {
    json!({ "schema": 1, "state": "barred", "revision": "bbbbbbbbbb", "why": "rejected" })
}

fn outcome(status: &Value, hold: Option<&Value>) -> Outcome {
    let (rollout, workload) = (rollout(status), workload(hold));
    let now = jiff::Timestamp::UNIX_EPOCH;
    Seen { rollout: &rollout, workload: Some(&workload), sets: &[], now }.outcome()
}

#[test]
fn a_status_of_the_release_before_is_never_the_answer() {
    let ready =
        json!({ "phase": "Ready", "observedGeneration": 3, "stableRevision": "aaaaaaaaaa" });
    assert_eq!(outcome(&ready, None), Outcome::Done);
    assert_eq!(outcome(&ready, Some(&fenced("bbbbbbbbbb"))), Outcome::Running);
}

#[test]
fn a_status_of_an_older_spec_is_not_the_answer() {
    let ready = json!({ "phase": "Ready", "observedGeneration": 2 });
    assert_eq!(outcome(&ready, None), Outcome::Running);
}

#[test]
fn a_failure_counts_only_for_the_revision_that_failed() {
    let failed = json!({
        "phase": "Failed", "observedGeneration": 3, "updateRevision": "bbbbbbbbbb"
    });
    assert_eq!(outcome(&failed, Some(&fenced("bbbbbbbbbb"))), Outcome::Failed);
    assert_eq!(outcome(&failed, Some(&fenced("cccccccccc"))), Outcome::Running);
}

#[test]
fn an_abort_is_over_when_the_status_says_rejected() {
    let aborting = json!({ "phase": "Aborting", "observedGeneration": 3 });
    let rejected = json!({ "phase": "Rejected", "observedGeneration": 3 });
    assert_eq!(outcome(&aborting, Some(&barred())), Outcome::Running);
    assert_eq!(outcome(&rejected, Some(&barred())), Outcome::Failed);
}

#[test]
fn a_request_is_shown_only_under_its_own_release() {
    let shown = |update: &str| {
        let rollout = rollout(&json!({
            "phase": "Progressing", "updateRevision": update, "stableRevision": "bbbbbbbbbb",
            "answer": {
                "id": "1", "verb": "promote", "revision": "bbbbbbbbbb", "granted": true,
                "message": "on to batch 2", "at": "1970-01-01T00:00:00Z",
            },
        }));
        let now = jiff::Timestamp::UNIX_EPOCH;
        let seen = Seen { rollout: &rollout, workload: None, sets: &[], now };
        seen.draw(Paint::plain()).contains("last request")
    };
    assert!(shown("bbbbbbbbbb"));
    assert!(!shown("cccccccccc"));
}

#[test]
fn the_tree_of_a_paused_release() {
    let rollout = rollout(&json!({
        "phase": "Paused", "observedGeneration": 3, "step": "1/2", "updateRevision": "bbbbbbbbbb",
        "waitingFor": {
            "reason": "Promotion",
            "message": "batch 1 of 2 is ready",
            "since": "1970-01-01T00:00:00Z",
        },
    }));
    let workload = workload(Some(&fenced("bbbbbbbbbb")));
    let sets = [set("web-old", "1", 9, 9), set("web-new", "2", 1, 1)];
    let now = jiff::Timestamp::from_second(75).unwrap();
    let seen = Seen { rollout: &rollout, workload: Some(&workload), sets: &sets, now };
    let expected = "\
web  deployment/web  Paused  batch 1/2
├─ update bbbbbbbbbb: 1 of 1 pods ready (web-new)
├─ stable aaaaaaaaaa: 9 of 9 pods ready (web-old)
└─ waiting for Promotion: batch 1 of 2 is ready (75s)";
    assert_eq!(seen.draw(Paint::plain()), expected);
    let line = "web Paused batch 1/2, update bbbbbbbbbb: 1 of 1 pods ready (web-new), stable \
                aaaaaaaaaa: 9 of 9 pods ready (web-old), waiting for Promotion: batch 1 of 2 is \
                ready";
    assert_eq!(seen.line(), line);
}

#[test]
fn before_the_first_pod_the_old_set_is_the_stable_one() {
    let rollout = rollout(&json!({ "phase": "Held", "observedGeneration": 3 }));
    let workload = workload(Some(&fenced("bbbbbbbbbb")));
    let sets = [set("web-old", "1", 10, 10)];
    let now = jiff::Timestamp::UNIX_EPOCH;
    let seen = Seen { rollout: &rollout, workload: Some(&workload), sets: &sets, now };
    assert_eq!(seen.line(), "web Held, stable aaaaaaaaaa: 10 of 10 pods ready (web-old)");
}

fn drawn(status: &Value, workload: &Deployment) -> String {
    let rollout = rollout(status);
    let now = jiff::Timestamp::UNIX_EPOCH;
    Seen { rollout: &rollout, workload: Some(workload), sets: &[], now }.draw(Paint::plain())
}

#[test]
fn whoever_skipped_gates_is_named_after_the_release_too() {
    let status = json!({
        "phase": "Ready", "stableRevision": "bbbbbbbbbb",
        "skipped": [{ "batch": 1, "by": "alice", "at": "2026-11-21T10:00:00Z" },
            { "batch": 2, "at": "2026-11-21T10:00:00Z" }],
    });
    let text = drawn(&status, &workload(None));
    assert!(text.contains("gates of batch 1 skipped by alice\n"), "{text}");
    assert!(text.ends_with("gates of batch 2 skipped by somebody"), "{text}");
}

#[test]
fn requests_are_drawn_with_the_pods() {
    let mut status = json!({
        "phase": "Progressing", "step": "1/2", "updateRevision": "bbbbbbbbbb",
        "routes": [{ "name": "web", "weight": 20, "revision": "bbbbbbbbbb" }],
    });
    let held = workload(Some(&fenced("bbbbbbbbbb")));
    let line = "route web: 20 % of the requests to bbbbbbbbbb; on its way";
    let text = drawn(&status, &held);
    assert!(text.contains(line), "{text}");
    status["routes"][0]["seenAt"] = json!("2026-11-21T10:00:00Z");
    let text = drawn(&status, &held);
    assert!(text.contains("to bbbbbbbbbb; its gateways have it"), "{text}");
    status["routes"][0] = json!({ "name": "web", "weight": 0 });
    let text = drawn(&status, &held);
    assert!(text.contains("route web: back to its own rules"), "{text}");
}
