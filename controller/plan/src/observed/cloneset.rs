//! A CloneSet as read, and its pods by revision. Pure; who read them is the shell's business.

use crds::hold::Reading;
use crds::project::CloneSetFields;
use crds::{HoldState, Kept, Revision};

use super::numbered::{NumberedRevision, hash_of, split};
use super::{Fact, KeptPods, Pod, Sets};
use crate::revisions::count;

/// What a release has to know of a CloneSet's spec.
#[derive(Clone, Debug, PartialEq)]
pub struct CloneSet {
    /// The projected ones.
    pub fields: CloneSetFields,
    /// spec.replicas.
    pub size: i32,
    /// Pods beyond it that its own maxSurge allows.
    pub surge: i32,
    /// spec.updateStrategy.paused.
    pub paused: bool,
    /// spec.minReadySeconds.
    pub min_ready_seconds: i32,
    /// spec.progressDeadlineSeconds.
    pub deadline_seconds: Option<i32>,
    /// status.currentRevision: the name of what the kept pods are made of.
    pub current: Option<String>,
}

impl CloneSet {
    /// The user's own partition.
    #[must_use]
    pub fn own_partition(&self, hold: &Reading) -> Kept {
        if let Reading::Hold(hold) = hold
            && let HoldState::Portioned(held) = &hold.state
        {
            return held.original.partition;
        }
        self.fields.partition().unwrap_or(Kept::Pods(0))
    }

    /// Pods that an update may reach.
    #[must_use]
    pub fn reach(&self, hold: &Reading) -> i32 {
        (self.size - self.own_partition(hold).pods(self.size)).max(0)
    }

    /// What is lost, or made by scaling up, is made of this revision while it is kept.
    pub(crate) fn is_current(&self, revision: &str) -> bool {
        self.current.as_deref().is_some_and(|current| hash_of(current) == hash_of(revision))
    }

    /// The pods by revision; each comes with the label that names its revision.
    #[must_use]
    pub fn sets(
        &self,
        hold: &Reading,
        live: &Revision,
        revisions: Vec<NumberedRevision>,
        mut pods: Vec<(String, Pod)>,
    ) -> Fact<Sets> {
        let short = pods.iter().any(|(label, _)| !label.is_empty() && hash_of(label) == label);
        let live_hash = revisions.iter().find(|one| one.revision == *live);
        let is_live =
            |label: &str| live_hash.is_some_and(|one| hash_of(&one.name) == hash_of(label));
        // The user's own partition keeps pods of this revision; which ones is nobody's choice.
        // Those that an update would reach last are nobody's business here.
        let is_kept = |label: &str| self.is_current(label) && !is_live(label);
        pods.sort_by_key(|(label, pod)| {
            (!is_kept(label), pod.ready_since.is_none(), pod.ready_since, pod.name.clone())
        });
        let kept = pods.iter().take_while(|(label, _)| is_kept(label)).count();
        let own = self.own_partition(hold).pods(self.size);
        let kept: Vec<_> = pods.drain(..kept.min(usize::try_from(own).unwrap_or(0))).collect();
        let ready = kept.iter().filter(|(_, pod)| pod.ready_since.is_some());
        let kept = KeptPods { ready: count(ready), pods: count(kept.iter()) };
        split(live, revisions, pods, |revision, mut pods| {
            pods.sort_by(|one, other| one.name.cmp(&other.name));
            let replicas = i32::try_from(pods.len()).unwrap_or(i32::MAX);
            let mut set = revision.set(replicas, self.min_ready_seconds, pods);
            if self.is_current(&set.name) {
                set.kept = kept;
            }
            if short {
                set.pod_hash = hash_of(&set.name).to_owned();
            }
            set
        })
    }
}
