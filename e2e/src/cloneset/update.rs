//! Which pods an update takes in one pass. Pure; what is done to each is the business of others.

use jiff::Timestamp;

use super::decide::{Diff, Revisions, Wish};
use super::member::{Lifecycle, Member};
use super::order;
use super::spec::PriorityStrategy;

/// The pods to update now, in their order.
pub fn choose<'a>(
    wish: &Wish,
    members: &'a [Member],
    diff: &Diff,
    revisions: Revisions<'_>,
    priority: &PriorityStrategy,
    now: Timestamp,
) -> Vec<&'a Member> {
    let forward = diff.update > 0;
    let target = if forward { revisions.update } else { revisions.current };
    let mut waiting: Vec<&Member> = members
        .iter()
        .filter(|member| (member.revision == revisions.update) != forward)
        .filter(|member| member.lifecycle != Lifecycle::PreparingDelete && !member.in_grace)
        .collect();
    order::for_update(&mut waiting, priority);
    // Those that an earlier pass has begun with.
    waiting.sort_by_key(|member| member.lifecycle != Lifecycle::PreparingUpdate);
    waiting.truncate(usize::try_from(diff.update.unsigned_abs()).unwrap_or(0));
    let unavailable = |member: &&Member| !member.is_available(wish.min_ready, now);
    let mut missing = count(members.iter().filter(unavailable));
    let on_target = |member: &&Member| member.revision == target;
    let missing_on_target = count(members.iter().filter(unavailable).filter(on_target));
    let (mut chosen, limit) = (0, diff.update_max_unavailable);
    for member in &waiting {
        if missing_on_target + chosen >= limit {
            break;
        }
        // One that serves nobody costs nothing.
        if !unavailable(member) {
            if missing >= limit {
                break;
            }
            missing += 1;
        }
        chosen += 1;
    }
    waiting.truncate(usize::try_from(chosen).unwrap_or(0));
    waiting
}

fn count<'a>(members: impl Iterator<Item = &'a Member>) -> i32 {
    i32::try_from(members.count()).unwrap_or(i32::MAX)
}
