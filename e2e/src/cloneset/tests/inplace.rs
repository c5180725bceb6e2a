//! Updates in place.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::super::inplace::{Refresh, begin, change, close, is_over, refresh};
use super::{ago, now, template};

const RUNNING: &str = "docker.io/library/app:1";

/// A pod of this revision, with these annotations, whose container runs this image.
fn pod(annotations: &Value, image_id: &str, image: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {
            "name": "web-abcde",
            "labels": { "controller-revision-hash": "web-new" },
            "annotations": annotations,
        },
        "spec": {
            "containers": [{ "name": "web", "image": "docker.io/library/app:2" }],
            "readinessGates": [{ "conditionType": "InPlaceUpdateReady" }],
        },
        "status": {
            "conditions": [{ "type": "ContainersReady", "status": "True" }],
            "containerStatuses": [{
                "name": "web", "image": image, "imageID": image_id,
                "ready": true, "restartCount": 0,
            }],
        },
    }))
    .unwrap()
}

fn annotation(patch: &Value, name: &str) -> Value {
    let text = patch["metadata"]["annotations"][format!("apps.kruise.io/{name}")].as_str();
    text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

#[test]
fn only_images_and_metadata_change_in_place() {
    let old = template("app:1");
    let possible = |new: &Value| change(&old, new, "web-new", 0).is_some();
    assert!(possible(&template("app:2")));
    let with = |path: &str, value: Value| {
        let mut new = template("app:2");
        *new.pointer_mut(path).unwrap() = value;
        new
    };
    assert!(possible(&with("/metadata/labels", json!({ "app": "web", "tier": "front" }))));
    assert!(!possible(&with("/spec/containers/0/name", json!("other"))));
    assert!(!possible(&with("/spec", json!({ "containers": [] }))));
    let mut environment = template("app:2");
    environment["spec"]["containers"][0]["env"] = json!([{ "name": "A", "value": "b" }]);
    assert!(!possible(&environment));
    let mut field = template("app:2");
    field["spec"]["hostNetwork"] = json!(true);
    assert!(!possible(&field));
}

#[test]
fn the_label_comes_with_the_image() {
    let mut new = template("app:2");
    new["metadata"]["labels"]["tier"] = json!("front");
    new["metadata"]["annotations"] = json!({});
    let change = change(&template("app:1"), &new, "web-new", 0).unwrap();
    let patch = begin(&pod(&json!({}), "sha:1", RUNNING), &change, now());
    let labels = json!({
        "tier": "front",
        "controller-revision-hash": "web-new",
        "pod-template-hash": "new",
        "lifecycle.apps.kruise.io/state": "Updating",
    });
    assert_eq!(patch["metadata"]["labels"], labels);
    assert_eq!(patch["metadata"]["annotations"]["note"], Value::Null);
    assert_eq!(patch["spec"]["containers"], json!([{ "name": "web", "image": "app:2" }]));
    let state = annotation(&patch, "inplace-update-state");
    assert_eq!(state["revision"], "web-new");
    assert_eq!(state["lastContainerStatuses"], json!({ "web": { "imageID": "sha:1" } }));
}

#[test]
fn the_pod_gets_no_requests_before() {
    let closed = close(&pod(&json!({}), "sha:1", RUNNING), now());
    let said: Vec<_> = closed["status"]["conditions"].as_array().unwrap().iter().collect();
    assert_eq!(said[0]["type"], "InPlaceUpdateReady");
    assert_eq!(said[1]["type"], "Ready");
    assert!(said.iter().all(|condition| condition["status"] == "False"));
}

#[test]
fn it_is_over_when_another_image_runs_or_the_very_one() {
    let state = json!({
        "revision": "web-new",
        "updateTimestamp": now(),
        "lastContainerStatuses": { "web": { "imageID": "sha:1" } },
    });
    let annotations = json!({ "apps.kruise.io/inplace-update-state": state.to_string() });
    let over = |id, image| is_over(&pod(&annotations, id, image));
    assert!(!over("sha:1", RUNNING));
    assert!(over("sha:2", RUNNING));
    assert!(over("sha:1", "docker.io/library/app:2"));
    assert!(is_over(&pod(&json!({}), "sha:1", RUNNING)));
    let refreshed = |id| refresh(&pod(&annotations, id, RUNNING), now());
    assert_eq!(refreshed("sha:1"), Refresh::Nothing);
    assert_eq!(refreshed("sha:2"), Refresh::Open);
}

#[test]
fn the_gate_opens_once() {
    let mut pod = pod(&json!({}), "sha:1", RUNNING);
    assert_eq!(refresh(&pod, now()), Refresh::Open);
    let mut open = |condition: Value| {
        pod.status.as_mut().unwrap().conditions = serde_json::from_value(json!([condition])).ok();
        refresh(&pod, now()) == Refresh::Nothing
    };
    assert!(open(json!({ "type": "InPlaceUpdateReady", "status": "True" })));
    let reason = "StartInPlaceUpdate";
    assert!(!open(json!({ "type": "InPlaceUpdateReady", "status": "True", "reason": reason })));
}

#[test]
fn a_grace_period_holds_the_image_back() {
    let change = change(&template("app:1"), &template("app:2"), "web-new", 10).unwrap();
    let begun = |seconds| {
        let patch = begin(&pod(&json!({}), "sha:1", RUNNING), &change, ago(seconds));
        assert!(patch.get("spec").is_none());
        assert_eq!(patch["metadata"]["labels"]["pod-template-hash"], "new");
        pod(&patch["metadata"]["annotations"], "sha:1", RUNNING)
    };
    assert!(matches!(refresh(&begun(4), now()), Refresh::Wait(left) if left.as_secs() == 6));
    let Refresh::Patch(patch) = refresh(&begun(10), now()) else { panic!("it is over") };
    assert_eq!(patch["spec"]["containers"][0]["image"], "app:2");
    assert_eq!(
        patch["metadata"]["annotations"]["apps.kruise.io/inplace-update-grace"],
        Value::Null
    );
    // Another revision meanwhile: the grace means nothing any more.
    let mut other = begun(10);
    let labels = other.metadata.labels.as_mut().unwrap();
    labels.insert("controller-revision-hash".to_owned(), "web-other".to_owned());
    let Refresh::Patch(patch) = refresh(&other, now()) else { panic!("it is dropped") };
    assert!(patch.get("spec").is_none());
}
