//! Reviews of the routes that a release holds.

use json_patch::patch;
use serde_json::{Value, json};
use webhook::service::Route;

use crate::reviews::{CONTROLLER, NoRivals, patch_of, respond, review, service};

/// An armed Ingress whose only path goes to this Service.
fn ingress(service: &str) -> Value {
    let backend = json!({"service": {"name": service, "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "labels": {"sluice.dev/armed": "true", "sluice.dev/rollout": "web"},
        },
        "spec": {"ingressClassName": "nginx", "rules": [{"http": {"paths": paths}}]},
    })
}

fn of_ingress(user: &str, old: &Value, new: &Value) -> Value {
    let mut review = review("u");
    let request = &mut review["request"];
    request["kind"] = json!({"group": "networking.k8s.io", "version": "v1", "kind": "Ingress"});
    request["operation"] = "UPDATE".into();
    request["userInfo"]["username"] = user.into();
    request["object"] = new.clone();
    request["oldObject"] = old.clone();
    review
}

#[tokio::test]
async fn a_held_ingress_keeps_our_service_whoever_applies_it_again() {
    let service = service(NoRivals);
    let shares = json!([{"service": "web", "stable": "web-a", "canary": "web-b", "weight": 20}]);
    let mut live = ingress("web");
    let hold = json!({"schema": 1, "shares": shares}).to_string();
    live["metadata"]["annotations"] = json!({"sluice.dev/hold": hold});
    let written = of_ingress(CONTROLLER, &ingress("web"), &live);
    let response = respond(&service, Route::Mutate, &written).await;
    patch(&mut live, &patch_of(&response).unwrap()).unwrap();
    assert_eq!(live["spec"], ingress("web-a")["spec"]);

    let mut applied = live.clone();
    applied["spec"] = ingress("web")["spec"].clone();
    let response = respond(&service, Route::Mutate, &of_ingress("ann", &live, &applied)).await;
    patch(&mut applied, &patch_of(&response).unwrap()).unwrap();
    assert_eq!(applied, live);
}
