//! ControllerRevisions as the stock controllers of StatefulSets, CloneSets and DaemonSets keep
//! them: the one of the live template, and how many old ones stay. Owns the history, not what is
//! made of it.

use std::collections::BTreeMap;
use std::rc::Rc;

use crds::contract::DEPLOYMENT_REVISION_ANNOTATION;

use crate::sim::cluster::objects::{Deployment, Meta, Pod, ReplicaSet, SetStatus};
use crate::sim::cluster::table::View;
use crate::sim::cluster::{Cluster, Precondition, Refused};

/// The caches that a sync reads.
pub struct Caches<'a> {
    pub sets: &'a View<ReplicaSet>,
    pub pods: &'a View<Pod>,
}

/// The two revisions that count, each of which may be the other.
pub struct Revisions {
    /// Of the live template.
    pub update: Rc<ReplicaSet>,
    /// What kept pods are made of.
    pub current: Rc<ReplicaSet>,
}

impl Revisions {
    /// Without a current one the history begins here.
    pub fn of(
        cluster: &mut Cluster,
        workload: &Deployment,
        caches: &Caches<'_>,
    ) -> Result<Self, Refused> {
        let update = update_revision(cluster, workload, caches)?;
        let current = workload.current.as_deref().and_then(|name| caches.sets.get(name).cloned());
        let current = current.unwrap_or_else(|| Rc::clone(&update));
        Ok(Self { update, current })
    }

    /// Deletes the oldest revisions that nobody needs beyond the history limit; `current` is what
    /// the status says by now.
    pub fn clean_up(
        &self,
        cluster: &mut Cluster,
        workload: &Deployment,
        caches: &Caches<'_>,
        pods: &[Rc<Pod>],
        current: &str,
    ) {
        let live = |set: &ReplicaSet| {
            let name = &set.meta.name;
            **name == *current
                || *name == self.current.meta.name
                || *name == self.update.meta.name
                || pods.iter().any(|pod| pod.set == *name)
        };
        let mine = caches.sets.iter().filter(|set| set.owner == workload.meta.uid);
        let mut old: Vec<_> = mine.filter(|set| !live(set)).cloned().collect();
        let limit = usize::try_from(workload.spec.history_limit).unwrap_or(0);
        let excess = old.len().saturating_sub(limit);
        old.sort_by_key(|set| number(set));
        for set in old.iter().take(excess) {
            cluster.delete_set(&set.meta.name);
        }
    }
}

/// Its number.
pub fn number(set: &ReplicaSet) -> i32 {
    set.number(DEPLOYMENT_REVISION_ANNOTATION).unwrap_or(0)
}

fn numbered(mut set: ReplicaSet, number: i32) -> ReplicaSet {
    set.annotations.insert(DEPLOYMENT_REVISION_ANNOTATION.to_owned(), number.to_string());
    set
}

/// The revision of the live template: an old one that is the same comes again, with a new number.
fn update_revision(
    cluster: &mut Cluster,
    workload: &Deployment,
    caches: &Caches<'_>,
) -> Result<Rc<ReplicaSet>, Refused> {
    let mine = || caches.sets.iter().filter(|set| set.owner == workload.meta.uid);
    let next = 1 + mine().map(|set| number(set)).max().unwrap_or(0);
    if let Some(found) = mine().find(|set| set.revision == workload.revision) {
        if number(found) + 1 == next {
            return Ok(Rc::clone(found));
        }
        let again = numbered(ReplicaSet::clone(found), next);
        return cluster.update_set(&Precondition::version(found.meta.version), again);
    }
    let name: Rc<str> = format!("{}-{}", workload.meta.name, workload.revision).into();
    let revision = ReplicaSet {
        meta: Meta { name: Rc::clone(&name), ..workload.meta.clone() },
        owner: Rc::clone(&workload.meta.uid),
        sizeless: true,
        // It copies what the workload has in the moment in which it is made.
        annotations: BTreeMap::clone(&workload.annotations),
        replicas: 0,
        min_ready_seconds: 0,
        template: Rc::clone(&workload.template),
        revision: workload.revision.clone(),
        status: SetStatus::default(),
    };
    let revision = numbered(revision, next);
    cluster.create_set(&name, |meta| ReplicaSet { meta, ..revision })
}
