//! Reviews made by hand, and who answers them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crds::rollout::WorkloadRef;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use webhook::metrics::Metrics;
use webhook::rivals::{Rivals, RivalsError};
use webhook::service::{Route, Service};

/// The user name of the controller in these tests.
pub const CONTROLLER: &str = "system:serviceaccount:sluice-system:sluice-controller";

/// Nobody names any workload.
pub struct NoRivals;

impl Rivals for NoRivals {
    async fn naming(&self, _: &str, _: &WorkloadRef) -> Result<Option<String>, RivalsError> {
        Ok(None)
    }
}

/// A service with these rivals.
pub fn service<R: Rivals>(rivals: R) -> Service<R> {
    Service::new(CONTROLLER.to_owned(), rivals, Metrics::new(&mut Registry::default()))
}

/// A review of something that the webhook has no business with.
pub fn review(uid: &str) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid,
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "operation": "CREATE",
            "userInfo": {"username": "ann"},
            "object": {},
            "oldObject": null,
        },
    })
}

/// A review of a Rollout.
pub fn of_rollout(operation: &str, old: &Value, new: &Value) -> Value {
    let mut review = review("u");
    let request = &mut review["request"];
    request["kind"] = json!({"group": "sluice.dev", "version": "v1alpha1", "kind": "Rollout"});
    request["operation"] = operation.into();
    request["namespace"] = "shop".into();
    request["name"] = "web".into();
    request["object"] = new.clone();
    request["oldObject"] = old.clone();
    review
}

/// The response inside the answer to a review.
pub async fn respond<R: Rivals>(service: &Service<R>, route: Route, review: &Value) -> Value {
    let bytes = service.review(route, review.to_string().as_bytes()).await.unwrap();
    let mut answer: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    assert_eq!(answer["response"]["uid"], review["request"]["uid"]);
    answer["response"].take()
}

/// The patch inside a response.
pub fn patch_of(response: &Value) -> Option<json_patch::Patch> {
    let encoded = response.get("patch")?.as_str().unwrap();
    assert_eq!(response["patchType"], "JSONPatch");
    let bytes = STANDARD.decode(encoded).unwrap();
    Some(serde_json::from_slice(&bytes).unwrap())
}
