//! Services of ours beside the user's: the same ports, the pods of one revision.

use crds::contract::{
    CONTROLLER_REVISION_LABEL, GROUP, POD_TEMPLATE_HASH_LABEL, REVISION_LABEL, ROLLOUT_LABEL,
    SERVICE_LABEL, VERSION,
};
use crds::{Revision, WorkloadKind};
use plan::observed::RolloutFacts;
use serde_json::{Map, Value, json};

use super::{ExecuteError, failed};
use crate::cluster::CallError;
use crate::key::Key;
use crate::raw::{Kind, Raw};
use crate::reconcile::Context;

/// What of the user's Service its pods are served by: names of fields of `ServiceSpec`.
const KEPT: [&str; 7] = [
    "ipFamilies",
    "ipFamilyPolicy",
    "internalTrafficPolicy",
    "publishNotReadyAddresses",
    "sessionAffinity",
    "sessionAffinityConfig",
    "trafficDistribution",
];

/// Whose pods a Service is to have.
pub struct Pods<'a> {
    pub kind: WorkloadKind,
    pub revision: &'a Revision,
    /// What the stock controller labels them with.
    pub hash: &'a str,
}

/// Makes a Service. One of ours that is there already is as good.
pub async fn create(
    context: &Context,
    rollout: &RolloutFacts,
    key: &Key,
    user: &Key,
    pods: &Pods<'_>,
) -> Result<(), ExecuteError> {
    const WHAT: &str = "create_service";
    let failed = |key| failed(WHAT, Kind::Service, key);
    let own = context.cluster.get(Kind::Service, user).await.map_err(failed(user))?;
    let object =
        service(rollout, key, &own, pods).ok_or_else(|| ExecuteError::Unselecting(user.clone()))?;
    let raw = match context.cluster.create(Kind::Service, WHAT, object).await {
        Ok(raw) => raw,
        Err(CallError::Stale(conflict)) => {
            let raw = context.cluster.get(Kind::Service, key).await.map_err(failed(key))?;
            if raw.label(ROLLOUT_LABEL) != Some(&rollout.name) {
                // Somebody else has that name.
                return Err(failed(key)(CallError::Stale(conflict)));
            }
            raw
        }
        Err(error) => return Err(failed(key)(error)),
    };
    let rollout = Key::new(&rollout.namespace, &rollout.name);
    context.with_world(|world| world.wrote_service(&rollout, &raw));
    Ok(())
}

/// Deletes the Service of this uid. One that is gone is as good.
pub async fn delete(
    context: &Context,
    rollout: &Key,
    key: &Key,
    uid: &str,
) -> Result<(), ExecuteError> {
    const WHAT: &str = "delete_service";
    match context.cluster.delete(Kind::Service, WHAT, key, uid, None).await {
        // A conflict is the uid: that one is gone.
        Ok(()) | Err(CallError::Gone | CallError::Stale(_)) => {}
        Err(error) => return Err(failed(WHAT, Kind::Service, key)(error)),
    }
    context.with_world(|world| world.lost_service(rollout, key));
    Ok(())
}

/// None if the user's selects no pods by itself. Without the user's labels and annotations: those
/// belong to their tools, which would take ours for a stray of theirs.
fn service(rollout: &RolloutFacts, key: &Key, user: &Raw, pods: &Pods<'_>) -> Option<Value> {
    let own = &user.value()["spec"];
    let mut selector = own["selector"].as_object().filter(|all| !all.is_empty())?.clone();
    let label = match pods.kind {
        WorkloadKind::Deployment => POD_TEMPLATE_HASH_LABEL,
        WorkloadKind::StatefulSet | WorkloadKind::CloneSet | WorkloadKind::DaemonSet => {
            CONTROLLER_REVISION_LABEL
        }
    };
    selector.insert(label.to_owned(), json!(pods.hash));
    let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), own.get(*name)?.clone())));
    let mut spec = Map::from_iter(kept);
    spec.insert("selector".to_owned(), Value::Object(selector));
    spec.insert(
        "ports".to_owned(),
        Value::Array(own["ports"].as_array()?.iter().map(port).collect()),
    );
    if own["clusterIP"] == "None" {
        spec.insert("clusterIP".to_owned(), json!("None"));
    }
    let labels = json!({
        ROLLOUT_LABEL: rollout.name,
        SERVICE_LABEL: user.key().name,
        REVISION_LABEL: pods.revision.to_string(),
    });
    Some(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": labels,
            "ownerReferences": [owner(rollout)],
        },
        "spec": spec,
    }))
}

/// What goes with its Rollout, and keeps nobody's deletion waiting.
pub fn owner(rollout: &RolloutFacts) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": "Rollout",
        "name": rollout.name,
        "uid": rollout.uid,
        "controller": true,
        "blockOwnerDeletion": false,
    })
}

/// A node's port is the user's own.
fn port(port: &Value) -> Value {
    let mut port = port.clone();
    if let Some(port) = port.as_object_mut() {
        port.remove("nodePort");
    }
    port
}
