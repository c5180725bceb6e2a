//! Our finalizer on the Rollout.

use crds::contract::{CONTROLLER_MANAGER, FINALIZER};
use kube::api::Patch;
use serde_json::json;

use super::{ExecuteError, failed};
use crate::cluster::{CallError, Write};
use crate::key::Key;
use crate::raw::Kind;
use crate::reconcile::Context;

/// Puts the finalizer on, or takes it off.
pub async fn finalizer(context: &Context, key: &Key, wanted: bool) -> Result<(), ExecuteError> {
    const WHAT: &str = "finalizer";
    let seen = context.with_world(|world| {
        let (seen, version) = world.rollout(key)?;
        let finalizers = seen.as_ref().ok()?.finalizers.clone();
        Some((finalizers, version.to_owned()))
    });
    let Some((mut finalizers, version)) = seen else {
        return Err(failed(WHAT, Kind::Rollout, key)(CallError::Gone));
    };
    finalizers.retain(|finalizer| finalizer != FINALIZER);
    if wanted {
        finalizers.push(FINALIZER.to_owned());
    }
    // A merge patch replaces the list as a whole; the version says that it is still the same list.
    let metadata = json!({ "resourceVersion": version, "finalizers": finalizers });
    let write = Write {
        kind: Kind::Rollout,
        key: key.clone(),
        status: false,
        patch: Patch::Merge(json!({ "metadata": metadata })),
        manager: CONTROLLER_MANAGER,
        label: WHAT,
    };
    let raw = context.cluster.patch(write).await.map_err(failed(WHAT, Kind::Rollout, key))?;
    context.with_world(|world| world.wrote_rollout(&raw));
    Ok(())
}
