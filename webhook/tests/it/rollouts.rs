//! Reviews of Rollouts: the stamp on requests, and what is refused.

use crds::rollout::WorkloadRef;
use serde_json::{Value, json};
use webhook::rivals::{Rivals, RivalsError};
use webhook::service::Route;

use crate::reviews::{NoRivals, of_rollout, patch_of, respond, service};

fn rollout(annotations: &Value) -> Value {
    json!({
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "web", "namespace": "shop", "annotations": annotations},
        "spec": {
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "strategy": {"batches": [{"replicas": 1}, {"replicas": "100%"}]},
        },
    })
}

#[tokio::test]
async fn a_request_is_stamped_with_the_name_of_the_asker() {
    let service = service(NoRivals);
    let request = r#"{"id":"1","verb":"abort","revision":"a","by":"somebody else"}"#;
    let new = rollout(&json!({"sluice.dev/request": request}));
    for (operation, old) in [("CREATE", Value::Null), ("UPDATE", rollout(&json!({})))] {
        let review = of_rollout(operation, &old, &new);
        let response = respond(&service, Route::Mutate, &review).await;
        let mut stamped = new.clone();
        json_patch::patch(&mut stamped, &patch_of(&response).unwrap()).unwrap();
        let text = stamped["metadata"]["annotations"]["sluice.dev/request"].as_str().unwrap();
        let stamped: crds::Request = serde_json::from_str(text).unwrap();
        assert_eq!(stamped.by.as_deref(), Some("ann"), "{operation}");
    }
}

#[tokio::test]
async fn what_brings_no_new_request_is_untouched() {
    let service = service(NoRivals);
    let asked = rollout(&json!({"sluice.dev/request": r#"{"id":"1","by":"bob"}"#}));
    for (operation, old, new) in [
        ("UPDATE", &asked, &asked),
        ("UPDATE", &asked, &rollout(&json!({}))),
        ("DELETE", &asked, &Value::Null),
    ] {
        let response = respond(&service, Route::Mutate, &of_rollout(operation, old, new)).await;
        assert_eq!(patch_of(&response), None, "{operation}");
        assert_eq!(response["allowed"], true, "{operation}");
    }
}

/// Answers, or cannot.
struct Known(Result<Option<String>, fn() -> RivalsError>);

impl Rivals for Known {
    async fn naming(
        &self,
        namespace: &str,
        workload: &WorkloadRef,
    ) -> Result<Option<String>, RivalsError> {
        assert_eq!((namespace, workload.name.as_str()), ("shop", "web"));
        self.0.clone().map_err(|error| error())
    }
}

#[tokio::test]
async fn a_second_rollout_of_a_workload_is_refused_naming_the_first() {
    let service = service(Known(Ok(Some("first".to_owned()))));
    let review = of_rollout("CREATE", &Value::Null, &rollout(&json!({})));
    let response = respond(&service, Route::Validate, &review).await;
    assert_eq!(response["allowed"], false);
    let status = &response["status"];
    assert_eq!((&status["code"], &status["reason"]), (&json!(422), &json!("Invalid")));
    assert_eq!(status["details"]["causes"][0]["field"], "spec.workloadRef");
    let message = status["details"]["causes"][0]["message"].as_str().unwrap();
    assert!(message.contains("Rollout first names Deployment web"), "{message}");
    assert!(status["message"].as_str().unwrap().contains(message));
    // What is there may be changed, or it could never be put right.
    let review = of_rollout("UPDATE", &rollout(&json!({})), &rollout(&json!({})));
    assert_eq!(respond(&service, Route::Validate, &review).await["allowed"], true);
}

#[tokio::test]
async fn a_rollout_that_cannot_be_compared_is_let_in_with_a_warning() {
    let service = service(Known(Err(|| RivalsError::Timeout)));
    let review = of_rollout("CREATE", &Value::Null, &rollout(&json!({})));
    let response = respond(&service, Route::Validate, &review).await;
    assert_eq!(response["allowed"], true);
    assert!(response["warnings"][0].as_str().unwrap().contains("was not checked"));
}

#[tokio::test]
async fn a_deletion_in_a_release_is_warned_of() {
    let service = service(NoRivals);
    for (phase, warned) in [("Progressing", true), ("Paused", true), ("Ready", false)] {
        let mut old = rollout(&json!({}));
        old["status"] = json!({"phase": phase, "somethingNewer": 1});
        let review = of_rollout("DELETE", &old, &Value::Null);
        let response = respond(&service, Route::Validate, &review).await;
        assert_eq!(response["allowed"], true);
        assert_eq!(response.get("warnings").is_some(), warned, "{phase}");
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once() {
    let service = service(NoRivals);
    let mut new = rollout(&json!({}));
    new["spec"]["strategy"]["batches"] = json!([{"replicas": "50%"}, {"replicas": "20%"}]);
    new["spec"]["surprise"] = json!(1);
    new["spec"]["workloadRef"]["name"] = json!("api");
    for (operation, old, most) in [("CREATE", Value::Null, 2), ("UPDATE", rollout(&json!({})), 3)] {
        let review = of_rollout(operation, &old, &new);
        let response = respond(&service, Route::Validate, &review).await;
        assert_eq!(response["allowed"], false);
        let causes = response["status"]["details"]["causes"].as_array().unwrap();
        assert!(causes.len() >= most, "{operation}: {causes:?}");
        let fields: Vec<_> = causes.iter().map(|cause| cause["field"].as_str().unwrap()).collect();
        assert!(fields.contains(&"spec.surprise"), "{fields:?}");
        assert_eq!(fields.contains(&"spec.workloadRef"), operation == "UPDATE", "{fields:?}");
    }
}
