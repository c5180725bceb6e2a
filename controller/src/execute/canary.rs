//! Canary Ingresses of ours beside the user's. What one has to look like is made in `crds` of the
//! user's live one; this file brings it there.

use crds::RouteRef;
use crds::contract::CONTROLLER_MANAGER;
use crds::route::ingress::{Canary, canary, corrected};
use kube::api::Patch;
use plan::observed::RolloutFacts;
use serde_json::{Value, json};

use super::service::owner;
use super::{ExecuteError, failed};
use crate::cluster::{CallError, Write, test};
use crate::key::Key;
use crate::raw::{Kind, Raw, RouteKind};
use crate::reconcile::Context;

/// Makes the canary Ingress that the route asks for, or makes it so again.
pub async fn write(
    context: &Context,
    rollout: &RolloutFacts,
    route: &RouteRef,
    uid: &str,
    name: &str,
) -> Result<(), ExecuteError> {
    const WHAT: &str = "write_canary";
    // No plan writes beside a route whose kind nobody knows.
    let Some(kind) = RouteKind::of(route) else { return Ok(()) };
    let user = Key::new(&rollout.namespace, &route.name);
    let of_user = |error| failed(WHAT, Kind::Route(kind), &user)(error);
    let live = context.cluster.get(Kind::Route(kind), &user).await.map_err(of_user)?;
    let rollout_key = Key::new(&rollout.namespace, &rollout.name);
    context.with_world(|world| world.wrote_route(&rollout_key, kind, &live));
    let is_asked = |wanted: &Value| live.uid() == uid && wanted["metadata"]["name"] == name;
    let Some(wanted) = canary(live.value()).filter(is_asked) else {
        return Err(of_user(CallError::Stale(None)));
    };
    let key = Key::new(&rollout.namespace, name);
    let written = bring(context, rollout, Kind::Route(kind), &key, wanted).await;
    let raw = written.map_err(failed(WHAT, Kind::Route(kind), &key))?;
    context.with_world(|world| world.wrote_route(&rollout_key, kind, &raw));
    Ok(())
}

/// Deletes the canary Ingress of this uid. One that is gone is as good.
pub async fn delete(
    context: &Context,
    rollout: &Key,
    route: &RouteRef,
    name: &str,
    uid: &str,
) -> Result<(), ExecuteError> {
    const WHAT: &str = "delete_canary";
    let Some(kind) = RouteKind::of(route) else { return Ok(()) };
    let key = Key::new(&rollout.namespace, name);
    match context.cluster.delete(Kind::Route(kind), WHAT, &key, uid, None).await {
        // A conflict is the uid: that one is gone.
        Ok(()) | Err(CallError::Gone | CallError::Stale(_)) => {}
        Err(error) => return Err(failed(WHAT, Kind::Route(kind), &key)(error)),
    }
    context.with_world(|world| world.lost_route(rollout, kind, &key));
    Ok(())
}

/// Creates it, or corrects one of ours that is there; the result.
async fn bring(
    context: &Context,
    rollout: &RolloutFacts,
    kind: Kind,
    key: &Key,
    wanted: Value,
) -> Result<Raw, CallError> {
    let mut object = wanted.clone();
    object["metadata"]["ownerReferences"] = json!([owner(rollout)]);
    let conflict = match context.cluster.create(kind, "create_canary", object).await {
        Err(CallError::Stale(conflict)) => conflict,
        done => return done,
    };
    let there = context.cluster.get(kind, key).await?;
    if Canary::of(there.value()) != Canary::of(&wanted) {
        // Somebody else has that name.
        return Err(CallError::Stale(conflict));
    }
    let mut patch = json_patch::diff(there.value(), &corrected(there.value(), &wanted)).0;
    if patch.is_empty() {
        return Ok(there);
    }
    patch.insert(0, test(["metadata", "uid"], json!(there.uid())));
    let write = Write {
        kind,
        key: key.clone(),
        status: false,
        patch: Patch::Json(json_patch::Patch(patch)),
        manager: CONTROLLER_MANAGER,
        label: "correct_canary",
    };
    context.cluster.patch(write).await
}

#[cfg(test)]
mod tests;
