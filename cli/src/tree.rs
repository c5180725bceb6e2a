//! The release as a person sees it: what stands, how far, and whether it is over. Pure: objects
//! in, text out.

use crds::hold::{Bar, Reading};
use crds::status::{Answer, GateState, GateStatus, Phase, RouteStatus, Skipped};
use crds::{Barred, Hold, HoldState, Rollout, RolloutStatus, contract};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::ResourceExt;

use crate::output::age;
use crate::paint::{Paint, Tone};

/// Whether a release is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Failed,
    Running,
}

/// Everything that the tree shows.
pub(crate) struct Seen<'a> {
    pub(crate) rollout: &'a Rollout,
    pub(crate) workload: Option<&'a Deployment>,
    pub(crate) sets: &'a [ReplicaSet],
    pub(crate) now: Timestamp,
}

/// The hold on a Deployment, if there is a readable one.
pub(crate) fn hold_of(workload: &impl ResourceExt) -> Option<Hold> {
    match Hold::read(workload.annotations().get(contract::HOLD_ANNOTATION)?) {
        Reading::Hold(hold) => Some(*hold),
        _ => None,
    }
}

impl Seen<'_> {
    /// Whether the release is over. The hold on the workload arrives in the user's own write and
    /// is newer than any status, so that the release before is never taken for this one.
    pub(crate) fn outcome(&self) -> Outcome {
        let status = self.rollout.status.clone().unwrap_or_default();
        let current = status.observed_generation == self.rollout.metadata.generation;
        match self.workload.and_then(hold_of).map(|hold| hold.state) {
            Some(held) if held.update().is_some() => {
                let same = status.update_revision.as_ref() == held.update();
                if same && current && status.phase == Phase::Failed {
                    Outcome::Failed
                } else {
                    Outcome::Running
                }
            }
            Some(held) => match (held, status.phase) {
                (HoldState::Barred(Barred { why: Bar::Rejected, .. }), Phase::Rejected) => {
                    Outcome::Failed
                }
                _ => Outcome::Running,
            },
            None if !current => Outcome::Running,
            None => match status.phase {
                Phase::Ready => Outcome::Done,
                Phase::Stalled | Phase::Failed | Phase::Rejected => Outcome::Failed,
                _ => Outcome::Running,
            },
        }
    }

    /// The phase to show: the status may still speak of the release before.
    fn phase(&self) -> Phase {
        let status = self.rollout.status.clone().unwrap_or_default();
        match self.workload.and_then(hold_of).map(|hold| hold.state) {
            Some(held)
                if held
                    .update()
                    .is_some_and(|one| status.update_revision.as_ref() != Some(one)) =>
            {
                Phase::Held
            }
            _ => status.phase,
        }
    }

    /// One line without decoration, for logs.
    pub(crate) fn line(&self) -> String {
        let status = self.rollout.status.clone().unwrap_or_default();
        let mut text = format!("{} {:?}", self.rollout.name_any(), self.phase());
        if let Some(step) = status.step.filter(|_| self.phase() != Phase::Held) {
            text.push_str(&format!(" batch {step}"));
        }
        for part in self.sets.iter().rev().map(|set| self.set(set)) {
            text.push_str(&format!(", {part}"));
        }
        if let Some(waiting) = status.waiting_for {
            text.push_str(&format!(", waiting for {}: {}", waiting.reason, waiting.message));
        }
        text
    }

    /// The tree.
    pub(crate) fn draw(&self, paint: Paint) -> String {
        let status = self.rollout.status.clone().unwrap_or_default();
        let target = &self.rollout.spec.workload_ref;
        let phase = format!("{:?}", self.phase());
        let mut head = format!(
            "{}  {}/{}  {}",
            self.rollout.name_any(),
            target.kind.to_lowercase(),
            target.name,
            paint.paint(self.tone(), &phase)
        );
        if let Some(step) = &status.step {
            head.push_str(&format!("  batch {step}"));
        }
        let mut branches: Vec<String> = self.sets.iter().rev().map(|set| self.set(set)).collect();
        if self.workload.is_none() {
            branches.push("the workload does not exist yet".to_owned());
        }
        branches.extend(status.routes.iter().map(|route| route_line(route, paint)));
        branches.extend(status.gates.iter().map(|gate| gate_line(gate, paint)));
        branches.extend(status.skipped.iter().map(skipped_line));
        if let Some(waiting) = &status.waiting_for {
            let since = age(self.now.as_second() - waiting.since.0.as_second());
            let text = format!("waiting for {}: {}", waiting.reason, waiting.message);
            branches.push(format!("{text} {}", paint.paint(Tone::Dim, &format!("({since})"))));
        }
        if let Some(answer) = status.answer.as_ref().filter(|answer| is_about(&status, answer)) {
            let who = answer.by.as_deref().unwrap_or("somebody");
            let word = if answer.granted { "granted" } else { "refused" };
            let text =
                format!("last request {:?} by {who} {word}: {}", answer.verb, answer.message);
            branches.push(paint.paint(Tone::Dim, &text));
        }
        let last = branches.len().saturating_sub(1);
        for (index, branch) in branches.iter().enumerate() {
            let knee = if index == last { "└─" } else { "├─" };
            head.push_str(&format!("\n{knee} {branch}"));
        }
        head
    }

    fn tone(&self) -> Tone {
        match self.outcome() {
            Outcome::Done => Tone::Good,
            Outcome::Failed => Tone::Bad,
            Outcome::Running => Tone::Busy,
        }
    }

    /// Whether a ReplicaSet is of the workload's present template.
    fn is_update(&self, set: &ReplicaSet) -> bool {
        let spec = self.workload.and_then(|workload| workload.spec.as_ref());
        template_of(set).as_ref() == spec.map(|spec| &spec.template)
    }

    fn set(&self, set: &ReplicaSet) -> String {
        let hold = self.workload.and_then(hold_of);
        let held = hold.as_ref().and_then(|hold| hold.state.update().zip(hold.state.stable()));
        let role = match held {
            Some((update, _)) if self.is_update(set) => format!("update {update}"),
            Some((_, stable)) if self.sets.len() <= 2 => format!("stable {stable}"),
            None if self.is_update(set) => "stable".to_owned(),
            _ => "old".to_owned(),
        };
        let ready = set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
        let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(0);
        format!("{role}: {ready} of {wanted} pods ready ({})", set.name_any())
    }
}

/// A request is news as long as its revision is: under the next release it would mislead.
fn is_about(status: &RolloutStatus, answer: &Answer) -> bool {
    let present = match &status.update_revision {
        Some(update) => vec![update],
        None => status.rejected_revision.iter().chain(&status.stable_revision).collect(),
    };
    answer.revision.as_ref().is_none_or(|revision| present.contains(&revision))
}

/// A route, its requests, and whether they are there.
fn route_line(route: &RouteStatus, paint: Paint) -> String {
    let name = &route.name;
    let Some(revision) = &route.revision else {
        return format!("route {name}: back to its own rules");
    };
    let chosen = if route.chosen { ", and those that the batch chooses," } else { "" };
    let state = match route.seen_at {
        Some(_) => paint.paint(Tone::Good, "its gateways have it"),
        None => paint.paint(Tone::Busy, "on its way"),
    };
    format!("route {name}: {} % of the requests{chosen} to {revision}; {state}", route.weight)
}

fn skipped_line(skipped: &Skipped) -> String {
    let by = skipped.by.as_deref().unwrap_or("somebody");
    format!("gates of batch {} skipped by {by}", skipped.batch)
}

/// A gate, where it stands, and its last measurement.
fn gate_line(gate: &GateStatus, paint: Paint) -> String {
    let tone = match gate.state {
        GateState::Passed => Tone::Good,
        GateState::Waiting | GateState::Measuring => Tone::Busy,
        GateState::Failed | GateState::Unknown | GateState::Error => Tone::Bad,
    };
    let state = paint.paint(tone, &format!("{:?}", gate.state));
    let line = format!("gate {} of batch {}: {state}, {}", gate.name, gate.batch, gate.message);
    match gate.measured.last().last() {
        Some(last) if !gate.message.contains(&last.told) => {
            format!("{line}; last {:?}: {}", last.verdict, last.told)
        }
        _ => line,
    }
}

/// A ReplicaSet's template without the label that the stock controller adds.
fn template_of(set: &ReplicaSet) -> Option<PodTemplateSpec> {
    let mut template = set.spec.as_ref()?.template.clone()?;
    if let Some(labels) = template.metadata.as_mut().and_then(|metadata| metadata.labels.as_mut()) {
        labels.remove(contract::POD_TEMPLATE_HASH_LABEL);
    }
    Some(template)
}

#[cfg(test)]
mod tests;
