//! What invariant 1 is for a CloneSet where it is not what it is for a Deployment.
//!
//! A lost pod comes back of whichever part is short, so that a batch is never exceeded by losses.
//! Only scaling may exceed it, and only in the moment in which a batch moves: the partition is then
//! a share of the old number of replicas, and what it leaves of the new number is made at once, in
//! the new version. That many, once for each scaling, are allowed until they are moved back. A
//! partition that stays after its batch has to leave no pod too many at any number of replicas.

use super::{Release, Releases, reach};
use crate::sim::check::pods::Pods;
use crate::sim::cluster::Cluster;
use crate::sim::cluster::objects::Deployment;

/// Scalings up that a partition is tried for.
const TRIED: i32 = 60;

impl Releases {
    /// What the partition makes of the new number, and what the stock controller may be about to
    /// make of the old one.
    pub(super) fn scaled_cloneset(
        &mut self,
        pods: &Pods,
        cluster: &Cluster,
        now: &Deployment,
        before: &Deployment,
    ) {
        let (after, was) = (self.reachable(now), self.reachable(before));
        let allowed = |release: &Release, replicas| self.allowed(release, replicas);
        let Some(release) = &self.current else { return };
        let about = reach(release, pods, cluster).max(allowed(release, was));
        let most = about.max(lets(now, now.spec.replicas));
        let is_more = most > allowed(release, after);
        let Some(release) = self.current.as_mut().filter(|_| is_more) else { return };
        release.loose = Some(most.max(release.loose.unwrap_or(0)));
        release.was_loose = true;
    }

    /// Pods that the user's own partition keeps from updates.
    pub(super) fn kept(&self, replicas: i32) -> i32 {
        self.partition.map_or(0, |kept| kept.pods(replicas))
    }

    /// Whoever scales it up now gets more pods of the new version than the batch allows there.
    pub fn lets_more(&self, workload: &Deployment) -> bool {
        let replicas = workload.spec.replicas;
        let more = |release: &Release, scaled: i32| {
            let reached = scaled - self.kept(scaled);
            lets(workload, scaled) > self.allowed(release, reached)
        };
        let release = self.current.as_ref().filter(|it| it.revision == workload.revision);
        release.is_some_and(|it| (replicas..replicas + TRIED).any(|scaled| more(it, scaled)))
    }
}

/// Pods that the live partition leaves to the new version.
fn lets(workload: &Deployment, replicas: i32) -> i32 {
    replicas - workload.partition().pods(replicas)
}
