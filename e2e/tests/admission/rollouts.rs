//! Which writes to a Rollout call the webhook; as in `registration`, a call shows as a refusal.

use crds::Rollout;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::copy::{Copy, said, until};
use crate::workload::key;

/// Labelled so, the namespace's Rollouts are watched over: first they have to be made.
const WATCHED: &str = "sluice.test/watched";

/// The entry of the manifest that is called.
#[derive(Clone, Copy, PartialEq)]
enum Entry {
    Requests,
    Validation,
}

fn rollout(name: &str, request: Option<&str>) -> Rollout {
    let mut object = json!({
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "Rollout",
        "metadata": { "name": name },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": name },
            "strategy": { "batches": [{ "replicas": "100%" }] },
        },
    });
    if let Some(request) = request {
        object["metadata"]["annotations"] = json!({ key("request"): request });
    }
    serde_json::from_value(object).unwrap()
}

/// Keeps one entry, which fails closed, points nowhere and sees one namespace.
fn only(entry: Entry, object: &mut Value, namespace: &str) -> bool {
    let (kind, name) = match entry {
        Entry::Requests => ("MutatingWebhookConfiguration", "requests.sluice.dev"),
        Entry::Validation => ("ValidatingWebhookConfiguration", "rollouts.sluice.dev"),
    };
    if object["kind"] != kind {
        return false;
    }
    keep(object, name);
    let webhook = &mut object["webhooks"][0];
    webhook["name"] = json!(format!("{namespace}.sluice.test"));
    webhook["clientConfig"]["service"]["namespace"] = json!(namespace);
    webhook["failurePolicy"] = json!("Fail");
    let labels = json!({ "kubernetes.io/metadata.name": namespace, WATCHED: "true" });
    webhook["namespaceSelector"] = json!({ "matchLabels": labels });
    true
}

/// Keeps the webhook of this name alone.
pub fn keep(object: &mut Value, name: &str) {
    let webhooks = object["webhooks"].as_array_mut().unwrap();
    webhooks.retain(|webhook| webhook["name"] == name);
    assert_eq!(webhooks.len(), 1, "{name}");
}

async fn calling_nowhere(name: &str, entry: Entry, body: impl AsyncFnOnce(Calls)) {
    let change = |object: &mut Value, namespace: &str| only(entry, object, namespace);
    Copy::with(name, "registration.yaml", change, async |copy| {
        let api = copy.rollouts();
        for rollout in [rollout("plain", None), rollout("asked", Some("1"))] {
            api.create(&PostParams::default(), &rollout).await.unwrap();
        }
        copy.label_namespace(WATCHED).await;
        let calls = Calls { api };
        until("the webhook is called", || calls.create(Some("1"))).await;
        body(calls).await;
    })
    .await;
}

/// Dry runs, and whether each of them called.
struct Calls {
    api: Api<Rollout>,
}

impl Calls {
    async fn create(&self, request: Option<&str>) -> bool {
        let params = PostParams { dry_run: true, ..PostParams::default() };
        called(self.api.create(&params, &rollout("new", request)).await)
    }

    async fn merge(&self, name: &str, body: Value) -> bool {
        let params = PatchParams { dry_run: true, ..PatchParams::default() };
        called(self.api.patch(name, &params, &Patch::Merge(body)).await)
    }

    async fn request(&self, name: &str, request: Value) -> bool {
        self.merge(name, json!({ "metadata": { "annotations": { key("request"): request } } }))
            .await
    }

    async fn status(&self, name: &str) -> bool {
        let params = PatchParams { dry_run: true, ..PatchParams::default() };
        let body = json!({ "status": { "step": "1/1" } });
        called(self.api.patch_status(name, &params, &Patch::Merge(body)).await)
    }

    async fn delete(&self, name: &str) -> bool {
        let params = DeleteParams { dry_run: true, ..DeleteParams::default() };
        called(self.api.delete(name, &params).await)
    }
}

fn called<T>(outcome: Result<T, kube::Error>) -> bool {
    match outcome.map_err(said) {
        Ok(_) => false,
        Err(message) if message.contains("failed calling webhook") => true,
        Err(message) => panic!("{message}"),
    }
}

#[tokio::test]
async fn only_new_requests_are_stamped() {
    calling_nowhere("requests", Entry::Requests, async |calls| {
        assert!(calls.create(Some("1")).await);
        assert!(calls.request("plain", json!("1")).await);
        assert!(calls.request("asked", json!("2")).await);

        assert!(!calls.create(None).await);
        assert!(!calls.request("asked", json!("1")).await);
        assert!(!calls.request("asked", Value::Null).await);
        assert!(!calls.merge("asked", json!({ "spec": { "paused": true } })).await);
        assert!(!calls.status("asked").await);
        assert!(!calls.delete("asked").await);
    })
    .await;
}

#[tokio::test]
async fn only_wishes_are_validated() {
    calling_nowhere("validation", Entry::Validation, async |calls| {
        assert!(calls.create(None).await);
        assert!(calls.merge("plain", json!({ "spec": { "paused": true } })).await);
        assert!(calls.request("plain", json!("1")).await);
        assert!(calls.request("asked", json!("2")).await);
        assert!(calls.delete("plain").await);

        assert!(!calls.request("asked", Value::Null).await);
        assert!(
            !calls.merge("plain", json!({ "metadata": { "labels": { "mine": "yes" } } })).await
        );
        assert!(!calls.merge("plain", json!({ "metadata": { "finalizers": ["a.b/c"] } })).await);
        assert!(!calls.status("plain").await);
    })
    .await;
}
