//! Writes to the workload: arming, disarming, and the hold.

use crds::contract::{
    ARMED_LABEL, ARMED_VALUE, CONTROLLER_MANAGER, HOLD_ANNOTATION, PREFIX, ROLLOUT_LABEL,
};
use crds::{Hold, WorkloadKind};
use json_patch::PatchOperation;
use kube::Resource;
use kube::api::Patch;
use plan::WriteHold;
use serde_json::{Map, Value, json};

use super::{ExecuteError, failed, retreat, template};
use crate::cluster::{CallError, Write, add, remove, test};
use crate::key::{Key, Target};
use crate::raw::{Kind, Raw};
use crate::reconcile::Context;

const ANNOTATIONS: [&str; 2] = ["metadata", "annotations"];
const HOLD: [&str; 3] = ["metadata", "annotations", HOLD_ANNOTATION];

/// Puts both labels on.
pub async fn arm(
    context: &Context,
    rollout: &Key,
    target: &Target,
    uid: &str,
) -> Result<(), ExecuteError> {
    let labels = json!({ ARMED_LABEL: ARMED_VALUE, ROLLOUT_LABEL: rollout.name });
    let body = json!({ "metadata": { "uid": uid, "labels": labels } });
    write(context, rollout, target, "arm", Patch::Merge(body), CONTROLLER_MANAGER).await.map(|_| ())
}

/// Takes the hold off, then what the stock controller copied of it to its revisions (it copies
/// as long as the hold is there), and last the labels, which say that something is left to do.
pub async fn disarm(
    context: &Context,
    rollout: &Key,
    target: &Target,
    uid: &str,
) -> Result<(), ExecuteError> {
    let seen = context.with_world(|world| {
        world.workload(rollout).map(|seen| (seen.selector.clone(), seen.hold_text.is_some()))
    });
    if let Some((selector, held)) = seen {
        if held {
            let annotations = json!({ HOLD_ANNOTATION: null });
            let body = json!({ "metadata": { "uid": uid, "annotations": annotations } });
            let body = Patch::Merge(body);
            let raw = write(context, rollout, target, "disarm", body, CONTROLLER_MANAGER).await?;
            projected(&raw, target)?;
        }
        strip_sets(context, rollout, target.kind, uid, &selector).await?;
    }
    unlabel(context, rollout, target, uid).await
}

/// Takes both labels off.
pub async fn unlabel(
    context: &Context,
    rollout: &Key,
    target: &Target,
    uid: &str,
) -> Result<(), ExecuteError> {
    let labels = json!({ ARMED_LABEL: null, ROLLOUT_LABEL: null });
    let body = Patch::Merge(json!({ "metadata": { "uid": uid, "labels": labels } }));
    write(context, rollout, target, "disarm", body, CONTROLLER_MANAGER).await.map(|_| ())
}

/// Sets, changes or lifts the hold.
pub async fn hold(
    context: &Context,
    rollout: &Key,
    target: &Target,
    wanted: &WriteHold,
) -> Result<(), ExecuteError> {
    let text = match (&wanted.hold, &wanted.payload) {
        (Some(hold), Some(payload)) => {
            let template = Some(template::fetch(context, target, payload).await?);
            Some(Hold { template, ..hold.clone() }.to_text())
        }
        (Some(hold), None) => Some(hold.to_text()),
        (None, _) => None,
    };
    let annotated = wanted.was.is_some()
        || context.with_world(|world| world.workload(rollout).is_none_or(|seen| seen.annotated));
    let patch =
        Patch::Json(json_patch::Patch(hold_patch(&wanted.into(), text.as_deref(), annotated)));
    let written = write(context, rollout, target, "hold", patch, CONTROLLER_MANAGER).await;
    let absent = match written {
        Ok(raw) => match projected(&raw, target) {
            Ok(()) => return Ok(()),
            Err(absent) => absent,
        },
        // Without the webhook the policy refuses what only the webhook can complete.
        Err(refused @ ExecuteError::Call { source: CallError::Refused(_), .. }) => refused,
        Err(error) => return Err(error),
    };
    context.metrics.error("webhook_absent");
    if !wanted.may_write_fields {
        return Err(absent);
    }
    tracing::warn!(workload = %target.key, "no webhook answers: writing the fields directly");
    retreat::retreat(context, rollout, target, wanted, text.as_deref()).await
}

/// An object as the plan saw it.
pub struct HoldAt<'a> {
    /// metadata.uid.
    pub uid: &'a str,
    /// metadata.generation.
    pub generation: i64,
    /// The annotation's text.
    pub was: Option<&'a str>,
}

impl<'a> From<&'a WriteHold> for HoldAt<'a> {
    fn from(write: &'a WriteHold) -> Self {
        Self { uid: &write.uid, generation: write.generation, was: write.was.as_deref() }
    }
}

/// The write with its preconditions. The stock controller's status writes change the
/// resourceVersion all the time, so it is uid, generation and the hold itself that must not have
/// changed.
pub fn hold_patch(at: &HoldAt<'_>, text: Option<&str>, annotated: bool) -> Vec<PatchOperation> {
    let mut patch = vec![
        test(["metadata", "uid"], json!(at.uid)),
        test(["metadata", "generation"], json!(at.generation)),
    ];
    if annotated {
        patch.push(test(HOLD, json!(at.was)));
    } else {
        patch.push(test(ANNOTATIONS, Value::Null));
    }
    match text {
        Some(text) if annotated => patch.push(add(HOLD, json!(text))),
        Some(text) => {
            let hold = Map::from_iter([(HOLD_ANNOTATION.to_owned(), json!(text))]);
            patch.push(add(ANNOTATIONS, Value::Object(hold)));
        }
        None if at.was.is_some() => patch.push(remove(HOLD)),
        None => {}
    }
    patch
}

/// Whether the webhook stood in the path of the write that returned this.
pub fn projected(raw: &Raw, target: &Target) -> Result<(), ExecuteError> {
    let whole = crds::project::projected_as(target.kind, raw.value());
    let carried = match Hold::of(raw.value()) {
        crds::hold::Reading::Hold(hold) => hold.template.is_some(),
        _ => false,
    };
    if whole && !carried { Ok(()) } else { Err(ExecuteError::WebhookAbsent(target.key.clone())) }
}

/// Writes to the workload and shows the result to `world`.
pub async fn write(
    context: &Context,
    rollout: &Key,
    target: &Target,
    label: &'static str,
    patch: Patch<Value>,
    manager: &'static str,
) -> Result<Raw, ExecuteError> {
    let (kind, key) = (Kind::Workload(target.kind), &target.key);
    let write = Write { kind, key: key.clone(), status: false, patch, manager, label };
    let raw = context.cluster.patch(write).await.map_err(failed(label, kind, key))?;
    context.with_world(|world| world.wrote_workload(rollout, target.kind, &raw));
    Ok(raw)
}

/// Takes off the revisions what the stock controller copied to them.
pub async fn strip_sets(
    context: &Context,
    rollout: &Key,
    workload: WorkloadKind,
    uid: &str,
    selector: &str,
) -> Result<(), ExecuteError> {
    const WHAT: &str = "strip_set";
    let kind = Kind::of_revisions(workload);
    let sets = context.cluster.list(kind, &rollout.namespace, selector).await;
    for set in sets.map_err(failed(WHAT, kind, rollout))? {
        let annotations = set.meta().annotations.iter().flatten();
        let ours: Map<String, Value> = annotations
            .filter(|(name, _)| name.starts_with(PREFIX))
            .map(|(name, _)| (name.clone(), Value::Null))
            .collect();
        if ours.is_empty() || set.controller_uid() != Some(uid) {
            continue;
        }
        let metadata = json!({ "uid": set.uid(), "annotations": ours });
        let key = set.key();
        let write = Write {
            kind,
            key: key.clone(),
            status: false,
            patch: Patch::Merge(json!({ "metadata": metadata })),
            manager: CONTROLLER_MANAGER,
            label: WHAT,
        };
        match context.cluster.patch(write).await {
            Ok(raw) => context.with_world(|world| world.wrote_set(rollout, workload, &raw)),
            Err(CallError::Gone) => {}
            Err(error) => return Err(failed(WHAT, kind, &key)(error)),
        }
    }
    Ok(())
}
