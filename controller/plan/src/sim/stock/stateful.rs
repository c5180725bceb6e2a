//! A model of the stock StatefulSet controller (Kubernetes 1.34, `stateful_set_control.go`): one
//! sync from caches that trail. It has no expectations: what its cache does not show it does
//! again, and the names of the pods keep that from harm.
//!
//! Not modelled: claims, ordinals.start, the gate for maxUnavailable, failed pods.

use std::rc::Rc;

use super::revisions::{Caches, Revisions};
use crate::sim::cluster::objects::{Deployment, DeploymentStatus, Pod, StatefulSpec};
use crate::sim::cluster::{Cluster, Refused};
use crate::sim::moment::Moment;

/// Syncs a StatefulSet; answers when it must be synced again although nothing happens.
pub fn sync(
    cluster: &mut Cluster,
    workload: &Rc<Deployment>,
    stateful: StatefulSpec,
    caches: &Caches<'_>,
) -> Result<Option<Moment>, Refused> {
    let revisions = Revisions::of(cluster, workload, caches)?;
    let mine = |pod: &&Rc<Pod>| pod.owner == workload.meta.uid;
    let pods: Vec<_> = caches.pods.iter().filter(mine).cloned().collect();
    let mut sync = Sync { cluster, workload, stateful, revisions, pods };
    let moved = sync.step();
    let current = sync.report()?;
    moved?;
    sync.revisions.clean_up(sync.cluster, workload, caches, &sync.pods, &current);
    Ok(sync.next_check())
}

/// One sync at work.
struct Sync<'a> {
    cluster: &'a mut Cluster,
    workload: &'a Rc<Deployment>,
    stateful: StatefulSpec,
    revisions: Revisions,
    /// As the cache has them, those that are going among them.
    pods: Vec<Rc<Pod>>,
}

impl Sync<'_> {
    fn size(&self) -> i32 {
        self.workload.spec.replicas
    }

    fn pod(&self, index: i32) -> Option<Rc<Pod>> {
        self.pods.iter().find(|pod| pod.ordinal() == Some(index)).cloned()
    }

    fn is_available(&self, pod: &Pod) -> bool {
        pod.is_active() && pod.is_available(self.workload.spec.min_ready_seconds, self.cluster.now)
    }

    /// Pods that are missing, then pods beyond the size, then one pod that is to be updated.
    fn step(&mut self) -> Result<(), Refused> {
        if self.fill()? || self.shrink() {
            return Ok(());
        }
        // Under OnDelete none is updated by itself.
        if let Some(partition) = self.stateful.fields.partition() {
            self.update_next(partition);
        }
        Ok(())
    }

    /// Makes what is missing, from the lowest on; in order each waits for all below it. True if
    /// that is all for now.
    fn fill(&mut self) -> Result<bool, Refused> {
        let ordered = self.stateful.ordered;
        for index in 0..self.size() {
            match self.pod(index) {
                None => {
                    self.create(index)?;
                    if ordered {
                        return Ok(true);
                    }
                }
                Some(pod) if ordered && !self.is_available(&pod) => return Ok(true),
                Some(_) => {}
            }
        }
        Ok(false)
    }

    /// Removes what is beyond the size, from the highest on; in order one at a time, and one that
    /// is not available only if it is the lowest such. True if that is all for now.
    fn shrink(&mut self) -> bool {
        let size = self.size();
        let mut beyond: Vec<_> =
            self.pods.iter().filter(|pod| pod.ordinal() >= Some(size)).collect();
        beyond.sort_by_key(|pod| std::cmp::Reverse(pod.ordinal()));
        let lowest = beyond.iter().rev().find(|pod| !self.is_available(pod));
        let beyond: Vec<_> = match (self.stateful.ordered, beyond.first()) {
            (false, _) => beyond.into_iter().filter(|pod| pod.is_active()).cloned().collect(),
            (true, None) => return false,
            (true, Some(top)) => {
                let first = lowest.is_some_and(|pod| pod.meta.uid == top.meta.uid);
                if !top.is_active() || !(self.is_available(top) || first) {
                    return true;
                }
                vec![Rc::clone(top)]
            }
        };
        beyond.iter().for_each(|pod| self.delete(pod));
        self.stateful.ordered
    }

    /// Takes away the highest pod that is not of the live template, once all above it are
    /// available.
    fn update_next(&mut self, partition: i32) {
        for index in (partition..self.size()).rev() {
            let Some(pod) = self.pod(index) else { return };
            if pod.set != self.revisions.update.meta.name && pod.is_active() {
                return self.delete(&pod);
            }
            if !self.is_available(&pod) {
                return;
            }
        }
    }

    fn create(&mut self, index: i32) -> Result<(), Refused> {
        let partition = self.stateful.fields.partition().unwrap_or(0);
        let of = Rc::clone(if index < partition {
            &self.revisions.current
        } else {
            &self.revisions.update
        });
        let name: Rc<str> = format!("{}-{index}", self.workload.meta.name).into();
        // The cache trails: it is there already.
        if self.cluster.pods.get(&name).is_some() {
            return Err(Refused::AlreadyExists);
        }
        self.cluster.create_pod(&name, &of);
        Ok(())
    }

    fn delete(&mut self, pod: &Pod) {
        self.cluster.update_pod(&pod.meta.name, |pod| pod.meta.deleting = true);
    }

    /// Writes the status: the current revision follows once all pods are of the live one, and
    /// ready. Answers which it is.
    fn report(&mut self) -> Result<Rc<str>, Refused> {
        let count = |pods: usize| i32::try_from(pods).unwrap_or(i32::MAX);
        let updated =
            |pod: &&Rc<Pod>| pod.is_active() && pod.set == self.revisions.update.meta.name;
        let status = DeploymentStatus {
            observed_generation: self.workload.meta.generation,
            replicas: count(self.pods.len()),
            updated: count(self.pods.iter().filter(updated).count()),
            ready: count(self.pods.iter().filter(|pod| pod.is_ready()).count()),
            available: count(self.pods.iter().filter(|pod| self.is_available(pod)).count()),
            misscheduled: 0,
        };
        let done = [status.updated, status.ready, status.replicas] == [self.size(); 3];
        let rolling = self.stateful.fields.partition().is_some();
        let current =
            if done && rolling { &self.revisions.update } else { &self.revisions.current };
        let current = Rc::clone(&current.meta.name);
        self.cluster.update_numbered_status(self.workload, status, Some(&current))?;
        Ok(current)
    }

    fn next_check(&self) -> Option<Moment> {
        let seconds = self.workload.spec.min_ready_seconds;
        let moments = self.pods.iter().filter_map(|pod| pod.available_at(seconds));
        moments.filter(|moment| *moment > self.cluster.now).min()
    }
}

#[cfg(test)]
mod tests;
