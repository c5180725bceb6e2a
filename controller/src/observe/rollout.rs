//! Reads a Rollout.

use crds::contract::{FINALIZER, REQUEST_ANNOTATION};
use crds::{Request, RolloutSpec, RolloutStatus};
use jiff::Timestamp;
use kube::Resource;
use plan::observed::RolloutFacts;
use serde::Deserialize;

use super::Unreadable;
use crate::key::{Key, Target};
use crate::raw::Raw;

/// A Rollout without its resourceVersion: two are equal when there is nothing new to plan.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutSeen {
    /// Namespace and name.
    pub key: Key,
    /// metadata.uid.
    pub uid: String,
    /// metadata.generation.
    pub generation: i64,
    /// metadata.creationTimestamp.
    pub created: Option<Timestamp>,
    /// metadata.deletionTimestamp is set.
    pub deleting: bool,
    /// metadata.finalizers.
    pub finalizers: Vec<String>,
    /// What the user wants.
    pub spec: RolloutSpec,
    /// What we said last.
    pub status: RolloutStatus,
    /// What a human asks for; an unreadable one is none.
    pub request: Option<Request>,
}

impl RolloutSeen {
    /// Where the workload is; none where nobody here knows its kind.
    pub fn workload(&self) -> Option<Target> {
        let reference = &self.spec.workload_ref;
        let key = Key::new(&self.key.namespace, &reference.name);
        Some(Target::new(reference.kind()?, key))
    }

    /// Among Rollouts of one workload the oldest has it; by name where two are of one second.
    pub fn is_older_than(&self, other: &Self) -> bool {
        (self.created, &self.key) < (other.created, &other.key)
    }

    /// For the planner; `exempt` where admission leaves the namespace alone, `uninstalled` where
    /// the cluster has no such kind of workload.
    pub fn facts(&self, rival: Option<String>, exempt: bool, uninstalled: bool) -> RolloutFacts {
        RolloutFacts {
            namespace: self.key.namespace.clone(),
            name: self.key.name.clone(),
            uid: self.uid.clone(),
            generation: self.generation,
            deleting: self.deleting,
            has_finalizer: self.finalizers.iter().any(|finalizer| finalizer == FINALIZER),
            spec: self.spec.clone(),
            status: self.status.clone(),
            request: self.request.clone(),
            rival,
            exempt,
            uninstalled,
        }
    }
}

/// Reads a Rollout. A status that cannot be read is no empty status: nothing is planned on it.
pub fn rollout(raw: &Raw) -> Result<RolloutSeen, Unreadable> {
    let status = match &raw.value()["status"] {
        serde_json::Value::Null => RolloutStatus::default(),
        status => RolloutStatus::deserialize(status)?,
    };
    let request = raw.annotation(REQUEST_ANNOTATION);
    let meta = raw.meta();
    Ok(RolloutSeen {
        key: raw.key(),
        uid: raw.uid().to_owned(),
        generation: meta.generation.unwrap_or_default(),
        created: raw.created(),
        deleting: meta.deletion_timestamp.is_some(),
        finalizers: meta.finalizers.clone().unwrap_or_default(),
        spec: RolloutSpec::deserialize(&raw.value()["spec"])?,
        status,
        request: request.and_then(|text| serde_json::from_str(text).ok()),
    })
}
