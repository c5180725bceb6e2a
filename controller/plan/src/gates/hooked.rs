//! A gate that is a hook: what it is told of the release, and what its answer comes to. What a
//! status means is the `gate` crate's.

use crds::gates::HookGate;
use crds::rollout::WorkloadRef;
use gate::HookFinding;
use gate::history::Measurement;
use gate::verdict::Reason;

use crate::action::Ask;
use crate::hook::{HookCall, HookWorkload};
use crate::kind::Held;
use crate::measured::reasoned;
use crate::observed::{Answered, Observed};

/// The release, as a hook is told of it.
pub(super) struct Release {
    call: HookCall,
}

impl Release {
    /// Of `count` batches.
    pub(super) fn of(seen: &Observed, held: &Held<'_>, hashes: [String; 2], count: u32) -> Self {
        let WorkloadRef { api_version, kind, name } = seen.rollout.spec.workload_ref.clone();
        let [pod_hash, stable_pod_hash] = hashes;
        let call = HookCall {
            rollout: seen.rollout.name.clone(),
            namespace: seen.rollout.namespace.clone(),
            workload: HookWorkload { api_version, kind, name },
            revision: held.revision.clone(),
            stable_revision: held.stable.clone(),
            pod_hash,
            stable_pod_hash,
            batch: 0,
            batches: count,
            gate: String::new(),
            attempt: 0,
        };
        Self { call }
    }

    /// The question of a gate that was asked so often in its batch.
    pub(super) fn question(&self, hook: &HookGate, attempts: u32, ask: Ask) -> Ask {
        let call = HookCall {
            batch: ask.batch,
            gate: ask.gate.clone(),
            attempt: attempts.saturating_add(1),
            ..self.call.clone()
        };
        Ask { provider: hook.provider.clone(), hook: Some(Box::new(call)), ..ask }
    }
}

/// What an answer comes to; None if it is that of another question.
pub(super) fn take(hook: &HookGate, answered: &Answered) -> Option<Measurement> {
    let heard = answered.heard.as_ref().filter(|_| answered.ask.provider == hook.provider)?;
    let finding = HookFinding::of(heard, hook.confirm);
    let query = format!("POST HookProvider {}", hook.provider);
    let ask = Ask { query, ..answered.ask.clone() };
    Some(reasoned(&ask, &Reason::Hook(finding)))
}
