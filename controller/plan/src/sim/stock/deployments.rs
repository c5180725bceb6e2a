//! A model of the stock Deployment controller (Kubernetes 1.34): one sync of a Deployment from
//! caches that trail. Every write carries the resourceVersion that the cache had, so a second
//! write to an object in one sync may conflict, and the sync is tried again, as in the original.
//!
//! Its cache of ReplicaSets has its own writes at once. The original has them after some
//! milliseconds; a sync in between may make it exceed maxSurge by itself, with Sluice or without.
//!
//! Not modelled: conditions, events, `rollbackTo`, hash collisions, adoption.

use std::rc::Rc;

use crds::contract::{
    DEPLOYMENT_REVISION_ANNOTATION, DESIRED_REPLICAS_ANNOTATION, LAST_APPLIED_ANNOTATION,
    MAX_REPLICAS_ANNOTATION,
};

use super::revisions::Caches;
use super::{arithmetic, cloneset, daemonset, stateful};
use crate::observed::Strategy;
use crate::sim::cluster::objects::{
    Deployment, DeploymentStatus, Meta, Node, Pod, ReplicaSet, SetStatus,
};
use crate::sim::cluster::table::View;
use crate::sim::cluster::{Cluster, Precondition, Refused};
use crate::sim::moment::Moment;
use crate::sim::random::Random;

/// The controller: its caches. Where the Deployment is a StatefulSet, a CloneSet or a DaemonSet, it
/// is the controller of those.
pub struct DeploymentController {
    pub deployments: View<Deployment>,
    pub sets: View<ReplicaSet>,
    pub pods: View<Pod>,
    pub nodes: View<Node>,
    /// Changes of pods that its cache has to show before it acts on a CloneSet or DaemonSet again.
    expected: usize,
    random: Random,
}

/// Annotations that are not copied to ReplicaSets.
const NOT_COPIED: [&str; 4] = [
    LAST_APPLIED_ANNOTATION,
    DEPLOYMENT_REVISION_ANNOTATION,
    DESIRED_REPLICAS_ANNOTATION,
    MAX_REPLICAS_ANNOTATION,
];

impl DeploymentController {
    /// A controller that has listed nothing yet; `random` names a CloneSet's
    /// and a DaemonSet's pods.
    pub fn new(random: Random) -> Self {
        let (deployments, sets, pods) = (View::default(), View::default(), View::default());
        let nodes = View::default();
        Self { deployments, sets, pods, nodes, expected: 0, random }
    }

    /// Pods that come and get ready matter to it.
    pub fn watches_pods(&self) -> bool {
        self.deployments.iter().any(|workload| workload.is_numbered())
    }

    /// Syncs a Deployment; an error means: again, after a moment. Answers when it must be synced
    /// again although nothing happens.
    pub fn sync(&mut self, cluster: &mut Cluster, name: &str) -> Result<Option<Moment>, Refused> {
        let Some(deployment) = self.deployments.get(name).cloned() else { return Ok(None) };
        let caches = Caches { sets: &self.sets, pods: &self.pods };
        if let Some(spec) = deployment.stateful {
            return stateful::sync(cluster, &deployment, spec, &caches);
        }
        if deployment.cloneset.is_some() || deployment.daemon.is_some() {
            let settled = self.pods.has_seen(self.expected);
            let (before, names) = (cluster.pods.changes(), &mut self.random);
            let done = match (deployment.cloneset, settled) {
                (None, _) => {
                    let nodes = (&self.nodes, settled);
                    daemonset::sync(cluster, &deployment, &caches, nodes, names)
                }
                (Some(_), true) => cloneset::sync(cluster, &deployment, &caches, names),
                (Some(_), false) => Ok(None),
            };
            if cluster.pods.changes() > before {
                self.expected = cluster.pods.changes();
            }
            return done;
        }
        let mut owned: Vec<_> =
            self.sets.iter().filter(|set| set.owner == deployment.meta.uid).cloned().collect();
        owned.sort_by(|a, b| age(a).cmp(&age(b)));
        let deployment = Deployment::clone(&deployment);
        let mut sync = Sync { cluster, deployment, owned, wrote: Vec::new() };
        let done = sync.run(&self.pods);
        sync.wrote.iter().for_each(|set| self.sets.wrote(set));
        done.map(|()| None)
    }
}

/// Creation time, then name.
pub(super) fn age(set: &ReplicaSet) -> (crate::sim::moment::Moment, &str) {
    (set.meta.created, &set.meta.name)
}

/// One sync at work.
pub(super) struct Sync<'a> {
    pub cluster: &'a mut Cluster,
    pub deployment: Deployment,
    /// The Deployment's ReplicaSets as the cache has them, oldest first.
    owned: Vec<Rc<ReplicaSet>>,
    /// What its writes to ReplicaSets returned.
    wrote: Vec<Rc<ReplicaSet>>,
}

/// The ReplicaSets as one step of a sync has them.
pub(super) struct Owned {
    pub new: Option<Rc<ReplicaSet>>,
    /// Oldest first.
    pub old: Vec<Rc<ReplicaSet>>,
}

impl Owned {
    pub fn all(&self) -> impl Iterator<Item = &Rc<ReplicaSet>> {
        self.old.iter().chain(&self.new)
    }

    pub fn active(&self) -> impl Iterator<Item = &Rc<ReplicaSet>> {
        self.all().filter(|set| set.replicas > 0)
    }

    pub fn total(&self) -> i32 {
        self.all().map(|set| set.replicas).sum()
    }

    pub fn available(&self) -> i32 {
        self.all().map(|set| set.status.available).sum()
    }
}

impl Sync<'_> {
    fn run(&mut self, pods: &View<Pod>) -> Result<(), Refused> {
        if self.deployment.spec.paused || self.is_scaling_event()? {
            return self.scale_and_report();
        }
        match self.deployment.spec.strategy {
            Strategy::RollingUpdate { .. } => self.roll(),
            Strategy::Recreate => self.recreate(pods),
        }
    }

    fn is_scaling_event(&mut self) -> Result<bool, Refused> {
        let owned = self.sets(false)?;
        let wanted = self.deployment.spec.replicas;
        let differs = |set: &Rc<ReplicaSet>| {
            set.number(DESIRED_REPLICAS_ANNOTATION).is_some_and(|desired| desired != wanted)
        };
        Ok(owned.active().any(differs))
    }

    fn scale_and_report(&mut self) -> Result<(), Refused> {
        let owned = self.sets(false)?;
        self.scale(&owned)?;
        if self.deployment.spec.paused {
            self.clean_up(&owned.old);
        }
        self.report(&owned)
    }

    /// All ReplicaSets, the new one brought up to date or, if wanted, created.
    pub fn sets(&mut self, create: bool) -> Result<Owned, Refused> {
        let is_new = |set: &Rc<ReplicaSet>| set.revision == self.deployment.revision;
        let new = self.owned.iter().find(|set| is_new(set)).cloned();
        let old: Vec<_> = self.owned.iter().filter(|set| !is_new(set)).cloned().collect();
        let number = 1 + old.iter().filter_map(|set| revision_number(set)).max().unwrap_or(0);
        let new = match new {
            Some(set) => Some(self.refresh(&set, number)?),
            None if create => Some(self.create(&old, number)?),
            None => None,
        };
        Ok(Owned { new, old })
    }

    fn refresh(&mut self, set: &Rc<ReplicaSet>, number: i64) -> Result<Rc<ReplicaSet>, Refused> {
        let mut wanted = ReplicaSet::clone(set);
        self.annotate(&mut wanted, number);
        wanted.min_ready_seconds = self.deployment.spec.min_ready_seconds;
        if wanted.annotations != set.annotations
            || wanted.min_ready_seconds != set.min_ready_seconds
        {
            return self.update(set, wanted);
        }
        self.number_deployment(wanted.annotations.get(DEPLOYMENT_REVISION_ANNOTATION).cloned())?;
        Ok(Rc::clone(set))
    }

    fn create(&mut self, old: &[Rc<ReplicaSet>], number: i64) -> Result<Rc<ReplicaSet>, Refused> {
        let deployment = &self.deployment;
        let spec = deployment.spec;
        let name: Rc<str> = format!("{}-{}", deployment.meta.name, deployment.revision).into();
        let total = old.iter().map(|set| set.replicas).sum();
        let mut wanted = ReplicaSet {
            meta: Meta { name: Rc::clone(&name), ..deployment.meta.clone() },
            owner: Rc::clone(&deployment.meta.uid),
            sizeless: false,
            annotations: std::collections::BTreeMap::new(),
            replicas: arithmetic::new_set_size(&spec, total, 0),
            min_ready_seconds: spec.min_ready_seconds,
            template: Rc::clone(&deployment.template),
            revision: deployment.revision.clone(),
            status: SetStatus::default(),
        };
        self.annotate(&mut wanted, number);
        self.annotate_size(&mut wanted);
        let created = match self.cluster.create_set(&name, |meta| ReplicaSet { meta, ..wanted }) {
            // The cache trails: it is there already.
            Err(Refused::AlreadyExists) => {
                let existing = self.owned.iter().find(|set| set.meta.name == name);
                existing.cloned().ok_or(Refused::NotFound)?
            }
            created => {
                let created = created?;
                self.wrote.push(Rc::clone(&created));
                created
            }
        };
        self.number_deployment(Some(number.to_string()))?;
        Ok(created)
    }

    /// Copies the Deployment's annotations and raises the revision number. Nothing is ever taken
    /// away: that is how an annotation outlives its cause on a ReplicaSet.
    fn annotate(&self, set: &mut ReplicaSet, number: i64) {
        for (key, text) in self.deployment.annotations.iter() {
            if !NOT_COPIED.contains(&key.as_str()) {
                set.annotations.insert(key.clone(), text.clone());
            }
        }
        if revision_number(set).unwrap_or(0) < number {
            set.annotations.insert(DEPLOYMENT_REVISION_ANNOTATION.to_owned(), number.to_string());
        }
    }

    pub fn annotate_size(&self, set: &mut ReplicaSet) {
        let spec = &self.deployment.spec;
        let max = spec.replicas + arithmetic::max_surge(spec);
        let numbers =
            [(DESIRED_REPLICAS_ANNOTATION, spec.replicas), (MAX_REPLICAS_ANNOTATION, max)];
        for (key, number) in numbers {
            set.annotations.insert(key.to_owned(), number.to_string());
        }
    }

    /// Writes the revision number into the Deployment, by a status write as the original does:
    /// what the sync writes to the Deployment after it will conflict.
    fn number_deployment(&mut self, number: Option<String>) -> Result<(), Refused> {
        let Some(number) = number else { return Ok(()) };
        if self.deployment.annotations.get(DEPLOYMENT_REVISION_ANNOTATION) == Some(&number) {
            return Ok(());
        }
        Rc::make_mut(&mut self.deployment.annotations)
            .insert(DEPLOYMENT_REVISION_ANNOTATION.to_owned(), number.clone());
        let status = self.deployment.status;
        self.cluster.update_deployment_status(&self.deployment, status, Some(&number))
    }

    /// Resizes a ReplicaSet if its size differs.
    pub fn resize(&mut self, set: &Rc<ReplicaSet>, size: i32) -> Result<Rc<ReplicaSet>, Refused> {
        if set.replicas == size { Ok(Rc::clone(set)) } else { self.write_size(set, size) }
    }

    /// Writes a ReplicaSet's size and the size annotations if any of them differs.
    pub fn write_size(
        &mut self,
        set: &Rc<ReplicaSet>,
        size: i32,
    ) -> Result<Rc<ReplicaSet>, Refused> {
        let mut wanted = ReplicaSet::clone(set);
        wanted.replicas = size;
        self.annotate_size(&mut wanted);
        if wanted.replicas == set.replicas && wanted.annotations == set.annotations {
            return Ok(Rc::clone(set));
        }
        self.update(set, wanted)
    }

    fn update(&mut self, seen: &ReplicaSet, wanted: ReplicaSet) -> Result<Rc<ReplicaSet>, Refused> {
        let precondition = Precondition::version(seen.meta.version);
        let written = self.cluster.update_set(&precondition, wanted)?;
        self.wrote.push(Rc::clone(&written));
        Ok(written)
    }

    /// Deletes the oldest empty ReplicaSets beyond the history limit.
    pub fn clean_up(&mut self, old: &[Rc<ReplicaSet>]) {
        let limit = self.deployment.spec.history_limit;
        let excess = old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        let mut sets: Vec<_> = old.to_vec();
        sets.sort_by(|a, b| (revision_number(a), age(a)).cmp(&(revision_number(b), age(b))));
        for set in sets.iter().take(excess) {
            let settled = set.meta.generation <= set.status.observed_generation;
            if set.replicas == 0 && set.status.replicas == 0 && settled {
                self.cluster.delete_set(&set.meta.name);
            }
        }
    }

    /// Writes the Deployment's status if it differs.
    pub fn report(&mut self, owned: &Owned) -> Result<(), Refused> {
        let status = DeploymentStatus {
            observed_generation: self.deployment.meta.generation,
            replicas: owned.all().map(|set| set.status.replicas).sum(),
            updated: owned.new.as_ref().map_or(0, |set| set.status.replicas),
            ready: owned.all().map(|set| set.status.ready).sum(),
            available: owned.available(),
            misscheduled: 0,
        };
        if status == self.deployment.status {
            return Ok(());
        }
        self.cluster.update_deployment_status(&self.deployment, status, None)
    }
}

fn revision_number(set: &ReplicaSet) -> Option<i64> {
    set.annotations.get(DEPLOYMENT_REVISION_ANNOTATION)?.parse().ok()
}
