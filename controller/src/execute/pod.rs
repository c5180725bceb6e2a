//! Takes a pod away that stands in the way of a StatefulSet's own controller.

use super::{ExecuteError, failed};
use crate::cluster::CallError;
use crate::key::Key;
use crate::raw::Kind;
use crate::reconcile::Context;

/// Deletes the pod of this uid. One that is gone is as good.
pub async fn delete(
    context: &Context,
    rollout: &Key,
    key: Key,
    uid: &str,
) -> Result<(), ExecuteError> {
    const WHAT: &str = "delete_pod";
    match context.cluster.delete(Kind::Pod, WHAT, &key, uid).await {
        // A conflict is the uid: that one is gone.
        Ok(()) | Err(CallError::Gone | CallError::Stale(_)) => {}
        Err(error) => return Err(failed(WHAT, Kind::Pod, &key)(error)),
    }
    context.with_world(|world| world.dropped_pod(rollout, &key));
    Ok(())
}
