//! The way back while no webhook answers: the controller writes the projected fields itself, under
//! a field manager of its own, and takes that manager's ownership away again, so that no
//! server-side apply of the user's ever conflicts with it.

use crds::contract::{CONTROLLER_MANAGER, HOLD_ANNOTATION, RETREAT_MANAGER};
use crds::project::{Writer, project};
use json_patch::PatchOperation;
use kube::Resource;
use kube::api::Patch;
use plan::WriteHold;
use serde_json::{Value, json};

use super::workload::{projected, write};
use super::{ExecuteError, failed};
use crate::cluster::{CallError, remove, test};
use crate::key::{Key, Target};
use crate::raw::{Kind, Raw};
use crate::reconcile::Context;

/// Writes hold and fields at once, as the webhook would have.
pub async fn retreat(
    context: &Context,
    rollout: &Key,
    target: &Target,
    wanted: &WriteHold,
    text: Option<&str>,
) -> Result<(), ExecuteError> {
    let (kind, key) = (Kind::Workload(target.kind), &target.key);
    let live = context.cluster.get(kind, key).await.map_err(failed("retreat", kind, key))?;
    let patch = retreat_patch(&live, wanted, text)
        .ok_or_else(|| failed("retreat", kind, key)(CallError::Stale(None)))?;
    let patch = Patch::Json(json_patch::Patch(patch));
    let raw = write(context, rollout, target, "retreat", patch, RETREAT_MANAGER).await?;
    projected(&raw, target)?;
    tidy(context, rollout, target).await
}

/// Takes the ownership of an earlier retreat away, if any is left.
pub async fn tidy(context: &Context, rollout: &Key, target: &Target) -> Result<(), ExecuteError> {
    let (kind, key) = (Kind::Workload(target.kind), &target.key);
    let live = context.cluster.get(kind, key).await.map_err(failed("tidy", kind, key))?;
    let patch = tidy_patch(&live);
    if patch.is_empty() {
        context.with_world(|world| world.wrote_workload(rollout, target.kind, &live));
        return Ok(());
    }
    let patch = Patch::Json(json_patch::Patch(patch));
    write(context, rollout, target, "tidy", patch, CONTROLLER_MANAGER).await.map(|_| ())
}

/// All of the write; none if the object is not what the plan was made on.
fn retreat_patch(
    live: &Raw,
    wanted: &WriteHold,
    text: Option<&str>,
) -> Option<Vec<PatchOperation>> {
    let found = live.annotation(HOLD_ANNOTATION);
    // The write before this one may have passed without the webhook.
    if live.uid() != wanted.uid || (found != wanted.was.as_deref() && found != text) {
        return None;
    }
    let old = with_hold(live.value(), wanted.was.as_deref());
    let new = with_hold(live.value(), text);
    let projection = project(&old, &new, Writer::Controller);
    let mut whole = new;
    json_patch::patch(&mut whole, &projection.patch).ok()?;
    let mut patch = vec![
        test(["metadata", "uid"], json!(wanted.uid)),
        test(["metadata", "generation"], json!(live.meta().generation)),
        test(["metadata", "annotations", HOLD_ANNOTATION], json!(found)),
    ];
    patch.extend(json_patch::diff(live.value(), &whole).0);
    Some(patch)
}

fn with_hold(object: &Value, text: Option<&str>) -> Value {
    let mut object = object.clone();
    if let Some(annotations) = object
        .pointer_mut("/metadata")
        .and_then(Value::as_object_mut)
        .map(|metadata| metadata.entry("annotations").or_insert_with(|| json!({})))
        .and_then(Value::as_object_mut)
    {
        match text {
            Some(text) => annotations.insert(HOLD_ANNOTATION.to_owned(), json!(text)),
            None => annotations.remove(HOLD_ANNOTATION),
        };
    }
    object
}

/// Removes every entry of the retreat's manager, from the last to the first.
fn tidy_patch(live: &Raw) -> Vec<PatchOperation> {
    let entries = live.value()["metadata"]["managedFields"].as_array().map(Vec::as_slice);
    let mut patch = Vec::new();
    for (index, entry) in entries.unwrap_or_default().iter().enumerate().rev() {
        if entry["manager"] == RETREAT_MANAGER {
            let index = index.to_string();
            let manager = ["metadata", "managedFields", &index, "manager"];
            patch.push(test(manager, json!(RETREAT_MANAGER)));
            patch.push(remove(["metadata", "managedFields", &index]));
        }
    }
    patch
}

#[cfg(test)]
mod tests;
