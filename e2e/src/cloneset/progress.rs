//! The condition Progressing of a set that has a deadline: whether its update goes on, waits, is
//! done or takes too long. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::spec::CloneSet;
use super::status::{Condition, Status};

const KIND: &str = "Progressing";
const GOING_ON: &str = "CloneSetUpdated";
const EXCEEDED: &str = "ProgressDeadlineExceeded";

/// The condition of that kind.
pub fn of(status: &Status) -> Option<&Condition> {
    status.conditions.iter().find(|condition| condition.kind == KIND)
}

/// The condition that these counts make, after the one of the old status.
pub fn condition(set: &CloneSet, new: &Status, now: Timestamp) -> Option<Condition> {
    let deadline = set.spec.progress_deadline_seconds?;
    let old = of(&set.status);
    let (reason, message) = verdict(set, new, old, deadline, now);
    let status = if reason == EXCEEDED { "False" } else { "True" };
    if let Some(old) = old.filter(|old| old.status == status && old.reason == reason) {
        return Some(old.clone());
    }
    let same = old.filter(|old| old.status == status).and_then(|old| old.last_transition_time);
    let now = whole_second(now);
    Some(Condition {
        kind: KIND.to_owned(),
        status: status.to_owned(),
        last_transition_time: Some(same.unwrap_or(now)),
        last_update_time: Some(now),
        reason: reason.to_owned(),
        message,
    })
}

/// Reason and message. The order of the questions matters.
fn verdict(
    set: &CloneSet,
    new: &Status,
    old: Option<&Condition>,
    deadline: i32,
    now: Timestamp,
) -> (&'static str, String) {
    let replicas = i64::from(set.spec.replicas);
    let counts = [new.updated_replicas, new.replicas, new.available_replicas];
    if counts.iter().all(|count| *count == replicas) {
        return ("CloneSetAvailable", "CloneSet is available".to_owned());
    }
    if set.spec.update_strategy.paused {
        return ("CloneSetPaused", "CloneSet is paused".to_owned());
    }
    if new.updated_available_replicas >= new.expected_updated_replicas {
        let message = "CloneSet has been paused due to partition ready";
        return ("ProgressPartitionAvailable", message.to_owned());
    }
    if old.is_some_and(|old| is_exceeded(old, deadline, now)) {
        let message =
            format!("CloneSet revision {} has timed out progressing", new.update_revision);
        return (EXCEEDED, message);
    }
    (GOING_ON, "CloneSet is progressing".to_owned())
}

fn is_exceeded(old: &Condition, deadline: i32, now: Timestamp) -> bool {
    old.reason == EXCEEDED || (old.reason == GOING_ON && left(old, deadline, now).is_none())
}

/// The rest of the deadline.
fn left(condition: &Condition, deadline: i32, now: Timestamp) -> Option<Duration> {
    let since = now.duration_since(condition.last_update_time?);
    let left = SignedDuration::from_secs(i64::from(deadline)) - since;
    Duration::try_from(left).ok().filter(|left| !left.is_zero())
}

/// When to look again whether the deadline is over.
pub fn next_look(set: &CloneSet, status: &Status, now: Timestamp) -> Option<Duration> {
    let going_on = of(status).filter(|condition| condition.reason == GOING_ON)?;
    let left = left(going_on, set.spec.progress_deadline_seconds?, now)?;
    Some(left + Duration::from_secs(1))
}

/// Times in the API have no parts of a second.
pub fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
