//! What a release means for a DaemonSet. While it is held its stock controller takes no pod away,
//! and makes every pod that is missing of the new version: so a batch is as many old pods taken
//! away as it is short of, one node after the other. Pods that are lost, and those of new nodes,
//! come up new without being asked: they count, and none is moved back.

use crds::status::Phase;
use crds::{UpdateType, Updating, Withheld};

use crate::action::{Action, Turn};
use crate::batch::Goal;
use crate::draft::Draft;
use crate::observed::{DaemonSet, Pod, Sets, Workload};
use crate::revisions::{Progress, count, others};
use crate::waiting::Wait;

/// Time for a batch where the Rollout gives none: a DaemonSet has no deadline of its own.
pub(crate) const DEADLINE_SECONDS: i64 = 600;

/// Nothing moves by itself.
pub(crate) const SHUT: Updating = Updating { by: UpdateType::OnDelete };

pub(crate) fn refused(live: &DaemonSet) -> Option<&'static str> {
    (live.fields.by == UpdateType::OnDelete).then_some("OnDelete")
}

/// The user's own type at rest.
pub(crate) fn own(live: &DaemonSet) -> Option<Updating> {
    refused(live).is_none().then_some(Updating { by: live.fields.by })
}

/// The hold in batch `index`.
pub(crate) fn held_at(hold: &Withheld, index: u32) -> Withheld {
    Withheld { batch: index, target: SHUT, ..hold.clone() }
}

/// What the user asks for and does not get while it is held.
pub(crate) fn reservation(live: &DaemonSet) -> Option<Turn> {
    let said = "maxSurge is not kept in a release: the new pod of a node comes once the old one is \
                gone, and maxUnavailable, at least 1, says how many at a time";
    (live.max_surge.ceil_of(live.nodes) > 0).then(|| Turn::warning("SurgeNotKept", said))
}

/// A batch whose pods are known.
pub(crate) struct Moving<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) live: &'a DaemonSet,
    pub(crate) hold: &'a Withheld,
    pub(crate) sets: &'a Sets,
    pub(crate) progress: &'a Progress,
    pub(crate) goal: Goal,
}

impl<'a> Moving<'a> {
    /// The stock controller has seen the last change: the nodes are counted for it. And there are
    /// no more pods than nodes, which would hide that one is missing.
    pub(crate) fn is_quiet(&self) -> bool {
        let seen = self.workload.observed_generation >= self.workload.generation;
        seen && !self.live.is_crowded(self.sets)
    }

    /// Takes old pods away until the batch is on its way. A failed release takes no more.
    pub(crate) fn keep_shares(&self, draft: &mut Draft<'_>) {
        if !self.is_quiet() {
            return draft.wait_quietly(Wait::StockController);
        }
        if draft.status.phase != Phase::Failed {
            self.surplus().into_iter().for_each(|pod| draft.act(Action::delete(pod)));
        }
    }

    /// Nodes whose pod is on its way out or in; that will be a new one.
    fn missing(&self) -> i32 {
        (self.workload.replicas - self.live.placed(self.sets)).max(0)
    }

    /// The old pods that go now: broken ones, whom nobody misses, before all others, and those of a
    /// version that was overtaken before stable ones. One that serves goes only while the user's
    /// maxUnavailable allows it.
    fn surplus(&self) -> Vec<&'a Pod> {
        let mut old: Vec<(bool, bool, &Pod)> = others(self.sets, &self.hold.revision)
            .flat_map(|set| set.pods.iter().map(move |pod| (set, pod)))
            .map(|(set, pod)| (is_ready(pod), set.revision == self.hold.stable, pod))
            .collect();
        old.sort_by(|a, b| (a.0, a.1, &a.2.name).cmp(&(b.0, b.1, &b.2.name)));
        let missing = self.missing();
        let broken = count(old.iter().filter(|(ready, ..)| !ready));
        let coming = (self.progress.new - self.progress.ready).max(0);
        let room = self.live.may_be_unavailable() - missing - broken - coming;
        let short = self.goal.new_pods(self.workload.replicas) - self.progress.new - missing;
        // The broken ones come first, and cost nothing.
        let most = short.min(broken + room.max(0)).max(0);
        old.into_iter().take(usize::try_from(most).unwrap_or(0)).map(|(.., pod)| pod).collect()
    }
}

fn is_ready(pod: &Pod) -> bool {
    pod.ready_since.is_some()
}

#[cfg(test)]
mod tests;
