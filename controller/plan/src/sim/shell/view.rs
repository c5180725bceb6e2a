//! What our controller has read, and how it becomes an [`Observed`]: the rules of the real shell,
//! on the model's objects.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crds::contract::{
    ARMED_LABEL, ARMED_VALUE, DEPLOYMENT_REVISION_ANNOTATION, DESIRED_REPLICAS_ANNOTATION,
    FINALIZER, HOLD_ANNOTATION, REQUEST_ANNOTATION, ROLLOUT_LABEL,
};
use crds::hold::Reading;
use crds::project::DaemonSetFields;
use crds::{Hold, IntOrPercent, Revision};

use crate::action::Ask;
use crate::observed::{
    Answered, CloneSet, DaemonSet, Fact, Fields, KeptPods, KeptTemplate, Live, NumberedRevision,
    Observed, Pod, RolloutFacts, Set, Sets, Stateful, Strategy, Workload,
};
use crate::sim::cluster::objects::{self, Deployment, KeptRevision, ReplicaSet, RolloutObject};
use crate::sim::cluster::read::NO_DEADLINE;
use crate::sim::cluster::table::View;
use crate::sim::cluster::{Cluster, Kind, admission};

/// The caches of our controller.
#[derive(Default)]
pub struct Caches {
    pub deployments: View<Deployment>,
    pub sets: View<ReplicaSet>,
    pub pods: View<objects::Pod>,
    pub rollouts: View<RolloutObject>,
    pub kept: View<KeptRevision>,
    /// ReplicaSets and pods are watched, and their first lists are complete.
    pub sets_synced: bool,
    /// Since when a fact has been missing that normally comes within moments.
    pub unsettled_since: Option<jiff::Timestamp>,
    /// Gates whose questions are being asked.
    asking: BTreeSet<String>,
    /// The last answer of each gate.
    answers: BTreeMap<String, Answered>,
}

/// What a plan was made from, as far as the checks have to know it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Changes of pods that were seen.
    pub pods: usize,
    /// Of the live template.
    pub revision: Option<Revision>,
    /// Of the workload.
    pub replicas: i32,
}

impl Caches {
    /// What a plan that is made now can know.
    pub fn known(&self, seen: &Observed) -> Known {
        let Fact::Known(workload) = &seen.workload else { return Known::default() };
        Known {
            pods: self.pods.seen(),
            revision: Some(workload.revision.clone()),
            replicas: workload.replicas,
        }
    }

    /// Lists everything but ReplicaSets and pods, as a start does.
    pub fn list(cluster: &Cluster) -> Self {
        let mut caches = Self::default();
        caches.deployments.list(&cluster.deployments);
        caches.rollouts.list(&cluster.rollouts);
        caches.kept.list(&cluster.kept);
        caches
    }

    /// The first lists of ReplicaSets and pods.
    pub fn list_sets(&mut self, cluster: &Cluster) {
        self.sets.list(&cluster.sets);
        self.pods.list(&cluster.pods);
        self.sets_synced = true;
    }

    /// Reads on in a watch; true if there was news.
    pub fn catch_up(&mut self, cluster: &Cluster, kind: Kind, upto: usize) -> bool {
        match kind {
            Kind::Deployment => !self.deployments.catch_up(&cluster.deployments, upto).is_empty(),
            Kind::Rollout => !self.rollouts.catch_up(&cluster.rollouts, upto).is_empty(),
            Kind::ControllerRevision => !self.kept.catch_up(&cluster.kept, upto).is_empty(),
            Kind::ReplicaSet if self.sets_synced => {
                !self.sets.catch_up(&cluster.sets, upto).is_empty()
            }
            Kind::Pod if self.sets_synced => !self.pods.catch_up(&cluster.pods, upto).is_empty(),
            Kind::ReplicaSet | Kind::Pod | Kind::Node => false,
        }
    }

    /// Of these questions the ones that are not being asked; they are from now on.
    pub fn new_asks(&mut self, mut asks: Vec<Ask>) -> Vec<Ask> {
        asks.retain(|ask| self.asking.insert(ask.gate.clone()));
        asks
    }

    /// An answer came.
    pub fn take_metric(&mut self, answered: Answered) {
        self.asking.remove(&answered.ask.gate);
        self.answers.insert(answered.ask.gate.clone(), answered);
    }

    /// The complete picture of a Rollout; None if it is gone.
    pub fn observe(&self, cluster: &Cluster, rollout: &str) -> Option<Observed> {
        let rollout = self.rollouts.get(rollout)?;
        let name = &rollout.spec.workload_ref.name;
        let workload = match self.deployments.get(name) {
            Some(deployment) => Fact::Known(self.workload(deployment, &rollout.meta.name)),
            // Absence is believed from a live read only.
            None if cluster.deployments.get(name).is_none() => Fact::Absent,
            None => Fact::Unknown("the workload has not been read yet".to_owned()),
        };
        let mine = self.kept.iter().filter(|kept| kept.owner == rollout.meta.uid);
        let kept = mine.map(|kept| KeptTemplate {
            name: kept.meta.name.to_string(),
            revision: kept.revision.clone(),
        });
        let kept = Fact::Known(kept.collect());
        let rollout = self.facts(rollout);
        let answers = self.answers.values().cloned().collect();
        let traffic = Fact::Absent;
        Some(Observed { rollout, workload, kept, unsettled_since: None, traffic, answers })
    }

    fn facts(&self, rollout: &Rc<RolloutObject>) -> RolloutFacts {
        let age = |rollout: &RolloutObject| (rollout.meta.created, Rc::clone(&rollout.meta.name));
        let rival = self.rollouts.iter().find(|other| {
            other.spec.workload_ref == rollout.spec.workload_ref && age(other) < age(rollout)
        });
        RolloutFacts {
            namespace: "default".to_owned(),
            name: rollout.meta.name.to_string(),
            uid: rollout.meta.uid.to_string(),
            generation: rollout.meta.generation,
            deleting: rollout.meta.deleting,
            has_finalizer: rollout.finalizers.iter().any(|finalizer| finalizer == FINALIZER),
            spec: rollout.spec.clone(),
            status: rollout.status.clone(),
            request: rollout
                .annotations
                .get(REQUEST_ANNOTATION)
                .and_then(|text| serde_json::from_str(text).ok()),
            rival: rival.map(|rival| rival.meta.name.to_string()),
            exempt: false,
            uninstalled: false,
        }
    }

    fn workload(&self, deployment: &Rc<Deployment>, rollout: &str) -> Workload {
        let labels = &deployment.raw["metadata"]["labels"];
        let hold = Hold::of(&deployment.raw);
        let fields = live(deployment);
        let replicas = match &fields {
            Live::Deployment(_) => deployment.spec.replicas,
            Live::StatefulSet(live) => live.reach(&hold),
            Live::CloneSet(live) => live.reach(&hold),
            Live::DaemonSet(live) => live.nodes,
        };
        let sets = match &fields {
            _ if !self.sets_synced => {
                Fact::Unknown("ReplicaSets and pods are not watched".to_owned())
            }
            Live::Deployment(_) => Fact::Known(self.sets_of(deployment)),
            numbered => self.revisions_of(deployment, numbered, &hold),
        };
        Workload {
            uid: deployment.meta.uid.to_string(),
            generation: deployment.meta.generation,
            observed_generation: deployment.status.observed_generation,
            replicas,
            armed: labels[ARMED_LABEL] == ARMED_VALUE && labels[ROLLOUT_LABEL] == rollout,
            fields,
            hold,
            hold_text: deployment.annotations.get(HOLD_ANNOTATION).cloned(),
            projected: admission::is_projected(&deployment.raw),
            revision: deployment.revision.clone(),
            sets,
        }
    }

    /// The ControllerRevisions of a workload with their pods, or why they cannot be told.
    fn revisions_of(&self, workload: &Deployment, live: &Live, hold: &Reading) -> Fact<Sets> {
        let mine = self.sets.iter().filter(|set| set.owner == workload.meta.uid);
        let revisions = mine.map(|set| NumberedRevision {
            name: set.meta.name.to_string(),
            uid: set.meta.uid.to_string(),
            resource_version: set.meta.version.to_string(),
            number: set.number(DEPLOYMENT_REVISION_ANNOTATION).unwrap_or(0).into(),
            revision: set.revision.clone(),
        });
        let pods = self.pods.iter().filter(|pod| pod.owner == workload.meta.uid && pod.is_active());
        let pods = pods.map(|pod| (pod.set.to_string(), seen_pod(pod)));
        live.sets(hold, &workload.revision, revisions.collect(), pods.collect())
    }

    /// Newest first by the stock controller's number; of several with the live template the
    /// oldest is the update's.
    fn sets_of(&self, deployment: &Deployment) -> Sets {
        let mut mine: Vec<_> =
            self.sets.iter().filter(|set| set.owner == deployment.meta.uid).collect();
        let number = |set: &ReplicaSet| set.number(DEPLOYMENT_REVISION_ANNOTATION).unwrap_or(0);
        let age = |set: &ReplicaSet| (number(set), set.meta.created, Rc::clone(&set.meta.name));
        mine.sort_by_key(|set| std::cmp::Reverse(age(set)));
        let update = mine
            .iter()
            .filter(|set| set.revision == deployment.revision)
            .min_by_key(|set| (set.meta.created, &set.meta.name))
            .map(|set| Rc::clone(&set.meta.uid));
        let mut sets = Sets::default();
        for set in mine {
            let seen = self.set(set);
            if update.as_deref() == Some(&*seen.uid) {
                sets.update = Some(seen);
            } else {
                sets.old.push(seen);
            }
        }
        sets
    }

    fn set(&self, set: &ReplicaSet) -> Set {
        let pods = self.pods.iter().filter(|pod| pod.owner == set.meta.uid && pod.is_active());
        let current = set.status.observed_generation >= set.meta.generation;
        Set {
            name: set.meta.name.to_string(),
            uid: set.meta.uid.to_string(),
            resource_version: set.meta.version.to_string(),
            revision: set.revision.clone(),
            pod_hash: set.revision.to_string(),
            replicas: set.replicas,
            min_ready_seconds: set.min_ready_seconds,
            available: current.then_some(set.status.available),
            desired: set.number(DESIRED_REPLICAS_ANNOTATION),
            pods: pods.map(|pod| seen_pod(pod)).collect(),
            kept: KeptPods::default(),
        }
    }
}

fn live(workload: &Deployment) -> Live {
    let spec = &workload.spec;
    let current = workload.current.as_deref().map(str::to_owned);
    if let Some(fields) = workload.daemon {
        return Live::DaemonSet(live_daemonset(workload, fields));
    }
    match (workload.stateful, workload.cloneset) {
        (None, Some(fields)) => Live::CloneSet(CloneSet {
            fields,
            size: spec.replicas,
            surge: match spec.strategy {
                Strategy::RollingUpdate { max_surge, .. } => max_surge.ceil_of(spec.replicas),
                Strategy::Recreate => 0,
            },
            paused: spec.paused,
            min_ready_seconds: spec.min_ready_seconds,
            deadline_seconds: Some(spec.progress_deadline_seconds).filter(|it| *it != NO_DEADLINE),
            current,
        }),
        (None, None) => Live::Deployment(Fields {
            paused: spec.paused,
            min_ready_seconds: spec.min_ready_seconds,
            progress_deadline_seconds: spec.progress_deadline_seconds,
            strategy: spec.strategy,
        }),
        (Some(stateful), _) => Live::StatefulSet(Stateful {
            fields: stateful.fields,
            size: spec.replicas,
            start: 0,
            min_ready_seconds: spec.min_ready_seconds,
            ordered: stateful.ordered,
            current,
        }),
    }
}

fn live_daemonset(workload: &Deployment, fields: DaemonSetFields) -> DaemonSet {
    let rolling = match workload.spec.strategy {
        Strategy::RollingUpdate { max_surge, max_unavailable } => (max_surge, max_unavailable),
        Strategy::Recreate => (IntOrPercent::Count(0), IntOrPercent::Count(1)),
    };
    let nodes = DaemonSetFields::counted(&workload.shown()).unwrap_or(1);
    DaemonSet {
        fields,
        nodes: i32::try_from(nodes).unwrap_or(i32::MAX),
        misscheduled: workload.status.misscheduled,
        max_unavailable: rolling.1,
        max_surge: rolling.0,
        min_ready_seconds: workload.spec.min_ready_seconds,
    }
}

fn seen_pod(pod: &objects::Pod) -> Pod {
    let trouble = if pod.is_ready() { None } else { pod.trouble.clone() };
    Pod {
        name: pod.meta.name.to_string(),
        uid: pod.meta.uid.to_string(),
        resource_version: pod.meta.version.to_string(),
        ready_since: pod.ready_since.map(crate::sim::moment::Moment::timestamp),
        trouble,
    }
}
