//! How many pods of a CloneSet are too few, too many, or to be updated
//! (`cloneset_sync_utils.go`, `calculateDiffsWithExpectation`). Arithmetic only.

use crds::Kept;

use crate::observed::Strategy;
use crate::sim::cluster::objects::DeploymentSpec;
use crate::sim::stock::arithmetic::clone_posts;

/// What is wished, in pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub replicas: i32,
    pub partition: i32,
    pub surge: i32,
    pub unavailable: i32,
}

impl Wish {
    /// A pause takes the surge away.
    pub fn of(spec: &DeploymentSpec, partition: Kept) -> Self {
        let (replicas, partition) = (spec.replicas, partition.pods(spec.replicas));
        let (surge, unavailable) = match spec.strategy {
            Strategy::RollingUpdate { max_surge, max_unavailable } => {
                clone_posts(max_surge, max_unavailable, replicas, spec.paused)
            }
            Strategy::Recreate => (0, 0),
        };
        Self { replicas, partition, surge, unavailable }
    }
}

/// A pod, as far as it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Of the live template.
    pub new: bool,
    /// It is to be replaced.
    pub doomed: bool,
    /// Ready for as long as the CloneSet asks.
    pub available: bool,
}

/// What is missing or too much; numbers for scaling are never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    pub up: i32,
    /// Of the pods to create, those of the old revision; may be more than all.
    pub up_old: i32,
    /// Without the pods that are to go anyway.
    pub down: i32,
    pub down_old: i32,
    /// So many ready pods may be deleted.
    pub delete_ready_limit: i32,
    pub use_surge: i32,
    pub use_surge_old: i32,
    pub update: i32,
    pub update_max_unavailable: i32,
}

/// The pods of one side.
#[derive(Clone, Copy)]
struct Side {
    all: i32,
    doomed: i32,
    unavailable: i32,
}

impl Side {
    fn of(members: &[Member], new: bool) -> Self {
        let count = |wanted: &dyn Fn(&Member) -> bool| {
            let mine = members.iter().filter(|member| member.new == new);
            i32::try_from(mine.filter(|member| wanted(member)).count()).unwrap_or(i32::MAX)
        };
        Self {
            all: count(&|_| true),
            doomed: count(&|member| member.doomed),
            unavailable: count(&|member| !member.doomed && !member.available),
        }
    }
}

/// What is to be done with these pods.
pub fn decide(wish: &Wish, members: &[Member]) -> Diff {
    let (old, new) = (Side::of(members, false), Side::of(members, true));
    let (all, doomed) = (old.all + new.all, old.doomed + new.doomed);
    let unavailable = old.unavailable + new.unavailable;
    // A partition that rises takes no pod back.
    let too_old = (old.all - wish.partition).max(0);
    let too_new = (new.all - (wish.replicas - wish.partition)).min(0);
    let missing = unavailable + doomed - wish.unavailable;
    let (use_surge, use_surge_old) = surge(wish, (missing, doomed, new.doomed), too_old, too_new);
    let (total, total_old) = (wish.replicas + use_surge, wish.partition + use_surge_old);
    let mut diff = Diff { use_surge, use_surge_old, ..Diff::default() };
    if total > all {
        diff.up = total - all;
        diff.up_old = (total_old - old.all).max(0);
    }
    if all - doomed > total {
        diff.down = all - doomed - total;
        diff.down_old = (old.all - old.doomed - total_old).max(0);
    }
    let spare = wish.unavailable + all - wish.replicas;
    if doomed > 0 || diff.down > 0 {
        diff.delete_ready_limit = (spare - unavailable).max(0);
    }
    diff.update = if too_old <= too_new.abs() { too_old } else { -too_new };
    if diff.update != 0 {
        diff.update_max_unavailable = spare;
    }
    diff
}

/// Surge in use, and the old side's part of it: for pods that are to go, or for an update.
fn surge(
    wish: &Wish,
    (missing, doomed, doomed_new): (i32, i32, i32),
    too_old: i32,
    too_new: i32,
) -> (i32, i32) {
    if wish.surge <= 0 {
        return (0, 0);
    }
    let scaling = missing.max(0).min(doomed);
    let scaling_old = (scaling - doomed_new).max(0);
    let updating = too_old.min(too_new.abs());
    let (needed, needed_old) =
        if scaling >= updating { (scaling, scaling_old) } else { (updating, 0) };
    let surge = wish.surge.min(needed);
    (surge, surge.min(needed_old))
}
