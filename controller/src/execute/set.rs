//! Writes to ReplicaSets: the fence that must not be on a stable one, and the move back.

use crds::WorkloadKind;
use crds::contract::{CONTROLLER_MANAGER, DESIRED_REPLICAS_ANNOTATION, MAX_REPLICAS_ANNOTATION};
use kube::api::Patch;
use serde_json::{Value, json};

use super::{ExecuteError, failed};
use crate::cluster::{Write, add, test};
use crate::key::Key;
use crate::raw::Kind;
use crate::reconcile::Context;

/// The user's own minReadySeconds.
pub fn repaired(uid: &str, resource_version: &str, min_ready_seconds: i32) -> Patch<Value> {
    Patch::Merge(json!({
        "metadata": { "uid": uid, "resourceVersion": resource_version },
        "spec": { "minReadySeconds": min_ready_seconds },
    }))
}

/// A size, with what the stock controller has to believe that it was computed from. The stock
/// controller's ReplicaSets always carry its annotations.
pub fn resized(uid: &str, was: i32, replicas: i32, desired: i32, max: i32) -> Patch<Value> {
    let annotation =
        |name, number: i32| add(["metadata", "annotations", name], json!(number.to_string()));
    Patch::Json(json_patch::Patch(vec![
        test(["metadata", "uid"], json!(uid)),
        test(["spec", "replicas"], json!(was)),
        annotation(DESIRED_REPLICAS_ANNOTATION, desired),
        annotation(MAX_REPLICAS_ANNOTATION, max),
        add(["spec", "replicas"], json!(replicas)),
    ]))
}

/// Writes one of the two.
pub async fn write(
    context: &Context,
    rollout: &Key,
    key: Key,
    label: &'static str,
    patch: Patch<Value>,
) -> Result<(), ExecuteError> {
    let write = Write {
        kind: Kind::ReplicaSet,
        key: key.clone(),
        status: false,
        patch,
        manager: CONTROLLER_MANAGER,
        label,
    };
    let raw = context.cluster.patch(write).await.map_err(failed(label, Kind::ReplicaSet, &key))?;
    context.with_world(|world| world.wrote_set(rollout, WorkloadKind::Deployment, &raw));
    Ok(())
}
