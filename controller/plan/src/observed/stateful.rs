//! A StatefulSet as read, and its pods by revision. Pure; who read them is the shell's
//! business.

use crds::hold::Reading;
use crds::project::StatefulFields;
use crds::{HoldState, Revision};

use super::numbered::{NumberedRevision, split};
use super::{Fact, Pod, Set, Sets};

/// What a release has to know of a StatefulSet's spec.
#[derive(Clone, Debug, PartialEq)]
pub struct Stateful {
    /// The projected ones.
    pub fields: StatefulFields,
    /// spec.replicas.
    pub size: i32,
    /// spec.ordinals.start.
    pub start: i32,
    /// spec.minReadySeconds.
    pub min_ready_seconds: i32,
    /// spec.podManagementPolicy is OrderedReady: a pod that does not get ready stops all others.
    pub ordered: bool,
    /// status.currentRevision: the name of what pods below the partition are made of.
    pub current: Option<String>,
}

impl Stateful {
    /// The place of a pod of this name, counted from 0 as the partition is.
    #[must_use]
    pub fn index_of(&self, pod: &str) -> Option<i32> {
        let (_, ordinal) = pod.rsplit_once('-')?;
        Some(ordinal.parse::<i32>().ok()? - self.start)
    }

    /// The user's own partition: pods below it are never updated, and are nobody's business here.
    #[must_use]
    pub fn own_partition(&self, hold: &Reading) -> i32 {
        if let Reading::Hold(hold) = hold
            && let HoldState::Partitioned(held) = &hold.state
        {
            return held.original.partition;
        }
        self.fields.partition().unwrap_or(0)
    }

    /// Pods that an update may reach.
    #[must_use]
    pub fn reach(&self, hold: &Reading) -> i32 {
        (self.size - self.own_partition(hold).clamp(0, self.size)).max(0)
    }

    /// The pods by revision; each comes with the name of its ControllerRevision.
    #[must_use]
    pub fn sets(
        &self,
        hold: &Reading,
        live: &Revision,
        revisions: Vec<NumberedRevision>,
        mut pods: Vec<(String, Pod)>,
    ) -> Fact<Sets> {
        let own = self.own_partition(hold);
        pods.retain(|(_, pod)| self.index_of(&pod.name).is_some_and(|index| index >= own));
        split(live, revisions, pods, |revision, pods| self.set(revision, pods))
    }

    fn set(&self, revision: NumberedRevision, mut pods: Vec<Pod>) -> Set {
        pods.sort_by_key(|pod| self.index_of(&pod.name));
        let stays = |pod: &&Pod| self.index_of(&pod.name).is_some_and(|index| index < self.size);
        let replicas = i32::try_from(pods.iter().filter(stays).count()).unwrap_or(i32::MAX);
        revision.set(replicas, self.min_ready_seconds, pods)
    }
}
