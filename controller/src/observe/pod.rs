//! Reads a pod: whose it is, whether it is ready, and if not, why in the kubelet's own words.

use crds::contract::CONTROLLER_REVISION_LABEL;
use jiff::Timestamp;
use kube::Resource;
use plan::observed::{Pod, Trouble};
use serde::Deserialize;

use super::Unreadable;
use crate::raw::Raw;

/// Longer messages are cut: a status and an Event have to hold them.
const MESSAGE_CHARS_MAX: usize = 200;
/// Waiting reasons of a container that is only on its way.
const STARTING: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// A pod of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct PodSeen {
    /// uid of the ReplicaSet, or of the workload itself.
    pub owner: String,
    /// Name of its ControllerRevision, where it has one.
    pub revision: Option<String>,
    /// For the planner.
    pub pod: Pod,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: Option<String>,
    conditions: Vec<Condition>,
    init_container_statuses: Vec<Container>,
    container_statuses: Vec<Container>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    last_transition_time: Option<Timestamp>,
    reason: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    name: String,
    #[serde(default)]
    ready: bool,
    #[serde(default)]
    state: State,
    #[serde(default)]
    last_state: State,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    terminated: Option<Terminated>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: Option<String>,
    message: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    reason: Option<String>,
    message: Option<String>,
    exit_code: i32,
}

/// Reads a pod; none if nobody controls it, it is going, or its containers ended for good (its
/// ReplicaSet does not count it either).
pub fn pod(raw: &Raw) -> Result<Option<PodSeen>, Unreadable> {
    let Some(owner) = raw.controller_uid() else { return Ok(None) };
    let meta = raw.meta();
    let status = match raw.value().get("status") {
        Some(status) => Status::deserialize(status)?,
        None => Status::default(),
    };
    let ended = matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
    if meta.deletion_timestamp.is_some() || ended {
        return Ok(None);
    }
    let ready_since = ready_since(raw, &status);
    let trouble = if ready_since.is_some() { None } else { trouble(&status) };
    let name = meta.name.clone().unwrap_or_default();
    let revision = raw.label(CONTROLLER_REVISION_LABEL).map(str::to_owned);
    let (uid, resource_version) = (raw.uid().to_owned(), raw.resource_version().to_owned());
    let pod = Pod { name, uid, resource_version, ready_since, trouble };
    Ok(Some(PodSeen { owner: owner.to_owned(), revision, pod }))
}

/// A readiness gate that is shut counts before the kubelet has made the pod unready for it: an
/// update in place says so first. A condition without a time would count from the beginning of
/// time.
fn ready_since(raw: &Raw, status: &Status) -> Option<Timestamp> {
    let since = |kind: &str| {
        let condition = status.conditions.iter().find(|condition| condition.kind == kind)?;
        condition.last_transition_time.filter(|_| condition.status == "True")
    };
    let gates = raw.value()["spec"]["readinessGates"].as_array().into_iter().flatten();
    let gates = gates.filter_map(|gate| gate["conditionType"].as_str());
    gates.chain(["Ready"]).map(since).try_fold(Timestamp::MIN, |latest, at| Some(latest.max(at?)))
}

fn trouble(status: &Status) -> Option<Trouble> {
    let init = status.init_container_statuses.iter().filter_map(init_trouble);
    let main = status.container_statuses.iter().filter_map(main_trouble);
    init.chain(main).next().or_else(|| unscheduled(status))
}

/// An init container that ended well is done, not in trouble.
fn init_trouble(container: &Container) -> Option<Trouble> {
    let done = |ended: &Terminated| ended.exit_code == 0;
    if container.state.terminated.as_ref().is_some_and(done) {
        return None;
    }
    main_trouble(container)
}

/// Waiting for more than its start, ended, or running again after it ended.
fn main_trouble(container: &Container) -> Option<Trouble> {
    if container.ready {
        return None;
    }
    let State { waiting, terminated } = &container.state;
    if let Some(Waiting { reason: Some(reason), message }) = waiting
        && !STARTING.contains(&reason.as_str())
    {
        return Some(said(&container.name, reason, message.as_deref().unwrap_or_default()));
    }
    let ended = terminated.as_ref().or(container.last_state.terminated.as_ref())?;
    let code = format!("exit code {}", ended.exit_code);
    let message = match ended.message.as_deref().map(str::trim) {
        Some(message) if !message.is_empty() => format!("{code}: {message}"),
        _ => code,
    };
    Some(said(&container.name, ended.reason.as_deref().unwrap_or("Terminated"), &message))
}

/// No node for it: no container can say so.
fn unscheduled(status: &Status) -> Option<Trouble> {
    let scheduled = status.conditions.iter().find(|condition| condition.kind == "PodScheduled")?;
    let reason = scheduled.reason.as_deref()?;
    (scheduled.status == "False")
        .then(|| said("", reason, scheduled.message.as_deref().unwrap_or_default()))
}

fn said(container: &str, reason: &str, message: &str) -> Trouble {
    let mut short: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
    if short.len() < message.len() {
        short.push('…');
    }
    Trouble { container: container.to_owned(), reason: reason.to_owned(), message: short }
}
