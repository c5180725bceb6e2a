//! What scaling does in one pass: it creates, or it deletes, or nothing. Pure.

use jiff::Timestamp;

use super::decide::{Diff, Revisions, Wish};
use super::member::{Lifecycle, Member};
use super::order;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scale {
    Nothing,
    /// So many pods of the current revision, and then of the update revision.
    Create {
        old: i32,
        new: i32,
    },
    /// These pods.
    Delete(Vec<String>),
}

/// The next step. Pods that have to go on somebody's word go before any that are too many.
pub fn scale(
    wish: &Wish,
    members: &[Member],
    diff: &Diff,
    revisions: Revisions<'_>,
    now: Timestamp,
) -> Scale {
    if diff.up > 0 {
        return create(diff);
    }
    let preparing = |member: &&Member| member.lifecycle == Lifecycle::PreparingDelete;
    let prepared: Vec<&Member> = members.iter().filter(preparing).collect();
    if !prepared.is_empty() {
        return Scale::Delete(named(&prepared));
    }
    let doomed: Vec<&Member> = members.iter().filter(|member| member.doomed).collect();
    let mut limit = diff.delete_ready_limit;
    let chosen = within(&doomed, &mut limit, now);
    if !chosen.is_empty() {
        return Scale::Delete(named(&chosen));
    }
    // One that still waits for its deletion keeps all others.
    if diff.down == 0 || !doomed.is_empty() {
        return Scale::Nothing;
    }
    let chosen = within(&too_many(wish, members, diff, revisions, now), &mut limit, now);
    if chosen.is_empty() { Scale::Nothing } else { Scale::Delete(named(&chosen)) }
}

fn create(diff: &Diff) -> Scale {
    let old = diff.up_old.min(diff.up_limit);
    let new = diff.up_limit - old;
    if diff.up_limit == 0 { Scale::Nothing } else { Scale::Create { old, new } }
}

/// Pods that serve nobody go freely, others up to a limit.
fn within<'a>(members: &[&'a Member], limit: &mut i32, now: Timestamp) -> Vec<&'a Member> {
    let mut may_go = |member: &&&Member| {
        if !member.is_serving(now) {
            return true;
        }
        *limit -= 1;
        *limit >= 0
    };
    members.iter().filter(|member| may_go(member)).copied().collect()
}

fn too_many<'a>(
    wish: &Wish,
    members: &'a [Member],
    diff: &Diff,
    revisions: Revisions<'_>,
    now: Timestamp,
) -> Vec<&'a Member> {
    let (new, old): (Vec<&Member>, Vec<&Member>) =
        members.iter().partition(|member| member.revision == revisions.update);
    let first = |mut members: Vec<&'a Member>, count: i32| {
        order::for_deletion(&mut members, wish.min_ready, now);
        members.truncate(usize::try_from(count).unwrap_or(0));
        members
    };
    let from_old = diff.down_old.min(diff.down);
    let mut chosen = first(old, from_old);
    chosen.extend(first(new, diff.down - from_old));
    chosen
}

fn named(members: &[&Member]) -> Vec<String> {
    members.iter().map(|member| member.name.clone()).collect()
}
