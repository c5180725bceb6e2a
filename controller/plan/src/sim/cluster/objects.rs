//! The model's objects, as far as a release can depend on them. Data only; how the apiserver treats
//! a write is `write`'s business.
//!
//! A StatefulSet is a Deployment object that says so, and so are a CloneSet and a DaemonSet. Their
//! ControllerRevisions are ReplicaSet objects without a size; a StatefulSet's pods are named after
//! their ordinals, a DaemonSet's are on a node each.

use std::collections::BTreeMap;
use std::rc::Rc;

use crds::project::{CloneSetFields, DaemonSetFields, StatefulFields};
use crds::{Kept, Revision, RolloutSpec, RolloutStatus};
use serde_json::{Value, json};

use crate::observed::{Strategy, Trouble};
use crate::sim::moment::Moment;

/// The metadata that every object has.
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    pub name: Rc<str>,
    pub uid: Rc<str>,
    /// metadata.resourceVersion.
    pub version: u64,
    pub generation: i64,
    pub created: Moment,
    /// metadata.deletionTimestamp is set.
    pub deleting: bool,
}

/// A Deployment: the user's JSON, and what the apiserver read in it.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub meta: Meta,
    /// The object as the API shows it, without status and resourceVersion.
    pub raw: Rc<Value>,
    pub spec: DeploymentSpec,
    /// It is a StatefulSet.
    pub stateful: Option<StatefulSpec>,
    /// It is a CloneSet. Its own pause, surge and unavailable are the spec's.
    pub cloneset: Option<CloneSetFields>,
    /// It is a DaemonSet. Its surge and unavailable are the spec's; its replicas nobody wrote.
    pub daemon: Option<DaemonSetFields>,
    pub annotations: Rc<BTreeMap<String, String>>,
    pub template: Rc<Value>,
    pub revision: Revision,
    pub status: DeploymentStatus,
    /// status.currentRevision of a StatefulSet or CloneSet.
    pub current: Option<Rc<str>>,
}

/// The part of a Deployment's spec that the stock controller acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeploymentSpec {
    pub replicas: i32,
    pub paused: bool,
    pub min_ready_seconds: i32,
    pub progress_deadline_seconds: i32,
    pub history_limit: i32,
    pub strategy: Strategy,
}

/// The part of a StatefulSet's spec that a Deployment has not. The latter's strategy stands for
/// what a StatefulSet always does: no pod more, and one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatefulSpec {
    pub fields: StatefulFields,
    /// podManagementPolicy is OrderedReady.
    pub ordered: bool,
}

/// A Deployment's status, without conditions. Of a DaemonSet the pods are nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeploymentStatus {
    pub observed_generation: i64,
    pub replicas: i32,
    pub updated: i32,
    pub ready: i32,
    pub available: i32,
    /// Nodes of a DaemonSet that are closed to it, and have a pod of it.
    pub misscheduled: i32,
}

/// A ReplicaSet, or a ControllerRevision of another kind. Its template is kept without
/// the pod-template-hash label.
#[derive(Clone, Debug)]
pub struct ReplicaSet {
    pub meta: Meta,
    /// uid of the Deployment.
    pub owner: Rc<str>,
    /// A ControllerRevision: no size, and no controller that makes pods of it alone.
    pub sizeless: bool,
    pub annotations: BTreeMap<String, String>,
    pub replicas: i32,
    pub min_ready_seconds: i32,
    pub template: Rc<Value>,
    pub revision: Revision,
    pub status: SetStatus,
}

/// A ReplicaSet's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetStatus {
    pub observed_generation: i64,
    pub replicas: i32,
    pub ready: i32,
    pub available: i32,
}

/// A pod.
#[derive(Clone, Debug)]
pub struct Pod {
    pub meta: Meta,
    /// uid of the ReplicaSet, or of the StatefulSet, CloneSet or DaemonSet.
    pub owner: Rc<str>,
    /// Name of the ReplicaSet, or of the ControllerRevision.
    pub set: Rc<str>,
    pub revision: Revision,
    /// phase Running; Pending before.
    pub running: bool,
    /// When the Ready condition last turned True, if it is.
    pub ready_since: Option<Moment>,
    pub trouble: Option<Trouble>,
    pub restarts: u32,
    /// Its CloneSet is to replace it: the label `apps.kruise.io/specified-delete`.
    pub doomed: bool,
    /// Of a DaemonSet: where it is.
    pub node: Option<Rc<str>>,
}

/// A node, as DaemonSets see it.
#[derive(Clone, Debug)]
pub struct Node {
    pub meta: Meta,
    /// No pod comes to it any more; those that are there stay.
    pub closed: bool,
}

/// A Rollout.
#[derive(Clone, Debug)]
pub struct RolloutObject {
    pub meta: Meta,
    pub annotations: BTreeMap<String, String>,
    pub finalizers: Vec<String>,
    pub spec: RolloutSpec,
    pub status: RolloutStatus,
}

/// A ControllerRevision of ours.
#[derive(Clone, Debug)]
pub struct KeptRevision {
    pub meta: Meta,
    /// uid of the Rollout.
    pub owner: Rc<str>,
    pub revision: Revision,
    pub template: Rc<Value>,
}

impl Deployment {
    /// Its revisions are ControllerRevisions.
    pub fn is_numbered(&self) -> bool {
        self.stateful.is_some() || self.cloneset.is_some() || self.daemon.is_some()
    }

    /// As the API shows it, with what admission reads of a DaemonSet's status.
    pub fn shown(&self) -> Rc<Value> {
        if self.daemon.is_none() || self.status.observed_generation == 0 {
            return Rc::clone(&self.raw);
        }
        let mut raw = Value::clone(&self.raw);
        raw["status"] = json!({
            "observedGeneration": self.status.observed_generation,
            "desiredNumberScheduled": self.status.replicas,
        });
        Rc::new(raw)
    }

    /// Pods that keep the version that they have: a StatefulSet's are those below this index.
    pub fn partition(&self) -> Kept {
        let stateful = self.stateful.and_then(|stateful| stateful.fields.partition());
        let cloned = self.cloneset.and_then(|fields| fields.partition());
        cloned.unwrap_or(Kept::Pods(stateful.unwrap_or(0)))
    }
}

impl ReplicaSet {
    /// A number in an annotation, if it is one and not negative.
    pub fn number(&self, annotation: &str) -> Option<i32> {
        self.annotations.get(annotation)?.parse().ok().filter(|number| *number >= 0)
    }
}

impl Pod {
    /// The ordinal of a StatefulSet's pod.
    pub fn ordinal(&self) -> Option<i32> {
        ordinal(&self.meta.name)
    }

    /// Counted by its ReplicaSet.
    pub fn is_active(&self) -> bool {
        !self.meta.deleting
    }

    /// The Ready condition is True.
    pub fn is_ready(&self) -> bool {
        self.ready_since.is_some()
    }

    /// Ready for so many seconds at `now`, as the stock controllers judge it.
    pub fn is_available(&self, min_ready_seconds: i32, now: Moment) -> bool {
        self.available_at(min_ready_seconds).is_some_and(|moment| moment <= now)
    }

    /// When it will have been Ready for so many seconds.
    pub fn available_at(&self, min_ready_seconds: i32) -> Option<Moment> {
        let seconds = u64::try_from(min_ready_seconds).unwrap_or(0);
        self.ready_since.map(|since| since + std::time::Duration::from_secs(seconds))
    }
}

/// The ordinal in the name of a StatefulSet's pod.
pub fn ordinal(name: &str) -> Option<i32> {
    name.rsplit_once('-')?.1.parse().ok()
}

macro_rules! object {
    ($($kind:ty),*) => {
        $(impl super::table::Object for $kind {
            fn meta(&self) -> &Meta {
                &self.meta
            }
        })*
    };
}

object!(Deployment, ReplicaSet, Pod, RolloutObject, KeptRevision, Node);
