//! Whatever comes, an answer goes out: no panic, no hang, and a review only for a review.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use webhook::review::ReviewError;
use webhook::service::Route;

use crate::reviews::{CONTROLLER, NoRivals, service};

fn answer(route: Route, bytes: &[u8]) -> Result<Vec<u8>, ReviewError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(service(NoRivals).review(route, bytes))
}

fn routes() -> impl Strategy<Value = Route> {
    prop_oneof![Just(Route::Mutate), Just(Route::Validate)]
}

/// Keys and texts that mean something to somebody here, and others.
fn words() -> impl Strategy<Value = String> {
    let known = [
        "spec",
        "metadata",
        "annotations",
        "labels",
        "template",
        "replicas",
        "strategy",
        "type",
        "rollingUpdate",
        "maxSurge",
        "maxUnavailable",
        "minReadySeconds",
        "paused",
        "name",
        "progressDeadlineSeconds",
        "workloadRef",
        "batches",
        "pause",
        "duration",
        "true",
        "100%",
        "25%",
        "Recreate",
        "RollingUpdate",
        "apps/v1",
        "Deployment",
        "sluice.dev/armed",
        "sluice.dev/rollout",
        "sluice.dev/hold",
        "sluice.dev/request",
        "10m",
        "{\"schema\":1,\"state\":\"barred\",\"revision\":\"a\",\"why\":\"rejected\"}",
        "{\"schema\":9}",
        "{\"id\":\"1\",\"verb\":\"abort\",\"revision\":\"a\"}",
    ];
    prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => any::<String>()]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(words(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// A well-formed armed Deployment or Rollout, in which `noise` replaces one part.
fn noisy_object(deployment: bool, noise: Value, place: usize) -> Value {
    let (mut object, places): (Value, &[&str]) = if deployment {
        let hold = r#"{"schema":1,"state":"barred","revision":"a","why":"rejected"}"#;
        let object = json!({
            "metadata": {
                "labels": {"sluice.dev/armed": "true", "sluice.dev/rollout": "web"},
                "annotations": {"sluice.dev/hold": hold},
            },
            "spec": {
                "replicas": 10,
                "template": {"metadata": {}, "spec": {"containers": []}},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
            },
        });
        (
            object,
            &[
                "/metadata",
                "/metadata/labels",
                "/metadata/annotations",
                "/spec",
                "/spec/replicas",
                "/metadata/annotations/sluice.dev~1hold",
                "/spec/template",
                "/spec/strategy",
                "/spec/strategy/rollingUpdate",
                "/spec/strategy/rollingUpdate/maxSurge",
                "/spec/template/spec",
                "",
            ],
        )
    } else {
        let object = json!({
            "metadata": {"name": "web", "annotations": {"sluice.dev/request": "{}"}},
            "spec": {
                "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "strategy": {"batches": [{"replicas": 1, "pause": {}}, {"replicas": "100%"}]},
            },
        });
        (
            object,
            &[
                "/metadata",
                "/metadata/name",
                "/metadata/annotations",
                "/spec",
                "/spec/workloadRef",
                "/metadata/annotations/sluice.dev~1request",
                "/spec/strategy",
                "/spec/strategy/batches",
                "/spec/strategy/batches/0",
                "/spec/strategy/batches/0/replicas",
                "/status",
                "",
            ],
        )
    };
    match object.pointer_mut(places[place % places.len()]) {
        Some(part) => *part = noise,
        None => object["status"] = noise,
    }
    object
}

fn review(deployment: bool, operation: &str, user: &str, old: &Value, new: &Value) -> Value {
    let kind = if deployment {
        json!({"group": "apps", "version": "v1", "kind": "Deployment"})
    } else {
        json!({"group": "sluice.dev", "version": "v1alpha1", "kind": "Rollout"})
    };
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u", "kind": kind, "operation": operation, "userInfo": {"username": user},
            "namespace": "shop", "name": "web", "object": new, "oldObject": old,
        },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn bytes_never_panic(route in routes(), bytes in vec(any::<u8>(), 0..400)) {
        prop_assert!(answer(route, &bytes).is_err());
    }

    #[test]
    fn json_never_panics(route in routes(), value in values()) {
        prop_assert!(answer(route, value.to_string().as_bytes()).is_err());
    }

    #[test]
    fn a_review_of_anything_is_answered_and_its_patch_applies(
        route in routes(),
        deployment in any::<bool>(),
        operation in proptest::sample::select(vec!["CREATE", "UPDATE", "DELETE", "CONNECT", "NEW"]),
        user in proptest::sample::select(vec!["ann", CONTROLLER]),
        noise in [values(), values()],
        places in any::<[usize; 2]>(),
    ) {
        let [old, new] = noise;
        let old = noisy_object(deployment, old, places[0]);
        let new = noisy_object(deployment, new, places[1]);
        let review = review(deployment, operation, user, &old, &new);
        let bytes = answer(route, review.to_string().as_bytes()).unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        let response = &answer["response"];
        prop_assert_eq!(&response["uid"], "u");
        if route == Route::Mutate {
            prop_assert_eq!(&response["allowed"], true, "{}", response);
        }
        if let Some(patch) = crate::reviews::patch_of(response) {
            let mut patched = new.clone();
            prop_assert!(json_patch::patch(&mut patched, &patch).is_ok(), "{:?} on {}", patch, new);
        }
        for warning in response["warnings"].as_array().into_iter().flatten() {
            let text = warning.as_str().unwrap();
            prop_assert!(text.len() <= 256 && !text.chars().any(char::is_control), "{:?}", text);
        }
    }

    #[test]
    fn a_review_cut_short_is_no_review(cut in any::<prop::sample::Index>()) {
        let whole = crate::reviews::review("u").to_string();
        let bytes = &whole.as_bytes()[..cut.index(whole.len())];
        prop_assert!(answer(Route::Mutate, bytes).is_err());
    }
}

#[test]
fn nesting_deeper_than_any_object_is_let_through_with_a_warning() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let review = review(true, "UPDATE", "ann", &json!({}), &json!("HERE"));
    let bytes = review.to_string().replace("\"HERE\"", &deep);
    let answer = answer(Route::Mutate, bytes.as_bytes()).unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["response"]["allowed"], true);
    assert!(answer["response"]["warnings"][0].as_str().unwrap().contains("could not be read"));
}
