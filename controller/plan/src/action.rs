//! What a plan asks the shell to do. An action is data: one API write with its precondition and
//! nothing left to decide. Every action is idempotent.

use std::time::Duration;

use crds::gates::{PrometheusGate, TemplateRef};
use crds::route::RouteHold;
use crds::{Hold, Revision, RolloutStatus, RouteRef};
use gate::compare::Pods;
use jiff::Timestamp;

use crate::hook::HookCall;
use crate::observed::Pod;

/// What follows from an [`crate::Observed`].
///
/// The shell executes `actions` in order and stops at the first that fails; after or beside them it
/// writes `status` if it differs, whether an action failed or not; then, if anything was written,
/// it observes and plans again at once (after a failure: after a back-off).
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The writes, in order.
    pub actions: Vec<Action>,
    /// What is seen to hold now. It never speaks of `actions` as done: their outcome is seen, and
    /// said, by the next plan.
    pub status: RolloutStatus,
    /// Turns of the release worth an Event.
    pub events: Vec<Turn>,
    /// What gates want to know now. One that is being asked already is not asked twice; the answer
    /// comes back in [`crate::Observed::answers`], and asks for a plan.
    pub asks: Vec<Ask>,
    /// Plan again at this moment even if nothing happens.
    pub wake: Option<Timestamp>,
    /// Routes, and Services of ours, must be watched.
    pub watch_routes: bool,
    /// ReplicaSets and pods of the workload must be watched (a release is on, or has to be
    /// cleaned up after).
    pub watch_sets: bool,
}

/// A question of a gate, to a metric provider or as a hook; or what its template says, which is
/// asked first.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The gate's name.
    pub gate: String,
    /// The batch that it judges.
    pub batch: u32,
    /// A hash of what the gate asks: its answer is of no use to a gate that asks something else.
    pub asks: Option<Revision>,
    /// When it was asked.
    pub at: Timestamp,
    /// Name of the MetricProvider, or of the HookProvider.
    pub provider: String,
    /// The value that is judged.
    pub query: String,
    /// How many requests there were, where that matters.
    pub requests: Option<String>,
    /// How far back the queries look.
    pub window: Duration,
    /// It waits no longer than this for its turn at the provider: the gate's interval.
    pub patience: Duration,
    /// The queries count for a comparison with stable.
    pub both: Option<Both>,
    /// Only this template is to be read, and nothing asked.
    pub template: Option<TemplateRef>,
    /// What the template said that this question is made of.
    pub resolved: Option<Box<PrometheusGate>>,
    /// Instead of queries: this is sent to the HookProvider.
    pub hook: Option<Box<HookCall>>,
}

/// Counts of both versions, of one interval and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Both {
    /// Where the interval ends, in whole seconds: the queries are evaluated at this moment.
    pub until: Timestamp,
    /// Whose the samples are.
    pub pods: Pods,
    /// The same is asked at these moments of before the release, oldest first; what cannot be had
    /// is left out.
    pub past: Vec<Timestamp>,
}

/// An Event in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// A stable CamelCase word.
    pub reason: &'static str,
    /// A sentence.
    pub message: String,
    /// Normal or Warning.
    pub warning: bool,
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Put our finalizer on the Rollout.
    AddFinalizer,
    /// Take our finalizer off the Rollout.
    RemoveFinalizer,
    /// Put both labels on the workload.
    Arm {
        /// Precondition.
        uid: String,
    },
    /// Take labels and hold off the workload, and our annotations off its ReplicaSets.
    Disarm {
        /// Precondition.
        uid: String,
    },
    /// Set, change or lift the hold of the workload (JSON patch with tests on uid, generation and
    /// the annotation as it was; a failed test means: observe again).
    WriteHold(WriteHold),
    /// Write a stable ReplicaSet's minReadySeconds back (it was fenced).
    RepairSet {
        /// Its name.
        set: String,
        /// Precondition.
        uid: String,
        /// Precondition.
        resource_version: String,
        /// The user's own value.
        min_ready_seconds: i32,
    },
    /// Resize a ReplicaSet, with the stock controller's size annotations in the same write.
    ResizeSet {
        /// Its name.
        set: String,
        /// Precondition.
        uid: String,
        /// Precondition: spec.replicas now. (The resourceVersion changes with every status that
        /// the stock controller writes, just while pods are moved.)
        was: i32,
        /// spec.replicas.
        replicas: i32,
        /// deployment.kubernetes.io/desired-replicas.
        desired: i32,
        /// deployment.kubernetes.io/max-replicas.
        max: i32,
    },
    /// Take away a pod that stands in the way: its stock controller makes it again, as it has to
    /// be. Already gone is success.
    DeletePod {
        /// Its name.
        pod: String,
        /// Precondition.
        uid: String,
        /// Precondition: the pod has not changed. It may be ready by now.
        resource_version: String,
    },
    /// Set, change or lift the hold of a route, with the labels that go with it. A response whose
    /// rules are not what project() makes of the hold is a failure, as with a workload's.
    WriteRoute {
        /// Which.
        route: RouteRef,
        /// Precondition.
        uid: String,
        /// Precondition: metadata.generation.
        generation: i64,
        /// Precondition: the annotation's text now.
        was: Option<String>,
        /// None lifts it.
        hold: Option<RouteHold>,
    },
    /// Make a Service of ours beside the user's: the same ports, the pods of one revision. Already
    /// there is success.
    CreateService {
        /// Its name.
        name: String,
        /// The user's.
        service: String,
        /// Whose pods.
        revision: Revision,
        /// What the stock controller labels these with.
        pod_hash: String,
    },
    /// Delete a Service of ours. Already gone is success.
    DeleteService {
        /// Its name.
        name: String,
        /// Precondition.
        uid: String,
    },
    /// Make the canary Ingress that a route's hold asks for, or make it so again. A route that
    /// asks for another one by now is a failure.
    WriteCanary {
        /// The route that it is beside.
        route: RouteRef,
        /// Precondition: the route's.
        uid: String,
        /// Precondition: its name.
        name: String,
    },
    /// Delete a canary Ingress of ours. Already gone is success.
    DropCanary {
        /// The route that it is beside.
        route: RouteRef,
        /// Its name.
        name: String,
        /// Precondition.
        uid: String,
    },
    /// Keep the template of a revision (without the pod-template-hash label) in a
    /// ControllerRevision owned by the Rollout. Already there is success.
    KeepTemplate {
        /// Revision to keep it as.
        revision: Revision,
        /// Name of the [`crate::observed::Set`] to take it from.
        set: String,
    },
    /// Delete a ControllerRevision of ours. Already gone is success.
    DropTemplate {
        /// Its name.
        name: String,
    },
}

impl Action {
    /// Deletes a pod as it was seen.
    pub(crate) fn delete(pod: &Pod) -> Self {
        let Pod { name, uid, resource_version, .. } = pod.clone();
        Self::DeletePod { pod: name, uid, resource_version }
    }

    /// It writes the Rollout itself, as its status does.
    #[must_use]
    pub fn is_on_rollout(&self) -> bool {
        matches!(self, Self::AddFinalizer | Self::RemoveFinalizer)
    }
}

/// A change of the hold annotation. A response whose fields are not what project() makes of the
/// hold is a failure: no webhook stood in the path, and the write is to be repeated.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteHold {
    /// Precondition.
    pub uid: String,
    /// Precondition: metadata.generation.
    pub generation: i64,
    /// Precondition: the annotation's text now.
    pub was: Option<String>,
    /// The hold to write; None lifts fence and annotation in one write.
    pub hold: Option<Hold>,
    /// A pod template that goes along as the hold's payload. The shell fetches it, checks that
    /// it has the revision, and puts it into [`Hold::template`].
    pub payload: Option<Payload>,
    /// The shell may write the projected fields itself when no webhook answers: only on the way
    /// back to stable.
    pub may_write_fields: bool,
}

/// A pod template that a write carries, by reference: plans stay small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// What the template has to be.
    pub revision: Revision,
    /// Where it is.
    pub from: TemplateFrom,
}

/// Where a pod template is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateFrom {
    /// In a ControllerRevision of this name.
    Kept(String),
    /// In the ReplicaSet of this name, without the pod-template-hash label, or in the stock
    /// controller's ControllerRevision.
    Set(String),
}
