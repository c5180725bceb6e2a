//! What invariant 1 is for a StatefulSet where it is not what it is for a Deployment: an update
//! reaches the pods from the user's own partition on, and what scaling makes follows the partition.

use crds::Revision;

use super::{Release, Releases, reach};
use crate::sim::check::pods::Pods;
use crate::sim::check::{is_fenced, is_shut};
use crate::sim::cluster::Cluster;
use crate::sim::cluster::objects::Deployment;
use crate::sim::moment::Moment;

impl Releases {
    /// While the partition is down the pods that scaling makes are of the new version, until it is
    /// up; who has shut it lets none be.
    pub(super) fn scaled_stateful(
        &mut self,
        pods: &Pods,
        cluster: &Cluster,
        now: &Deployment,
        before: &Deployment,
    ) {
        let (after, was) = (self.reachable(now), self.reachable(before));
        let more = (after - was).max(0);
        let allowed = self.current.as_ref().map_or(0, |release| self.allowed(release, was));
        if is_shut(before) {
            return;
        }
        let Some(release) = &mut self.current else { return };
        // The stock controller may be about to fill the batch as it was before.
        let count = reach(release, pods, cluster).max(allowed);
        release.loose = Some(count + more);
        release.was_loose = true;
    }

    /// Pods that an update may reach.
    pub fn reachable(&self, workload: &Deployment) -> i32 {
        let replicas = workload.spec.replicas;
        let kept = if workload.is_numbered() { self.kept(replicas) } else { 0 };
        (replicas - kept).max(0)
    }

    /// The same where the user's own partition may have come with this very write: of what is held
    /// it is not known yet.
    pub(super) fn live_reach(&self, workload: &Deployment) -> i32 {
        let replicas = workload.spec.replicas;
        if !workload.is_numbered() || is_fenced(workload) {
            return replicas;
        }
        (replicas - workload.partition().pods(replicas)).max(0)
    }

    /// The pods of the batch are ready, and another batch follows.
    pub fn has_arrived(&self, pods: &Pods, workload: &Deployment, now: Moment) -> bool {
        let arrived = |release: &Release| {
            release.revision == workload.revision
                && !release.had_all
                && !self.may_be_last(release.batch)
                && !self.full.contains(&release.revision)
                && self.is_done(release, pods, workload, now)
        };
        self.current.as_ref().is_some_and(arrived)
    }
}

/// The stock controller of a StatefulSet makes every pod below the partition of it, that of a
/// CloneSet every pod that is missing of the kept ones, whatever is stable: of the last revision
/// that all pods were of.
pub(super) fn is_current(revision: &Revision, workload: &Deployment, cluster: &Cluster) -> bool {
    let current = workload.current.as_deref().and_then(|name| cluster.sets.get(name));
    current.is_some_and(|set| set.revision == *revision)
}
