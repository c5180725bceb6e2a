//! A DaemonSet as read, and its pods by revision. Pure; who read them is the shell's business.

use crds::project::DaemonSetFields;
use crds::{IntOrPercent, Revision};

use super::numbered::{NumberedRevision, hash_of, split};
use super::{Fact, Pod, Sets};

/// What a release has to know of a DaemonSet.
#[derive(Clone, Debug, PartialEq)]
pub struct DaemonSet {
    /// The projected ones.
    pub fields: DaemonSetFields,
    /// Nodes that it is for, as its controller counts them; 1 before that has.
    pub nodes: i32,
    /// Nodes that have a pod of it and should not: what had been there before the node was closed.
    pub misscheduled: i32,
    /// spec.updateStrategy.rollingUpdate.maxUnavailable.
    pub max_unavailable: IntOrPercent,
    /// spec.updateStrategy.rollingUpdate.maxSurge.
    pub max_surge: IntOrPercent,
    /// spec.minReadySeconds.
    pub min_ready_seconds: i32,
}

impl DaemonSet {
    /// Nodes that may be without a pod that serves: the stock rounding, and at least one.
    #[must_use]
    pub fn may_be_unavailable(&self) -> i32 {
        self.max_unavailable.ceil_of(self.nodes).max(1)
    }

    /// Pods on nodes that are to have one, as far as anybody knows.
    #[must_use]
    pub fn placed(&self, sets: &Sets) -> i32 {
        let all = sets.update.iter().chain(&sets.old);
        let pods: usize = all.map(|set| set.pods.len()).sum();
        i32::try_from(pods).unwrap_or(i32::MAX) - self.misscheduled
    }

    /// There are more pods than nodes: those of a node that is gone stay for a while, and look as
    /// they did.
    #[must_use]
    pub fn is_crowded(&self, sets: &Sets) -> bool {
        self.placed(sets) > self.nodes
    }

    /// The pods by revision; each comes with the label that names its revision.
    #[must_use]
    pub fn sets(
        &self,
        live: &Revision,
        revisions: Vec<NumberedRevision>,
        pods: Vec<(String, Pod)>,
    ) -> Fact<Sets> {
        split(live, revisions, pods, |revision, mut pods| {
            pods.sort_by(|one, other| one.name.cmp(&other.name));
            let replicas = i32::try_from(pods.len()).unwrap_or(i32::MAX);
            let mut set = revision.set(replicas, self.min_ready_seconds, pods);
            // The pods are labelled with the end of the name alone.
            set.pod_hash = hash_of(&set.name).to_owned();
            set
        })
    }
}
