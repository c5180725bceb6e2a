//! Reads a revision of a workload: a ReplicaSet, or a ControllerRevision of another kind.

use crds::Revision;
use crds::contract::{
    DEPLOYMENT_REVISION_ANNOTATION, DESIRED_REPLICAS_ANNOTATION, POD_TEMPLATE_HASH_LABEL,
};
use jiff::Timestamp;
use kube::Resource;
use plan::observed::{KeptPods, Pod, Set};
use serde::Deserialize;
use serde_json::Value;

use super::Unreadable;
use crate::raw::Raw;

/// A revision without its template; a ControllerRevision has no sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct SetSeen {
    /// metadata.name.
    pub name: String,
    /// metadata.uid.
    pub uid: String,
    /// uid of the workload.
    pub owner: String,
    /// The stock controller's number of its revision: the newest has the highest.
    pub number: u64,
    /// metadata.creationTimestamp.
    pub created: Option<Timestamp>,
    /// Of its template.
    pub revision: Revision,
    /// The hash that its pods are labelled with.
    pub pod_hash: String,
    /// spec.replicas.
    pub replicas: i32,
    /// spec.minReadySeconds.
    pub min_ready_seconds: i32,
    /// status.availableReplicas, once the status speaks of this generation.
    pub available: Option<i32>,
    /// The workload's replicas that its size was computed from.
    pub desired: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    replicas: i32,
    #[serde(default)]
    min_ready_seconds: i32,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    available_replicas: i32,
}

impl SetSeen {
    /// For the planner.
    pub fn set(&self, resource_version: &str, pods: Vec<Pod>) -> Set {
        Set {
            name: self.name.clone(),
            uid: self.uid.clone(),
            resource_version: resource_version.to_owned(),
            revision: self.revision.clone(),
            pod_hash: self.pod_hash.clone(),
            replicas: self.replicas,
            min_ready_seconds: self.min_ready_seconds,
            available: self.available,
            desired: self.desired,
            pods,
            kept: KeptPods::default(),
        }
    }
}

/// Reads a ReplicaSet; none if nobody controls it or it is being deleted.
pub fn set(raw: &Raw) -> Result<Option<SetSeen>, Unreadable> {
    let Some(owner) = raw.controller_uid() else { return Ok(None) };
    let meta = raw.meta();
    if meta.deletion_timestamp.is_some() {
        return Ok(None);
    }
    let value = raw.value();
    let spec = Spec::deserialize(&value["spec"])?;
    let status = match value.get("status") {
        Some(status) => Status::deserialize(status)?,
        None => Status::default(),
    };
    let current = status.observed_generation >= meta.generation.unwrap_or_default();
    let number = raw.annotation(DEPLOYMENT_REVISION_ANNOTATION);
    let desired = raw.annotation(DESIRED_REPLICAS_ANNOTATION);
    Ok(Some(SetSeen {
        name: meta.name.clone().unwrap_or_default(),
        uid: raw.uid().to_owned(),
        owner: owner.to_owned(),
        number: number.and_then(|number| number.parse().ok()).unwrap_or_default(),
        created: raw.created(),
        revision: Revision::of_template(&value["spec"]["template"]),
        pod_hash: raw.label(POD_TEMPLATE_HASH_LABEL).unwrap_or_default().to_owned(),
        replicas: spec.replicas,
        min_ready_seconds: spec.min_ready_seconds,
        available: current.then_some(status.available_replicas),
        desired: desired.and_then(|number| number.parse().ok()),
    }))
}

/// Reads a ControllerRevision of the stock controller; none if nobody controls it or it is being
/// deleted.
pub fn revision(raw: &Raw) -> Result<Option<SetSeen>, Unreadable> {
    let Some(owner) = raw.controller_uid() else { return Ok(None) };
    let meta = raw.meta();
    if meta.deletion_timestamp.is_some() {
        return Ok(None);
    }
    let number = raw.value()["revision"].as_u64();
    Ok(Some(SetSeen {
        name: meta.name.clone().unwrap_or_default(),
        uid: raw.uid().to_owned(),
        owner: owner.to_owned(),
        number: number.unwrap_or_default(),
        created: raw.created(),
        revision: Revision::of_template(&template_in(raw)),
        // Its pods are labelled with its name.
        pod_hash: meta.name.clone().unwrap_or_default(),
        replicas: 0,
        min_ready_seconds: 0,
        available: None,
        desired: None,
    }))
}

/// The template in a ControllerRevision of the stock controller, as its workload had it.
pub fn template_in(raw: &Raw) -> Value {
    let mut template = raw.value()["data"]["spec"]["template"].clone();
    if let Some(template) = template.as_object_mut() {
        // It is stored as a patch that replaces the whole template.
        template.remove("$patch");
    }
    template
}
