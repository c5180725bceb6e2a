//! What the controller reads in one of its pods. Pure; no decision.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use kube::ResourceExt;

use super::names::{
    DELETION_COST, INPLACE_GRACE, LIFECYCLE_STATE, REVISION, SPECIFIED_DELETE, UPDATE_READY,
};

/// A pod of the set that is neither over nor being deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Member {
    pub name: String,
    /// The part of its revision label after the last dash.
    pub revision: String,
    pub lifecycle: Lifecycle,
    /// It is to go: by its label, or because podsToDelete names it.
    pub doomed: bool,
    pub node: Option<String>,
    pub phase: Phase,
    /// Since when it is Ready.
    pub ready_since: Option<Timestamp>,
    /// InPlaceUpdateReady, where the condition is there.
    pub update_ready: Option<bool>,
    /// An update in place waits in its grace period.
    pub in_grace: bool,
    pub restarts: i32,
    pub created: Option<Timestamp>,
    pub deletion_cost: i32,
    pub labels: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifecycle {
    #[default]
    None,
    PreparingNormal,
    Normal,
    PreparingUpdate,
    Updating,
    Updated,
    PreparingDelete,
    Other,
}

/// In the order in which pods go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    #[default]
    Pending,
    Unknown,
    Running,
}

impl Lifecycle {
    fn of(label: Option<&str>) -> Self {
        match label {
            None | Some("") => Self::None,
            Some("PreparingNormal") => Self::PreparingNormal,
            Some("Normal") => Self::Normal,
            Some("PreparingUpdate") => Self::PreparingUpdate,
            Some("Updating") => Self::Updating,
            Some("Updated") => Self::Updated,
            Some("PreparingDelete") => Self::PreparingDelete,
            Some(_) => Self::Other,
        }
    }
}

impl Member {
    pub fn read(pod: &Pod, pods_to_delete: &[String]) -> Self {
        let status = pod.status.as_ref();
        let name = pod.name_any();
        let labels = pod.labels();
        let started = |condition: &PodCondition| {
            condition.last_transition_time.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0)
        };
        let ready = condition(pod, "Ready").filter(|condition| condition.status == "True");
        let containers = status.and_then(|status| status.container_statuses.as_ref());
        Self {
            revision: short(labels.get(REVISION).map_or("", String::as_str)).to_owned(),
            lifecycle: Lifecycle::of(labels.get(LIFECYCLE_STATE).map(String::as_str)),
            doomed: labels.contains_key(SPECIFIED_DELETE) || pods_to_delete.contains(&name),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            phase: match status.and_then(|status| status.phase.as_deref()) {
                Some("Running") => Phase::Running,
                Some("Unknown") => Phase::Unknown,
                _ => Phase::Pending,
            },
            ready_since: ready.map(started),
            update_ready: condition(pod, UPDATE_READY).map(|condition| condition.status == "True"),
            in_grace: pod.annotations().get(INPLACE_GRACE).is_some_and(|spec| !spec.is_empty()),
            restarts: containers.into_iter().flatten().map(|c| c.restart_count).max().unwrap_or(0),
            created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
            deletion_cost: pod.annotations().get(DELETION_COST).map_or(0, |text| cost(text)),
            labels: labels.clone(),
            name,
        }
    }

    /// It runs, is Ready, and no update in place keeps it from requests.
    pub fn is_ready(&self) -> bool {
        let running = self.phase == Phase::Running && self.ready_since.is_some();
        running && self.update_ready != Some(false)
    }

    /// It is ready for long enough, and in no passage of its life.
    pub fn is_available(&self, min_ready_seconds: i32, now: Timestamp) -> bool {
        let settled = matches!(self.lifecycle, Lifecycle::None | Lifecycle::Normal);
        let wait = SignedDuration::from_secs(i64::from(min_ready_seconds));
        let long_enough = min_ready_seconds == 0
            || self.ready_since.is_some_and(|since| now.duration_since(since) > wait);
        settled && self.is_ready() && long_enough
    }

    /// Ready and settled, however short: what a deletion takes from the set.
    pub fn is_serving(&self, now: Timestamp) -> bool {
        self.is_available(0, now)
    }
}

pub fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// A pod that counts.
pub fn is_active(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    pod.metadata.deletion_timestamp.is_none() && !matches!(phase, Some("Succeeded" | "Failed"))
}

/// Revisions are compared by what follows the last dash: labels may be long or short.
pub fn short(revision: &str) -> &str {
    revision.rsplit('-').next().unwrap_or(revision)
}

/// A number that the apiserver would not take for one costs nothing.
fn cost(text: &str) -> i32 {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits == "0" || digits.starts_with(|c: char| ('1'..='9').contains(&c));
    if plain { text.parse().unwrap_or(0) } else { 0 }
}
