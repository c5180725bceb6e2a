//! Keeping a batch's shares: the next wave inside it, the resting form at its end, and the way
//! back of what scaling let beyond it.

use crds::Fenced;

use super::excess::{self, Back, Sizes};
use super::wave::{self, Count, Limits};
use super::write_fenced;
use crate::action::Action;
use crate::batch::Goal;
use crate::draft::Draft;
use crate::kind::Held;
use crate::observed::{Set, Sets, Workload};
use crate::retreat;
use crate::revisions::{Progress, find, ready_of};
use crate::waiting::Wait;

/// A batch whose ReplicaSets are known.
pub(crate) struct Moving<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) fenced: &'a Fenced,
    pub(crate) sets: &'a Sets,
    pub(crate) progress: &'a Progress,
    pub(crate) goal: Goal,
    pub(crate) limits: Limits,
}

impl Moving<'_> {
    /// The stock controller has acted on the last change, and what was read of different objects
    /// belongs together: every ReplicaSet has the size that goes with the replicas, and they add
    /// up.
    pub(crate) fn is_quiet(&self) -> bool {
        let Self { workload, progress, .. } = self;
        // A hold that has just come is paused: it needs no reaction of the stock controller.
        let seen = workload.observed_generation >= workload.generation || self.fenced.batch == 0;
        seen && progress.is_scaled && progress.new + progress.old >= workload.replicas
    }

    /// The hold for the next wave to `goal` in batch `index`.
    pub(crate) fn fenced_at(&self, index: u32, goal: Goal) -> Fenced {
        let target = wave::target(goal, self.limits, &self.fenced.original, self.count());
        Fenced { batch: index, target, ..self.fenced.clone() }
    }

    fn count(&self) -> Count {
        let replicas = self.workload.replicas;
        let target = self.fenced.target;
        let begun = self.fenced.batch > 0 && !target.paused;
        let written = if begun { wave::unavailable_of(target, replicas) } else { 0 };
        let Progress { ready, new, old, .. } = *self.progress;
        Count { replicas, ready, new, old, written }
    }
}

/// Writes the next wave of the batch, if one is due, or moves back what is beyond the batch.
pub(crate) fn keep_shares(draft: &mut Draft<'_>, moving: &Moving<'_>, held: Held<'_>) {
    if !moving.is_quiet() {
        end_scaling(draft, moving);
        return draft.wait_quietly(Wait::StockController);
    }
    let next = moving.fenced_at(moving.fenced.batch, moving.goal);
    let now = moving.fenced.target;
    if wave::is_due(moving.goal, moving.limits, moving.count(), now, next.target) {
        return draft.act(write_fenced(moving.workload, next));
    }
    if moving.goal == Goal::Shut && moving.progress.new > 0 {
        // Paused, the stock controller moves nothing back: from the beginning, then.
        let because = "one replica without surge has no place for a new pod yet".to_owned();
        let wait = Wait::StablePods { stable: moving.fenced.stable.clone(), because };
        return retreat::rest_dormant(draft, held, wait);
    }
    move_back(draft, moving);
}

/// Under the user's own pause nothing moves, but scaling goes on, and what was written for more
/// replicas may, when the pause ends, let more pods out than the batch has, or take old ones that
/// the user cannot spare: a share that comes out as none counts as 1 without surge.
pub(crate) fn lower_shares(draft: &mut Draft<'_>, moving: &Moving<'_>) {
    let Moving { workload, fenced, goal, limits, .. } = moving;
    let (replicas, count) = (workload.replicas, moving.count());
    let most = goal.new_pods(replicas);
    let spare = wave::spare(*limits, count);
    let lavish = wave::pods_of(fenced.target, replicas) > most || count.written > spare;
    if moving.is_quiet() && most > 0 && lavish {
        let target = wave::lowered(fenced.target, most, spare, *limits, replicas);
        draft.act(write_fenced(workload, Fenced { target, ..(*fenced).clone() }));
    }
}

/// Interrupted between two ReplicaSets, the stock controller may never end a scaling: the only one
/// that is left has its size already, so it is not written, and keeps saying what it was computed
/// from. As long as that is outdated nothing is rolled.
fn end_scaling(draft: &mut Draft<'_>, moving: &Moving<'_>) {
    let Moving { workload, sets, .. } = moving;
    let mut active = sets.update.iter().chain(&sets.old).filter(|set| set.replicas > 0);
    let (Some(set), None) = (active.next(), active.next()) else { return };
    let acted = workload.observed_generation >= workload.generation && !workload.is_paused();
    let stale = set.desired.is_some_and(|desired| desired != workload.replicas);
    if acted && stale && set.replicas == workload.replicas {
        let surge = moving.fenced.target.max_surge.ceil_of(workload.replicas);
        draft.act(Action::ResizeSet {
            set: set.name.clone(),
            uid: set.uid.clone(),
            was: set.replicas,
            replicas: set.replicas,
            desired: workload.replicas,
            max: workload.replicas + surge,
        });
    }
}

fn move_back(draft: &mut Draft<'_>, moving: &Moving<'_>) {
    let Moving { workload, sets, progress, goal, .. } = moving;
    let Progress { new, old, pods, .. } = **progress;
    let stable = find(sets, &moving.fenced.stable);
    let update = find(sets, &moving.fenced.revision);
    let (Some(stable), Some(update)) = (stable, update) else { return };
    let unready = (stable.replicas - ready_of(stable)).max(0);
    let sizes = Sizes { replicas: workload.replicas, new, old, unready, pods };
    let room = moving.fenced.target.max_surge.ceil_of(workload.replicas);
    let back = excess::next(*goal, moving.limits, sizes, room);
    let mut resize = |set: &Set, by: i32| {
        draft.act(Action::ResizeSet {
            set: set.name.clone(),
            uid: set.uid.clone(),
            was: set.replicas,
            replicas: set.replicas + by,
            desired: workload.replicas,
            max: workload.replicas + room,
        });
    };
    match back {
        Back::None => return,
        Back::Wait => {}
        Back::Raise(pods) => resize(stable, pods),
        Back::Lower(pods) => resize(update, -pods),
        Back::Swap(pods) => {
            resize(stable, pods);
            resize(update, -pods);
        }
    }
    draft.wait_quietly(Wait::MovingBack { allowed: goal.new_pods(workload.replicas) });
}
