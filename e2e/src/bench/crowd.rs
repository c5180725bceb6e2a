//! Many objects at once, as a benchmark needs them: made side by side, and placed on nodes without
//! a kubelet (`e2e/cluster/kwok.sh`). Knows nothing of what is measured on them.

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::{Value, json};

use crate::app::{App, KWOK_TAINT};
use crate::failure::{Failure, Outcome};
use crate::plan::Plan;

/// Requests in flight.
const AT_ONCE: usize = 8;

/// The manifest of an application whose pods run on such nodes, where there is nothing to scrape.
#[must_use]
pub fn placed(app: &App) -> Value {
    let mut manifest = app.manifest();
    let template = &mut manifest["spec"]["template"];
    template["metadata"]["annotations"] = Value::Null;
    template["spec"]["nodeSelector"] = json!({"type": "kwok"});
    template["spec"]["tolerations"] = json!([{"key": KWOK_TAINT, "operator": "Exists"}]);
    manifest
}

/// The manifest of a Rollout of a workload, of the same name.
#[must_use]
pub fn rollout_of(app: &App, plan: Plan) -> Value {
    let mut rollout = plan.named(&app.name).manifest();
    let (api_version, kind) = (app.kind.api_version(), app.kind.as_str());
    rollout["spec"]["workloadRef"] =
        json!({"apiVersion": api_version, "kind": kind, "name": app.name});
    rollout
}

/// Makes all of them in a namespace.
///
/// # Errors
/// One is refused.
pub async fn create(client: &Client, namespace: &str, manifests: Vec<Value>) -> Outcome {
    let made = stream::iter(manifests).map(|manifest| async move {
        let object: DynamicObject = serde_json::from_value(manifest)
            .map_err(|error| Failure::Wrong(format!("the benchmark's own object: {error}")))?;
        let types = object.types.clone().unwrap_or_default();
        let (group, version) =
            types.api_version.rsplit_once('/').unwrap_or(("", &types.api_version));
        let gvk = GroupVersionKind::gvk(group, version, &types.kind);
        let plural = format!("{}s", types.kind.to_lowercase());
        let resource = ApiResource::from_gvk_with_plural(&gvk, &plural);
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
        let created = api.create(&PostParams::default(), &object).await;
        created.map(drop).map_err(Failure::doing(format!("making a {}", types.kind)))
    });
    made.buffer_unordered(AT_ONCE).try_collect().await
}

/// Sends a Deployment's manifest as `kubectl apply` does, a strategic merge patch.
///
/// # Errors
/// It is refused.
pub async fn apply(api: &Api<Deployment>, name: &str, manifest: Value) -> Outcome {
    let written = api.patch(name, &PatchParams::default(), &Patch::Strategic(manifest)).await;
    written.map(drop).map_err(Failure::doing(format!("releasing {name}")))
}

/// Of ten workloads six are Deployments, two StatefulSets, one is a CloneSet and one a DaemonSet.
#[must_use]
pub fn mixed(number: usize) -> App {
    let app = App { name: format!("web-{number}"), ..App::new(0) };
    match number % 10 {
        0..=5 => app,
        6 | 7 => app.stateful(),
        8 => app.cloneset(),
        _ => app.daemonset("nowhere"),
    }
}
