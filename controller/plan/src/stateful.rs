//! What a release means for a StatefulSet. Its stock controller gives the new version to the pods
//! from the partition on, from the top down, and makes every pod below it, lost or new, of the old
//! one. So the partition is down only while a batch moves: once its pods are there it goes back to
//! where scaling makes no pod of the new version at all, and raising it takes none back.

use std::collections::BTreeMap;

use crds::contract::FENCE_PARTITION;
use crds::{Hold, HoldState, Partition, Partitioned, Revision};

use crate::action::Action;
use crate::batch::Goal;
use crate::draft::Draft;
use crate::observed::{Pod, Sets, Stateful, StatefulFields, Workload};
use crate::revisions::{all, count, write};
use crate::waiting::Wait;

/// Time for a batch where the Rollout gives none: a StatefulSet has no deadline of its own.
pub(crate) const DEADLINE_SECONDS: i64 = 600;

pub(crate) fn refused(live: &Stateful) -> Option<&'static str> {
    (live.fields == StatefulFields::OnDelete).then_some("OnDelete")
}

/// Nothing more moves.
pub(crate) const SHUT: Partition = Partition { partition: FENCE_PARTITION };

/// The user's own partition at rest.
pub(crate) fn own(live: &Stateful) -> Option<Partition> {
    live.fields.partition().map(|partition| Partition { partition })
}

/// A StatefulSet whose pods come up one after the other waits for each for ever: one that does not
/// get ready and is not of the version that it is to have is taken away, and comes back as that.
pub(crate) fn clear_the_way(
    draft: &mut Draft<'_>,
    workload: &Workload,
    live: &Stateful,
    sets: &Sets,
    revision: &Revision,
) {
    let line = Line::of(live, sets, workload.replicas);
    if let Some(pod) = line.obstacle(revision, 0).or_else(|| line.straggler()) {
        draft.act(Action::delete(pod));
    }
}

/// The pods in the order in which their stock controller goes through them, if it does.
struct Line<'a> {
    /// The first that an update may reach.
    start: i32,
    size: i32,
    pods: BTreeMap<i32, (&'a Revision, &'a Pod)>,
}

impl<'a> Line<'a> {
    fn of(live: &Stateful, sets: &'a Sets, reach: i32) -> Self {
        let pods = all(sets).flat_map(|set| set.pods.iter().map(|pod| (&set.revision, pod)));
        let placed = pods.filter_map(|seen| Some((live.index_of(&seen.1.name)?, seen)));
        let pods = placed.filter(|_| live.ordered).collect();
        Self { start: live.size - reach, size: live.size, pods }
    }

    /// The first that is missing or not ready is where it waits. If that is a pod from index `from`
    /// on that is not of `revision`, it is in the way; none above it is.
    fn obstacle(&self, revision: &Revision, from: i32) -> Option<&'a Pod> {
        let waits = |index: &i32| !self.pods.get(index).is_some_and(|(_, pod)| is_ready(pod));
        let first = (self.start..self.size).find(waits)?;
        let (found, pod) = self.pods.get(&first)?;
        (first >= from && *found != revision).then_some(*pod)
    }

    /// Of two pods beyond the size that are not ready it takes neither: the upper one, then.
    fn straggler(&self) -> Option<&'a Pod> {
        let mut beyond = self.pods.range(self.size.max(0)..).rev().map(|(_, (_, pod))| *pod);
        let top = beyond.next().filter(|pod| !is_ready(pod))?;
        beyond.any(|pod| !is_ready(pod)).then_some(top)
    }
}

fn is_ready(pod: &Pod) -> bool {
    pod.ready_since.is_some()
}

/// A batch whose pods are known.
pub(crate) struct Moving<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) live: &'a Stateful,
    pub(crate) hold: &'a Partitioned,
    pub(crate) sets: &'a Sets,
    pub(crate) goal: Goal,
}

impl Moving<'_> {
    /// The stock controller has acted on the last change, and no pod is left that scaling down is
    /// going to remove.
    pub(crate) fn is_quiet(&self) -> bool {
        let seen = self.workload.observed_generation >= self.workload.generation;
        let leaving = |index: i32| index >= self.live.size;
        let pods = all(self.sets).flat_map(|set| &set.pods);
        let mut indices = pods.filter_map(|pod| self.live.index_of(&pod.name));
        (seen || self.hold.batch == 0) && !indices.any(leaving)
    }

    /// The hold for batch `index`, which is to end with `goal`.
    pub(crate) fn held_at(&self, index: u32, goal: Goal) -> Partitioned {
        let target = Partition { partition: self.partition(goal) };
        Partitioned { batch: index, target, ..self.hold.clone() }
    }

    /// Indices of the pods of the new version, those that scaling down removes left out.
    fn updated(&self) -> Vec<i32> {
        let new = all(self.sets).filter(|set| set.revision == self.hold.revision);
        let indices = new.flat_map(|set| &set.pods).filter_map(|pod| self.live.index_of(&pod.name));
        indices.filter(|index| *index < self.live.size).collect()
    }

    /// The lowest partition that lets no more new pods be than `goal` allows: those that are new
    /// below it stay so. None is let be where they all are there already.
    fn partition(&self, goal: Goal) -> i32 {
        let own = self.hold.original.partition;
        if goal == Goal::All {
            return own;
        }
        let most = goal.new_pods(self.workload.replicas);
        let updated = self.updated();
        if count(updated.iter()) >= most {
            return FENCE_PARTITION;
        }
        let below = |partition: i32| count(updated.iter().filter(|index| **index < partition));
        let reach = |partition: i32| self.live.size - partition + below(partition);
        (own..self.live.size).find(|at| reach(*at) <= most).unwrap_or(FENCE_PARTITION)
    }

    /// Moves the partition, or a pod that stands in the way of the batch or is beyond it.
    pub(crate) fn keep_shares(&self, draft: &mut Draft<'_>) {
        let next = self.held_at(self.hold.batch, self.goal);
        // Up it goes at once: what has been scaled up must not be of the new version.
        let rises = next.target.partition > self.hold.target.partition;
        let line = Line::of(self.live, self.sets, self.workload.replicas);
        if !self.is_quiet() && !rises {
            line.straggler().into_iter().for_each(|pod| draft.act(Action::delete(pod)));
            return draft.wait_quietly(Wait::StockController);
        }
        if next != *self.hold {
            return draft.act(self.write(next));
        }
        self.move_back(draft);
        if let Some(pod) = line.obstacle(&self.hold.revision, self.lowest()) {
            draft.act(Action::delete(pod));
        }
    }

    /// The first pod that the live partition gives the new version.
    fn lowest(&self) -> i32 {
        self.hold.target.partition
    }

    /// Scaling in the moment in which a batch moves may make more new pods than it allows: one
    /// after the other comes back as the old version, and none while any pod is missing.
    fn move_back(&self, draft: &mut Draft<'_>) {
        let most = self.goal.new_pods(self.workload.replicas);
        let updated = self.updated();
        let shut = self.hold.target.partition == FENCE_PARTITION;
        if count(updated.iter()) <= most || !shut || self.comes_back() {
            return;
        }
        draft.wait_quietly(Wait::MovingBack { allowed: most });
        let new = all(self.sets).filter(|set| set.revision == self.hold.revision);
        let pods: Vec<&Pod> = new.flat_map(|set| &set.pods).collect();
        let unready = pods.iter().find(|pod| pod.ready_since.is_none());
        let ready =
            all(self.sets).flat_map(|set| &set.pods).filter(|pod| pod.ready_since.is_some());
        let whole = count(ready) >= self.workload.replicas;
        let lowest = pods.iter().min_by_key(|pod| self.live.index_of(&pod.name));
        if let Some(pod) = unready.or(lowest.filter(|_| whole)) {
            draft.act(Action::delete(pod));
        }
    }

    /// What is lost is made of the new version again: armed in the middle of an update, the stock
    /// controller has not left that version yet.
    fn comes_back(&self) -> bool {
        let current = self.live.current.as_deref();
        let mut new = all(self.sets).filter(|set| set.revision == self.hold.revision);
        new.any(|set| current == Some(set.name.as_str()))
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

    fn write(&self, held: Partitioned) -> Action {
        let hold = Hold::of_release(HoldState::Partitioned(held));
        Action::WriteHold(write(self.workload, Some(hold)))
    }
}

#[cfg(test)]
mod tests;
