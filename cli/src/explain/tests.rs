//! Every reason has its advice, in the CLI and in the README.

use serde_json::json;

use super::advice::{self, ADVICE};
use super::sentences;

#[test]
fn the_readme_says_the_same_for_every_reason() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    for (reason, does) in ADVICE {
        let row = format!("| `{reason}` | {does} |");
        assert!(readme.contains(&row), "README.md lacks this row: {row}");
    }
}

/// Read from the planner's own match: a reason that is new there is not forgotten here.
#[test]
fn every_reason_of_the_planner_has_its_advice_and_no_other() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../controller/plan/src/waiting.rs");
    let source = std::fs::read_to_string(path).unwrap();
    let body = source.split("fn reason(").nth(1).unwrap().split("fn message(").next().unwrap();
    let reasons: Vec<&str> =
        body.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(reasons.len(), ADVICE.len());
    for reason in reasons {
        assert!(advice::of(reason).is_some(), "no advice for {reason}");
    }
}

#[test]
fn a_rollout_that_no_controller_has_seen() {
    let rollout = serde_json::from_value(json!({
        "apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
        "metadata": { "name": "web", "generation": 1 },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
            "strategy": { "batches": [{ "replicas": "100%" }] },
        },
    }))
    .unwrap();
    let said = sentences(&rollout, None);
    assert_eq!(said[0], "Rollout web has no status: no controller has seen it.");
    assert!(said[1].contains("kubectl -n sluice-system get pods"));
}

#[test]
fn a_paused_rollout_says_how_to_go_on() {
    let rollout = serde_json::from_value(json!({
        "apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
        "metadata": { "name": "web", "generation": 1 },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
            "strategy": { "batches": [{ "replicas": "100%" }] },
        },
        "status": {
            "observedGeneration": 1, "phase": "Paused",
            "waitingFor": {
                "reason": "Promotion", "message": "batch 1 of 2 is ready and waits to be promoted",
                "since": "2026-01-01T00:00:00Z",
            },
        },
    }))
    .unwrap();
    let expected = [
        "Rollout web is Paused: batch 1 of 2 is ready and waits to be promoted.",
        "Go on: kubectl sluice promote web. Go back: kubectl sluice abort web.",
    ];
    assert_eq!(sentences(&rollout, None), expected);
}
