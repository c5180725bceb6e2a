//! What a release means for a CloneSet. Its stock controller keeps as many pods of the old version
//! as the partition says, and makes a pod that is lost, or added, of whatever is missing. So the
//! partition is a share of the pods while a batch moves. Once its pods are there it stays so if
//! that share is the batch's at any scale; otherwise it goes back to all, where scaling makes no
//! pod of the new version, and raising it takes none back.

use crds::{Hold, HoldState, Kept, Portion, Portioned, Revision};

use crate::action::Action;
use crate::batch::Goal;
use crate::draft::Draft;
use crate::observed::{CloneSet, CloneSetFields, Pod, Set, Sets, Workload};
use crate::revisions::{all, count, others, ready_of, write};
use crate::waiting::Wait;

/// Time for a batch where neither the Rollout nor the CloneSet gives one.
pub(crate) const DEADLINE_SECONDS: i64 = 600;

pub(crate) fn refused(live: &CloneSet) -> Option<&'static str> {
    (live.fields == CloneSetFields::OnDelete).then_some("OnDelete")
}

/// Nothing more moves.
pub(crate) const SHUT: Portion = Portion { partition: Kept::ALL };

/// The user's own partition at rest.
pub(crate) fn own(live: &CloneSet) -> Option<Portion> {
    live.fields.partition().map(|partition| Portion { partition })
}

/// On the way back to `revision` the user's own partition would keep pods of the version that is
/// taken back: they come back as `revision` once they are gone, one after the other.
pub(crate) fn clear_the_way(
    draft: &mut Draft<'_>,
    workload: &Workload,
    live: &CloneSet,
    sets: &Sets,
    revision: &Revision,
) {
    let own = live.own_partition(&workload.hold).pods(live.size);
    let left: Vec<&Pod> = others(sets, revision).flat_map(|set| &set.pods).collect();
    let acted = workload.observed_generation >= workload.generation;
    // Until only what it keeps is left the stock controller takes pods away itself.
    if own == 0 || !acted || count(left.iter()) + kept(sets) > own {
        return;
    }
    let unready = left.iter().find(|pod| pod.ready_since.is_none());
    if let Some(pod) = unready.or(left.first().filter(|_| is_whole(live, sets))) {
        draft.act(Action::delete(pod));
    }
}

/// As many pods as there have to be are ready, those that its own partition keeps among them.
fn is_whole(live: &CloneSet, sets: &Sets) -> bool {
    all(sets).map(|set| set.kept.ready + ready_of(set)).sum::<i32>() >= live.size
}

fn kept(sets: &Sets) -> i32 {
    all(sets).map(|set| set.kept.pods).sum()
}

/// Pods that are to be of the stable version: all but those known as kept.
pub(crate) fn wanted_back(live: &CloneSet, sets: &Sets) -> i32 {
    live.size - kept(sets)
}

/// Pods beside those known as kept that its own partition keeps once a release is over: if the
/// current revision's are not the last to be updated, it keeps others in their place.
pub(crate) fn may_keep(workload: &Workload, live: &CloneSet, sets: &Sets) -> i32 {
    live.own_partition(&workload.hold).pods(live.size) - kept(sets)
}

/// A batch whose pods are known.
pub(crate) struct Moving<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) live: &'a CloneSet,
    pub(crate) hold: &'a Portioned,
    pub(crate) sets: &'a Sets,
    pub(crate) goal: Goal,
}

impl<'a> Moving<'a> {
    /// The stock controller has acted on the last change, and no pod is left that scaling down is
    /// going to remove.
    pub(crate) fn is_quiet(&self) -> bool {
        let seen = self.workload.observed_generation >= self.workload.generation;
        (seen || self.hold.batch == 0) && self.pods() <= self.live.size + self.live.surge
    }

    /// The hold for batch `index`, which is to end with `goal`.
    pub(crate) fn held_at(&self, index: u32, goal: Goal) -> Portioned {
        let target = Portion { partition: self.partition(goal) };
        Portioned { batch: index, target, ..self.hold.clone() }
    }

    fn of_update(&self) -> impl Iterator<Item = &'a Set> {
        all(self.sets).filter(|set| set.revision == self.hold.revision)
    }

    fn updated(&self) -> i32 {
        self.of_update().map(|set| count(set.pods.iter())).sum()
    }

    fn pods(&self) -> i32 {
        kept(self.sets) + all(self.sets).map(|set| count(set.pods.iter())).sum::<i32>()
    }

    /// Pods that are too many go, and the shut partition would make that new ones: those of a surge
    /// stand beside the old ones that they replace.
    fn is_surging(&self) -> bool {
        self.pods() > self.live.size
    }

    /// The share that leaves exactly the batch's pods to the new version.
    fn partition(&self, goal: Goal) -> Kept {
        if goal == Goal::All {
            return self.hold.original.partition;
        }
        let most = goal.new_pods(self.workload.replicas);
        let share = Kept::share(self.live.size - most, self.live.size);
        match self.updated() {
            updated if updated < most => share,
            updated if updated == most && (matches!(goal, Goal::Ratio(_)) || self.is_surging()) => {
                share
            }
            _ => Kept::ALL,
        }
    }

    /// New pods that a partition lets be.
    fn reach(&self, partition: Kept) -> i32 {
        self.live.size - partition.pods(self.live.size)
    }

    /// Moves the partition, or a pod that is beyond it.
    pub(crate) fn keep_shares(&self, draft: &mut Draft<'_>) {
        let next = self.held_at(self.hold.batch, self.goal);
        let most = self.goal.new_pods(self.workload.replicas);
        // Up it goes at once where scaling would make pods beyond the batch.
        let loose = self.goal != Goal::All && self.reach(self.hold.target.partition) > most;
        if !self.is_quiet() && !loose {
            return draft.wait_quietly(Wait::StockController);
        }
        if next != *self.hold {
            return draft.act(self.write(next));
        }
        self.move_back(draft, most);
    }

    /// Under the user's own pause nothing is updated, but what scaling makes would be of the new
    /// version.
    pub(crate) fn lower_shares(&self, draft: &mut Draft<'_>) {
        let most = self.goal.new_pods(self.workload.replicas);
        let within = self.reach(self.hold.target.partition) <= most;
        let stays = match self.goal {
            Goal::All => true,
            Goal::Ratio(_) => within,
            Goal::Share(_) | Goal::Beside | Goal::Shut => self.hold.target.partition == Kept::ALL,
        };
        if !stays {
            draft.act(self.write(Portioned { target: SHUT, ..self.hold.clone() }));
        }
    }

    /// Scaling in the moment in which a batch moves may make more new pods than it allows: one
    /// after the other comes back as the old version, and none while any pod is missing.
    fn move_back(&self, draft: &mut Draft<'_>, most: i32) {
        let comes_back = self.of_update().any(|set| self.live.is_current(&set.name));
        if self.updated() <= most || self.hold.target.partition != Kept::ALL || comes_back {
            return;
        }
        draft.wait_quietly(Wait::MovingBack { allowed: most });
        let pods: Vec<&Pod> = self.of_update().flat_map(|set| &set.pods).collect();
        let unready = pods.iter().find(|pod| pod.ready_since.is_none());
        let whole = is_whole(self.live, self.sets);
        if let Some(pod) = unready.or(pods.first().filter(|_| whole)) {
            draft.act(Action::delete(pod));
        }
    }

    /// The hold was written while no webhook answered: the partition is where it was.
    pub(crate) fn project_again(&self, draft: &mut Draft<'_>) {
        if !self.is_quiet() {
            return draft.wait_quietly(Wait::StockController);
        }
        let again = match self.hold.batch {
            0 => self.hold.clone(),
            batch => self.held_at(batch, self.goal),
        };
        draft.act(self.write(again));
        draft.wait(Wait::Webhook);
    }

    fn write(&self, held: Portioned) -> Action {
        let hold = Hold::of_release(HoldState::Portioned(held));
        Action::WriteHold(write(self.workload, Some(hold)))
    }
}

#[cfg(test)]
mod tests;
