//! How a pod is made and read.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::super::lifecycle;
use super::super::member::{Lifecycle, Member, Phase, is_active, short};
use super::super::pod::{id, pod};
use super::{NEW, ago, now, set, template};

fn made() -> Value {
    let mut template = template("app:1");
    template["spec"]["unheardOf"] = json!({ "a": [1] });
    pod(&set(&json!({})), "web-new", &template, "abcde", now())
}

#[test]
fn a_pod_has_the_names_that_everybody_looks_for() {
    let pod = made();
    assert_eq!(pod["metadata"]["name"], "web-abcde");
    let labels = json!({
        "app": "web",
        "apps.kruise.io/cloneset-instance-id": "abcde",
        "controller-revision-hash": "web-new",
        "pod-template-hash": "new",
        "lifecycle.apps.kruise.io/state": "PreparingNormal",
    });
    assert_eq!(pod["metadata"]["labels"], labels);
    let annotations = &pod["metadata"]["annotations"];
    assert_eq!(annotations["note"], "a");
    assert_eq!(annotations["lifecycle.apps.kruise.io/timestamp"], "2026-01-02T03:04:05Z");
    let owner = json!({
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "name": "web",
        "uid": "u-1",
        "controller": true,
        "blockOwnerDeletion": true,
    });
    assert_eq!(pod["metadata"]["ownerReferences"], json!([owner]));
}

#[test]
fn a_pod_has_its_templates_spec_and_the_gate() {
    let spec = &made()["spec"];
    assert_eq!(spec["unheardOf"], json!({ "a": [1] }));
    assert_eq!(spec["readinessGates"], json!([{ "conditionType": "InPlaceUpdateReady" }]));
    let mut gated = template("app:1");
    gated["spec"]["readinessGates"] = spec["readinessGates"].clone();
    let again = pod(&set(&json!({})), "web-new", &gated, "abcde", now());
    assert_eq!(again["spec"]["readinessGates"], spec["readinessGates"]);
}

#[test]
fn ids_are_short_and_differ() {
    assert_eq!(id(0), "bbbbb");
    assert_eq!(id(1), "cbbbb");
    assert_eq!(id(u64::MAX).len(), 5);
}

#[test]
fn revisions_are_compared_by_their_end() {
    assert_eq!([short("web-a-new"), short(NEW)], [NEW, NEW]);
}

fn live(change: impl FnOnce(&mut Value)) -> Pod {
    let mut pod = made();
    pod["spec"]["nodeName"] = json!("node");
    pod["metadata"]["creationTimestamp"] = json!(ago(9));
    let ready = json!({ "type": "Ready", "status": "True", "lastTransitionTime": ago(5) });
    pod["status"] = json!({ "phase": "Running", "conditions": [ready] });
    change(&mut pod);
    serde_json::from_value(pod).unwrap()
}

fn read(change: impl FnOnce(&mut Value)) -> Member {
    Member::read(&live(change), &["web-named".to_owned()])
}

#[test]
fn a_pod_is_read_as_it_is() {
    let member = read(|_| {});
    assert_eq!((member.revision.as_str(), member.phase), (NEW, Phase::Running));
    assert_eq!((member.ready_since, member.created), (Some(ago(5)), Some(ago(9))));
    assert_eq!(member.lifecycle, Lifecycle::PreparingNormal);
    assert!(member.is_ready() && !member.is_available(0, now()) && !member.doomed);
}

#[test]
fn a_label_or_a_name_dooms_a_pod() {
    let label = "apps.kruise.io/specified-delete";
    assert!(read(|pod| pod["metadata"]["labels"][label] = json!("")).doomed);
    assert!(read(|pod| pod["metadata"]["name"] = json!("web-named")).doomed);
}

#[test]
fn a_cost_is_a_plain_number_or_none() {
    let cost = |text: &str| {
        read(|pod| {
            pod["metadata"]["annotations"]["controller.kubernetes.io/pod-deletion-cost"] =
                json!(text);
        })
        .deletion_cost
    };
    assert_eq!([cost("-3"), cost("12"), cost("0")], [-3, 12, 0]);
    assert_eq!([cost("+3"), cost("012"), cost("much")], [0, 0, 0]);
}

#[test]
fn availability_needs_a_settled_life_and_time() {
    let settled = read(|pod| {
        pod["metadata"]["labels"]["lifecycle.apps.kruise.io/state"] = json!("Normal");
    });
    assert!(settled.is_available(0, now()) && settled.is_available(4, now()));
    assert!(!settled.is_available(5, now()));
}

#[test]
fn pods_that_are_over_or_going_do_not_count() {
    assert!(is_active(&live(|_| {})));
    for phase in ["Succeeded", "Failed"] {
        assert!(!is_active(&live(|pod| pod["status"]["phase"] = json!(phase))));
    }
    assert!(!is_active(&live(|pod| pod["metadata"]["deletionTimestamp"] = json!(now()))));
}

#[test]
fn a_life_becomes_normal_by_itself() {
    let state = "lifecycle.apps.kruise.io/state";
    let next = |change: &dyn Fn(&mut Value)| {
        let pod = live(change);
        lifecycle::next(&pod, &Member::read(&pod, &[]), NEW, now()).is_some()
    };
    assert!(next(&|_| {}));
    assert!(!next(&|pod| pod["spec"]["nodeName"] = Value::Null));
    assert!(!next(&|pod| pod["metadata"]["labels"][state] = json!("Normal")));
    assert!(next(&|pod| pod["metadata"]["labels"][state] = json!("Updating")));
}
