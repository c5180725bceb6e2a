//! Pod templates kept in ControllerRevisions of ours, and fetched from there or from where the
//! stock controller keeps them.

use crds::contract::{POD_TEMPLATE_HASH_LABEL, REVISION_LABEL, ROLLOUT_LABEL};
use crds::{Revision, WorkloadKind};
use plan::observed::RolloutFacts;
use plan::{Payload, TemplateFrom};
use serde_json::{Value, json};

use super::{ExecuteError, failed};
use crate::cluster::CallError;
use crate::key::{Key, Target};
use crate::observe;
use crate::raw::{Kind, Raw};
use crate::reconcile::Context;

/// Keeps the template of a revision. One that is there already is as good.
pub async fn keep(
    context: &Context,
    rollout: &RolloutFacts,
    workload: WorkloadKind,
    revision: &Revision,
    set: &str,
) -> Result<(), ExecuteError> {
    const WHAT: &str = "keep_template";
    let template = of_set(context, workload, &Key::new(&rollout.namespace, set)).await?;
    let object = controller_revision(rollout, revision, &template);
    let key = Key::new(&rollout.namespace, &name(&rollout.name, revision));
    let failed = |source| failed(WHAT, Kind::ControllerRevision, &key)(source);
    let raw = match context.cluster.create(Kind::ControllerRevision, WHAT, object).await {
        Ok(raw) => raw,
        Err(CallError::Stale(conflict)) => {
            let raw = context.cluster.get(Kind::ControllerRevision, &key).await.map_err(failed)?;
            if raw.controller_uid() != Some(&rollout.uid) {
                // Of a Rollout of the same name that was deleted: it goes by itself, soon.
                return Err(failed(CallError::Stale(conflict)));
            }
            raw
        }
        Err(error) => return Err(failed(error)),
    };
    context.with_world(|world| world.wrote_kept(&raw));
    Ok(())
}

/// Deletes a kept template. One that is gone is as good.
pub async fn discard(context: &Context, key: &Key) -> Result<(), ExecuteError> {
    const WHAT: &str = "drop_template";
    let uid = context.with_world(|world| world.kept_uid(key).map(str::to_owned));
    if let Some(uid) = uid {
        match context.cluster.delete(Kind::ControllerRevision, WHAT, key, &uid, None).await {
            // A conflict is the uid: that one is gone.
            Ok(()) | Err(CallError::Gone | CallError::Stale(_)) => {}
            Err(error) => return Err(failed(WHAT, Kind::ControllerRevision, key)(error)),
        }
    }
    context.with_world(|world| world.dropped_kept(key));
    Ok(())
}

/// Fetches the template that a write carries.
pub async fn fetch(
    context: &Context,
    workload: &Target,
    payload: &Payload,
) -> Result<Value, ExecuteError> {
    let namespace = &workload.key.namespace;
    let (place, template) = match &payload.from {
        TemplateFrom::Kept(name) => {
            let place = Key::new(namespace, name);
            let kind = Kind::ControllerRevision;
            let raw = context.cluster.get(kind, &place).await;
            let raw = raw.map_err(failed("fetch_template", kind, &place))?;
            let template = raw.value()["data"].clone();
            (place, template)
        }
        TemplateFrom::Set(name) => {
            let place = Key::new(namespace, name);
            let template = of_set(context, workload.kind, &place).await?;
            (place, template)
        }
    };
    let found = Revision::of_template(&template);
    if found == payload.revision {
        return Ok(template);
    }
    Err(ExecuteError::OtherTemplate { place, found, wanted: payload.revision.clone() })
}

async fn of_set(
    context: &Context,
    workload: WorkloadKind,
    key: &Key,
) -> Result<Value, ExecuteError> {
    let kind = Kind::of_revisions(workload);
    let raw = context.cluster.get(kind, key).await.map_err(failed("fetch_template", kind, key))?;
    Ok(match workload {
        WorkloadKind::Deployment => template_of(&raw),
        WorkloadKind::StatefulSet | WorkloadKind::CloneSet | WorkloadKind::DaemonSet => {
            observe::template_in(&raw)
        }
    })
}

/// The template of a ReplicaSet as the Deployment had it.
fn template_of(set: &Raw) -> Value {
    let mut template = set.value()["spec"]["template"].clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(POD_TEMPLATE_HASH_LABEL);
    }
    template
}

/// The same for the same template, so that it is kept once.
fn name(rollout: &str, revision: &Revision) -> String {
    format!("{rollout}-{revision}")
}

fn controller_revision(rollout: &RolloutFacts, revision: &Revision, template: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "namespace": rollout.namespace,
            "name": name(&rollout.name, revision),
            "labels": { ROLLOUT_LABEL: rollout.name, REVISION_LABEL: revision },
            "ownerReferences": [{
                "apiVersion": format!("{}/{}", crds::contract::GROUP, crds::contract::VERSION),
                "kind": "Rollout",
                "name": rollout.name,
                "uid": rollout.uid,
                "controller": true,
            }],
        },
        "revision": 1,
        "data": template,
    })
}
