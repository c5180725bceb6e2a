//! Takes a pod away: one that stands in the way of the stock controller, or whose turn it is.

use super::{ExecuteError, failed};
use crate::cluster::CallError;
use crate::key::Key;
use crate::raw::Kind;
use crate::reconcile::Context;

/// Deletes the pod of this uid if it is as it was read. One that is gone is as good.
pub async fn delete(
    context: &Context,
    rollout: &Key,
    key: Key,
    uid: &str,
    resource_version: &str,
) -> Result<(), ExecuteError> {
    const WHAT: &str = "delete_pod";
    match context.cluster.delete(Kind::Pod, WHAT, &key, uid, Some(resource_version)).await {
        Ok(()) | Err(CallError::Gone) => {}
        // It has changed, or its name is another's by now: the watch will show which.
        Err(CallError::Stale(_)) => return Ok(()),
        Err(error) => return Err(failed(WHAT, Kind::Pod, &key)(error)),
    }
    context.with_world(|world| world.dropped_pod(rollout, &key));
    Ok(())
}
