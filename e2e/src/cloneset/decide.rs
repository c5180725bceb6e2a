//! How many pods are too few, too many or to be updated: the heart of the controller. Pure.

use jiff::Timestamp;

use super::member::{Lifecycle, Member};
use super::partition;
use super::spec::Spec;

/// What is wished, as numbers of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    pub replicas: i32,
    pub partition: i32,
    pub surge: i32,
    pub unavailable: i32,
    pub scale_unavailable: i32,
    pub min_ready: i32,
    /// Pods may go back to the current revision when the partition rises: a feature gate, off.
    pub goes_back: bool,
}

impl Wish {
    pub fn of(spec: &Spec) -> Self {
        let (replicas, strategy) = (spec.replicas, &spec.update_strategy);
        let surge = partition::surge(strategy, replicas);
        let scaling = spec.scale_strategy.max_unavailable.as_ref();
        Self {
            replicas,
            partition: partition::kept_old(strategy.partition.as_ref(), replicas),
            surge,
            unavailable: partition::unavailable(strategy, replicas, surge),
            scale_unavailable: partition::scale_unavailable(scaling, replicas),
            min_ready: spec.min_ready_seconds,
            goes_back: false,
        }
    }
}

/// The short names of the two revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revisions<'a> {
    pub current: &'a str,
    pub update: &'a str,
}

/// What is missing or too much. Numbers for scaling are never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    pub up: i32,
    /// Of the pods to create, those of the old revision; may be more than all.
    pub up_old: i32,
    pub up_limit: i32,
    /// Without the pods that are to go anyway.
    pub down: i32,
    pub down_old: i32,
    /// So many ready pods may be deleted.
    pub delete_ready_limit: i32,
    pub use_surge: i32,
    pub use_surge_old: i32,
    /// Pods to bring to the update revision; negative: back to the current one.
    pub update: i32,
    pub update_max_unavailable: i32,
}

/// The pods of one side.
#[derive(Clone, Copy, Default)]
struct Side {
    all: i32,
    active: i32,
    doomed: i32,
    unavailable: i32,
    pre_deleting: i32,
}

impl Side {
    fn count<'a>(members: impl Iterator<Item = &'a Member>, wish: &Wish, now: Timestamp) -> Self {
        let mut side = Self::default();
        for member in members {
            side.all += 1;
            if member.lifecycle == Lifecycle::PreparingDelete {
                side.pre_deleting += 1;
                continue;
            }
            side.active += 1;
            if member.doomed {
                side.doomed += 1;
            } else if !member.is_available(wish.min_ready, now) {
                side.unavailable += 1;
            }
        }
        side
    }
}

struct Sides {
    old: Side,
    new: Side,
    /// Active pods beyond what is wished, by side.
    old_diff: i32,
    new_diff: i32,
}

impl Sides {
    fn count(members: &[Member], wish: &Wish, revisions: Revisions<'_>, now: Timestamp) -> Self {
        let is_new = |member: &&Member| member.revision == revisions.update;
        let new = Side::count(members.iter().filter(is_new), wish, now);
        let old = Side::count(members.iter().filter(|member| !is_new(member)), wish, now);
        let mut old_diff = old.active - wish.partition;
        let mut new_diff = new.active - (wish.replicas - wish.partition);
        if revisions.update == revisions.current || !wish.goes_back {
            old_diff = old_diff.max(0);
            new_diff = new_diff.min(0);
        }
        Self { old, new, old_diff, new_diff }
    }

    fn unavailable(&self) -> i32 {
        let of = |side: &Side| side.pre_deleting + side.unavailable;
        of(&self.old) + of(&self.new)
    }

    fn doomed(&self) -> i32 {
        self.old.doomed + self.new.doomed
    }

    fn all(&self) -> i32 {
        self.old.all + self.new.all
    }

    /// Surge in use, and the old revision's part of it.
    fn surge(&self, wish: &Wish) -> (i32, i32) {
        if wish.surge <= 0 {
            return (0, 0);
        }
        let missing = self.unavailable() + self.doomed() - wish.unavailable;
        let scaling = missing.max(0).min(self.doomed());
        let scaling_old = (scaling - self.new.doomed).max(0);
        let (old, new) = (self.old_diff, self.new_diff);
        let opposite = old.signum() * new.signum() < 0;
        let updating = if opposite { old.abs().min(new.abs()) } else { 0 };
        let for_old = if old.abs() <= new.abs() { old < 0 } else { new > 0 };
        let updating_old = if for_old { updating } else { 0 };
        // Scaling and updating never happen in one pass, so that the larger need is enough.
        let (needed, needed_old) =
            if scaling >= updating { (scaling, scaling_old) } else { (updating, updating_old) };
        let surge = wish.surge.min(needed);
        (surge, surge.min(needed_old))
    }
}

/// What is to be done with these pods.
pub fn decide(wish: &Wish, members: &[Member], revisions: Revisions<'_>, now: Timestamp) -> Diff {
    let sides = Sides::count(members, wish, revisions, now);
    let (use_surge, use_surge_old) = sides.surge(wish);
    let (total, total_old) = (wish.replicas + use_surge, wish.partition + use_surge_old);
    let mut diff = Diff { use_surge, use_surge_old, ..Diff::default() };
    if total > sides.all() {
        diff.up = total - sides.all();
        diff.up_old = (total_old - sides.old.all).max(0);
        let may_miss = wish.scale_unavailable.saturating_sub(sides.unavailable()).max(0);
        diff.up_limit = diff.up.min(may_miss);
    }
    let staying = sides.all() - sides.doomed();
    if staying > total {
        diff.down = staying - total;
        diff.down_old = (sides.old.all - sides.old.doomed - total_old).max(0);
    }
    let spare = wish.unavailable + sides.all() - wish.replicas;
    if sides.doomed() > 0 || diff.down > 0 {
        diff.delete_ready_limit = (spare - sides.unavailable()).max(0);
    }
    let (old, new) = (sides.old_diff, sides.new_diff);
    diff.update = if old.abs() <= new.abs() { old } else { -new };
    if diff.update != 0 {
        diff.update_max_unavailable = spare;
    }
    diff
}
