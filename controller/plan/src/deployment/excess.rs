//! Moving pods back that scaling let beyond a batch (rounding, or a visit at one replica), by
//! resizing ReplicaSets. Only with the fence on and unpaused: there the stock controller fills up
//! to replicas + surge, and never cuts what is above it. Which sizes, and in what order.

use super::wave::Limits;
use crate::batch::Goal;

/// The sizes as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// spec.replicas of the workload.
    pub(crate) replicas: i32,
    /// spec.replicas of the update ReplicaSet.
    pub(crate) new: i32,
    /// spec.replicas of all old ReplicaSets together.
    pub(crate) old: i32,
    /// Pods of the stable ReplicaSet that are not ready (yet).
    pub(crate) unready: i32,
    /// All pods that are there.
    pub(crate) pods: i32,
}

/// The next step of the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// Nothing is beyond the batch.
    None,
    /// Pods are on their way: old ones have to be ready, others gone.
    Wait,
    /// So many pods more for the stable ReplicaSet.
    Raise(i32),
    /// So many pods fewer for the update ReplicaSet.
    Lower(i32),
    /// Both in one go, because the user allows no surge: raise, then lower.
    Swap(i32),
}

/// The next step. Lowering the update ReplicaSet first would make the stock controller refill it
/// (and lose ready pods for nothing) unless the sum stays at least the replicas.
///
/// `room` is the written maxSurge: none where a share rests, 1 where a pod stands beside another.
pub(crate) fn next(goal: Goal, limits: Limits, sizes: Sizes, room: i32) -> Back {
    if matches!(goal, Goal::Shut | Goal::All) {
        return Back::None;
    }
    let excess = sizes.new - goal.new_pods(sizes.replicas);
    let missing = goal.old_pods(sizes.replicas) - sizes.old;
    let above = sizes.new + sizes.old - sizes.replicas - room;
    let moves = excess > 0 || missing > 0;
    if moves && sizes.pods > sizes.new + sizes.old {
        return Back::Wait;
    }
    if excess > 0 && above > 0 {
        if sizes.unready > 0 {
            return Back::Wait;
        }
        return Back::Lower(excess.min(above));
    }
    match goal {
        Goal::Beside if missing > 0 => Back::Raise(missing),
        Goal::Share(_) | Goal::Ratio(_) if missing > 0 && excess > 0 && room == 0 => {
            match limits.surge {
                // Ready pods are given up for these: not before the last ones have come up.
                0 if sizes.unready > 0 => Back::Wait,
                0 => Back::Swap(missing.min(excess).min(limits.unavailable).max(1)),
                surge => Back::Raise(missing.min(surge)),
            }
        }
        _ => Back::None,
    }
}

#[cfg(test)]
mod tests;
