//! What a set's status says, from the pods as they were before the pass acted. Pure.

use jiff::Timestamp;
use kube::core::Selector;
use serde::{Deserialize, Serialize};

use super::decide::Wish;
use super::member::{Member, short};
use super::progress;
use super::spec::CloneSet;

/// In the shape of the API: some fields are left out when they are zero, some are not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    #[serde(skip_serializing_if = "is_zero")]
    pub observed_generation: i64,
    pub replicas: i64,
    pub ready_replicas: i64,
    pub available_replicas: i64,
    pub updated_replicas: i64,
    pub updated_ready_replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub updated_available_replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub expected_updated_replicas: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub update_revision: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub current_revision: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collision_count: Option<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label_selector: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// What a pass knows beside the pods.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    pub current_revision: String,
    pub update_revision: String,
    pub collisions: i32,
    /// FailedScale or FailedUpdate, with the words.
    pub failures: Vec<(&'static str, String)>,
}

/// The new status.
pub fn status(set: &CloneSet, members: &[Member], pass: Pass, now: Timestamp) -> Status {
    let count = |wanted: &dyn Fn(&Member) -> bool| {
        members.iter().filter(|member| wanted(member)).count() as i64
    };
    let is_updated = |member: &Member| member.revision == short(&pass.update_revision);
    let is_available = |member: &Member| member.is_available(set.spec.min_ready_seconds, now);
    let wish = Wish::of(&set.spec);
    let mut status = Status {
        observed_generation: set.metadata.generation.unwrap_or(0),
        replicas: count(&|_| true),
        ready_replicas: count(&Member::is_ready),
        available_replicas: count(&is_available),
        updated_replicas: count(&is_updated),
        updated_ready_replicas: count(&|member| is_updated(member) && member.is_ready()),
        updated_available_replicas: count(&|member| is_updated(member) && is_available(member)),
        expected_updated_replicas: i64::from(wish.replicas - wish.partition),
        collision_count: Some(pass.collisions),
        conditions: Vec::new(),
        label_selector: selector(set).map_or_else(String::new, |selector| selector.to_string()),
        current_revision: pass.current_revision,
        update_revision: pass.update_revision,
    };
    // By counts alone: no pod need be ready.
    let is_complete = status.updated_replicas == status.replicas;
    if is_complete && status.replicas == i64::from(wish.replicas) {
        status.current_revision.clone_from(&status.update_revision);
    }
    status.conditions.extend(progress::condition(set, &status, now));
    status.conditions.extend(pass.failures.into_iter().map(|(kind, message)| Condition {
        kind: kind.to_owned(),
        status: "True".to_owned(),
        last_transition_time: Some(progress::whole_second(now)),
        message,
        ..Condition::default()
    }));
    status
}

/// The set's selector, if it is one.
pub fn selector(set: &CloneSet) -> Option<Selector> {
    Selector::try_from(set.spec.selector.clone()).ok()
}

/// A difference that is worth a write. Conditions of failures are not.
pub fn differs(old: &Status, new: &Status) -> bool {
    let bare = |status: &Status| Status {
        conditions: Vec::new(),
        observed_generation: 0,
        collision_count: None,
        ..status.clone()
    };
    let progressing = |status: &Status| {
        progress::of(status).map(|condition| (condition.status.clone(), condition.reason.clone()))
    };
    new.observed_generation > old.observed_generation
        || bare(old) != bare(new)
        || progressing(old) != progressing(new)
}
