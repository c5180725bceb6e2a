//! The complete picture that a plan is made from. Data only. A fact that could not be had is
//! Unknown: it may hold or slow a release, never advance it.

mod cloneset;
mod daemonset;
pub(crate) mod numbered;
mod stateful;
mod traffic;

pub use cloneset::CloneSet;
use crds::gates::Template;
use crds::hold::Reading;
pub use crds::project::{CloneSetFields, DaemonSetFields, Fields, StatefulFields, Strategy};
use crds::{Request, Revision, RolloutSpec, RolloutStatus};
pub use daemonset::DaemonSet;
use gate::hook::Heard;
use gate::verdict::{Asked, Trouble as NoAnswer};
use jiff::Timestamp;
pub use numbered::NumberedRevision;
pub use stateful::Stateful;
pub use traffic::{CanarySeen, CanaryWanted, RouteFact, RouteSeen, ServiceSeen, Traffic};

use crate::action::Ask;

/// Something that was looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact<T> {
    /// It is there, and this is it.
    Known(T),
    /// It was looked for and is not there.
    Absent,
    /// Nobody can say now; the text says why.
    Unknown(String),
}

/// A Rollout, its workload and its pods at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The Rollout itself.
    pub rollout: RolloutFacts,
    /// The workload that it names.
    pub workload: Fact<Workload>,
    /// Templates kept in ControllerRevisions of this Rollout. The shell counts its own creations
    /// and deletions in at once, or the planner repeats them.
    pub kept: Fact<Vec<KeptTemplate>>,
    /// Since when, without a break, the shell has seen this Rollout
    /// [unsettled](Self::is_unsettled). None if it is settled. Only a plan's words depend on it.
    pub unsettled_since: Option<Timestamp>,
    /// The routes of the Rollout; Absent while no plan has asked for them.
    pub traffic: Fact<Traffic>,
    /// What came of [`crate::Ask`]s; the last of each gate is enough.
    pub answers: Vec<Answered>,
}

/// What came of an [`crate::Ask`].
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// What was asked.
    pub ask: Ask,
    /// The answer, or why there is none.
    pub asked: Asked,
    /// The same of how many requests there were, if that was asked.
    pub requests: Option<Asked>,
    /// Both of the moments before the release, where those were asked for.
    pub past: Vec<Past>,
    /// The template, or why there is none, if that was asked for.
    pub template: Option<Result<Template, String>>,
    /// What a hook answered, if the question is one.
    pub heard: Option<Heard>,
}

impl Answered {
    /// An answer to one query.
    #[must_use]
    pub fn new(ask: Ask, asked: Asked) -> Self {
        Self { ask, asked, requests: None, past: Vec::new(), template: None, heard: None }
    }

    /// A template, or why there is none.
    #[must_use]
    pub fn of_template(ask: Ask, template: Result<Template, String>) -> Self {
        Self { template: Some(template), ..Self::without_query(ask) }
    }

    /// The answer to a hook.
    #[must_use]
    pub fn of_hook(ask: Ask, heard: Heard) -> Self {
        Self { heard: Some(heard), ..Self::without_query(ask) }
    }

    fn without_query(ask: Ask) -> Self {
        Self::new(ask, Err(NoAnswer::Unasked("there was no query".into())))
    }
}

/// What came of a question about a moment before the release.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// The moment.
    pub at: Timestamp,
    /// The answer.
    pub asked: Asked,
    /// How many requests there were.
    pub requests: Asked,
}

impl Observed {
    /// A fact is missing that normally comes within moments: something is Unknown, the stock
    /// controller has not acted on the workload's last change, or a DaemonSet has too many pods.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        match &self.workload {
            Fact::Unknown(_) => true,
            Fact::Absent => false,
            Fact::Known(workload) => {
                workload.observed_generation < workload.generation
                    || matches!(workload.sets, Fact::Unknown(_))
                    || matches!(self.kept, Fact::Unknown(_))
                    || workload.is_crowded()
            }
        }
    }
}

/// The Rollout as read.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutFacts {
    /// metadata.namespace.
    pub namespace: String,
    /// metadata.name.
    pub name: String,
    /// metadata.uid.
    pub uid: String,
    /// metadata.generation.
    pub generation: i64,
    /// metadata.deletionTimestamp is set.
    pub deleting: bool,
    /// Our finalizer is on it.
    pub has_finalizer: bool,
    /// What the user wants.
    pub spec: RolloutSpec,
    /// What we said last.
    pub status: RolloutStatus,
    /// What a human asks for, if anything; an unreadable one is no request.
    pub request: Option<Request>,
    /// An older Rollout that names the same workload.
    pub rival: Option<String>,
    /// Admission leaves this namespace alone: nothing in it can be held.
    pub exempt: bool,
    /// The cluster has no such kind of workload: its CRD is not installed.
    pub uninstalled: bool,
}

/// The workload as read.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// metadata.uid: a workload that was deleted and made again is another one.
    pub uid: String,
    /// metadata.generation.
    pub generation: i64,
    /// status.observedGeneration: the stock controller has acted on this spec.
    pub observed_generation: i64,
    /// Pods that an update may reach: spec.replicas (of a DaemonSet: its nodes), without those that
    /// the user's own fields keep from being updated.
    pub replicas: i32,
    /// Both of our labels are as they have to be.
    pub armed: bool,
    /// The live fields of its kind.
    pub fields: Live,
    /// The hold annotation.
    pub hold: Reading,
    /// The annotation's raw text, for preconditions.
    pub hold_text: Option<String>,
    /// The live fields are what project() makes of the hold. False means that no webhook stood in
    /// the path of the last write.
    pub projected: bool,
    /// Revision of the live spec.template.
    pub revision: Revision,
    /// Its revisions and their pods; only watched in a release, otherwise Unknown.
    pub sets: Fact<Sets>,
}

impl Workload {
    fn is_crowded(&self) -> bool {
        match (&self.fields, &self.sets) {
            (Live::DaemonSet(live), Fact::Known(sets)) => live.is_crowded(sets),
            _ => false,
        }
    }
}

/// The live fields of a workload, by its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Live {
    /// Of a Deployment.
    Deployment(Fields),
    /// Of a StatefulSet.
    StatefulSet(Stateful),
    /// Of a CloneSet.
    CloneSet(CloneSet),
    /// Of a DaemonSet.
    DaemonSet(DaemonSet),
}

impl Live {
    /// The pods of a kind whose revisions are ControllerRevisions; each comes with the label that
    /// names its revision.
    #[must_use]
    pub fn sets(
        &self,
        hold: &Reading,
        live: &Revision,
        revisions: Vec<NumberedRevision>,
        pods: Vec<(String, Pod)>,
    ) -> Fact<Sets> {
        match self {
            Self::Deployment(_) => Fact::Unknown("a Deployment has ReplicaSets".to_owned()),
            Self::StatefulSet(stateful) => stateful.sets(hold, live, revisions, pods),
            Self::CloneSet(cloneset) => cloneset.sets(hold, live, revisions, pods),
            Self::DaemonSet(daemonset) => daemonset.sets(live, revisions, pods),
        }
    }
}

/// The pods of a workload, split by revision.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Sets {
    /// The one whose template is the live template.
    pub update: Option<Set>,
    /// All others, the stable one among them, newest first.
    pub old: Vec<Set>,
}

/// The pods of one revision: a Deployment's ReplicaSet, or the ControllerRevision of another kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// metadata.name.
    pub name: String,
    /// metadata.uid.
    pub uid: String,
    /// metadata.resourceVersion, for preconditions.
    pub resource_version: String,
    /// Revision of its template.
    pub revision: Revision,
    /// The value of the label that its pods have and no other's: for queries.
    pub pod_hash: String,
    /// spec.replicas; of a ControllerRevision its pods that are to stay.
    pub replicas: i32,
    /// spec.minReadySeconds.
    pub min_ready_seconds: i32,
    /// status.availableReplicas, once status.observedGeneration is metadata.generation.
    pub available: Option<i32>,
    /// The stock controller's desired-replicas annotation: the workload's replicas that its size
    /// was computed from.
    pub desired: Option<i32>,
    /// Its active pods: not terminating, and neither Succeeded nor Failed.
    pub pods: Vec<Pod>,
    /// Of a CloneSet's revision: more pods, which its own partition keeps from every update.
    pub kept: KeptPods,
}

/// Pods that nobody has to know one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptPods {
    /// How many.
    pub pods: i32,
    /// How many of them are ready.
    pub ready: i32,
}

/// A pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// metadata.name.
    pub name: String,
    /// metadata.uid.
    pub uid: String,
    /// metadata.resourceVersion, for preconditions.
    pub resource_version: String,
    /// Since when its Ready condition is True.
    pub ready_since: Option<Timestamp>,
    /// Why it does not get ready, in the words of the container's own state.
    pub trouble: Option<Trouble>,
}

/// A container's own waiting (or terminated) reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Name of the container.
    pub container: String,
    /// `ImagePullBackOff`, `CrashLoopBackOff`, ...
    pub reason: String,
    /// The kubelet's message, shortened by the observer.
    pub message: String,
}

/// A pod template kept in a ControllerRevision, because ReplicaSet history can vanish.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptTemplate {
    /// Name of the ControllerRevision.
    pub name: String,
    /// The revision that it was kept as.
    pub revision: Revision,
}
