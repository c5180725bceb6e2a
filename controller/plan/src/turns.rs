//! The turns of a release that are worth an Event, read off two statuses that follow each other:
//! so an Event and the status never tell different stories. Words only.

use crds::RolloutStatus;
use crds::status::{BatchStatus, GateStatus, Phase};
use gate::Verdict;
use gate::history::Measurement;

use crate::action::Turn;
use crate::measured;

impl Turn {
    pub(crate) fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), warning: false }
    }

    pub(crate) fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), warning: true }
    }
}

/// Adds the turns from `before` to `after`.
pub(crate) fn between(before: &RolloutStatus, after: &RolloutStatus, turns: &mut Vec<Turn>) {
    answer(before, after, turns);
    release(before, after, turns);
    gates(before, after, turns);
    phase(before, after, turns);
    trouble(before, after, turns);
}

fn answer(before: &RolloutStatus, after: &RolloutStatus, turns: &mut Vec<Turn>) {
    let Some(answer) = after.answer.as_ref().filter(|_| before.answer != after.answer) else {
        return;
    };
    let by = answer.by.as_deref().unwrap_or("somebody");
    let said = format!("{:?} by {by}: {}", answer.verb, answer.message);
    turns.push(match answer.granted {
        true => Turn::normal("RequestGranted", said),
        false => Turn::warning("RequestRefused", said),
    });
}

fn release(before: &RolloutStatus, after: &RolloutStatus, turns: &mut Vec<Turn>) {
    let (Some(revision), Some(batch)) = (&after.update_revision, &after.batch) else {
        return;
    };
    let new_release = before.update_revision.as_ref() != Some(revision) || before.batch.is_none();
    if new_release {
        let stable = after.stable_revision.as_ref().map(ToString::to_string).unwrap_or_default();
        turns.push(Turn::normal("ReleaseHeld", format!("revision {revision} over {stable}")));
    }
    let moves = |status: &RolloutStatus| status.phase != Phase::Held;
    let same = !new_release && same_batch(before, after) && moves(before) == moves(after);
    if moves(after) && !same {
        let BatchStatus { index, count, replicas, .. } = batch;
        let pods = if *replicas == 1 { "pod" } else { "pods" };
        let said = format!("batch {index} of {count}: {replicas} {pods} of {revision}");
        turns.push(Turn::normal("BatchStarted", said));
    }
}

/// Verdicts that change: a gate that passes and passes again is no news.
fn gates(before: &RolloutStatus, after: &RolloutStatus, turns: &mut Vec<Turn>) {
    for (gate, one) in measured::between(before, after) {
        let GateStatus { name, batch, measured, .. } = gate;
        // One that is waited for stands for all before it.
        let still = one.verdict == Verdict::Pending && was_pending(before, gate);
        if still || !is_news(measured.last(), one) {
            continue;
        }
        let said = format!("gate {name} in batch {batch}: {}", one.told);
        turns.push(match one.verdict {
            Verdict::Pass => Turn::normal("GatePassed", said),
            Verdict::Pending => Turn::normal("GatePending", said),
            Verdict::Fail => Turn::warning("GateFailed", said),
            Verdict::Unknown => Turn::warning("GateUnknown", said),
            Verdict::Error => Turn::warning("GateError", said),
        });
    }
}

fn was_pending(before: &RolloutStatus, gate: &GateStatus) -> bool {
    let mut gates = before.gates.iter();
    let same = gates.find(|old| (&old.name, old.batch) == (&gate.name, gate.batch));
    same.is_some_and(|old| old.measured.pending().is_some())
}

/// It changes the verdict, and no earlier one of those that are kept changed it to the same: one
/// that goes to and fro is told once.
fn is_news(kept: &[Measurement], one: &Measurement) -> bool {
    let changes = |at: usize| {
        let before = at.checked_sub(1).map_or(Verdict::Pass, |at| kept[at].verdict);
        kept[at].verdict == one.verdict && before != one.verdict
    };
    let Some(at) = kept.iter().position(|kept| kept.at == one.at) else { return false };
    changes(at) && !(0..at).any(changes)
}

fn phase(before: &RolloutStatus, after: &RolloutStatus, turns: &mut Vec<Turn>) {
    if before.phase == after.phase {
        return;
    }
    let waits = after.waiting_for.as_ref().map(|waiting| waiting.message.as_str());
    let waits = waits.unwrap_or_default();
    let name = |revision: &Option<crds::Revision>| {
        revision.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let stable = name(&after.stable_revision);
    turns.push(match (before.phase, after.phase) {
        (Phase::Pending | Phase::Stalled, Phase::Ready) => {
            Turn::normal("Armed", format!("updates are held from now on; stable is {stable}"))
        }
        (Phase::RollingBack, Phase::Ready) => {
            Turn::normal("RolledBack", format!("all pods are of {stable} again"))
        }
        (_, Phase::Ready) if before.stable_revision != after.stable_revision => {
            Turn::normal("Released", format!("revision {stable} is released in full"))
        }
        // The batch is ready all along; what a gate says has an Event of its own.
        (Phase::Paused, Phase::Judging) if same_batch(before, after) => return,
        (Phase::Judging, Phase::Paused) => Turn::normal("GatesPassed", waits),
        (_, Phase::Paused | Phase::Judging) => Turn::normal("BatchReady", waits),
        (_, Phase::RollingBack) => Turn::normal("RollingBack", waits),
        (_, Phase::Aborting) => Turn::warning("Aborting", waits),
        (_, Phase::Rejected) => Turn::warning("Rejected", waits),
        (_, Phase::Failed) => Turn::warning("Failed", waits),
        (_, Phase::Stalled) => Turn::warning("Stalled", waits),
        _ => return,
    });
}

fn same_batch(before: &RolloutStatus, after: &RolloutStatus) -> bool {
    let index = |status: &RolloutStatus| status.batch.as_ref().map(|batch| batch.index);
    index(before) == index(after)
}

fn trouble(before: &RolloutStatus, after: &RolloutStatus, turns: &mut Vec<Turn>) {
    let reason = |status: &RolloutStatus| {
        status.waiting_for.as_ref().map(|waiting| waiting.reason.clone()).unwrap_or_default()
    };
    if reason(before) == reason(after) {
        return;
    }
    let Some(waiting) = &after.waiting_for else { return };
    let (word, warning) = match waiting.reason.as_str() {
        "PodTrouble" => ("PodTrouble", true),
        "Webhook" => ("WebhookMissing", true),
        "DeploymentPaused" => ("DeploymentPaused", false),
        "MovingBack" => ("MovingBack", false),
        "ScaledToZero" => ("ScaledToZero", false),
        _ => return,
    };
    turns.push(Turn { reason: word, message: waiting.message.clone(), warning });
}
