//! The conditions of a Rollout: Armed, and Ready, Reconciling and Stalled as kstatus reads them.
//! They follow from the phase and from what is waited for; nothing is decided here.

use crds::RolloutStatus;
use crds::status::Phase;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Both labels were read back from the workload.
pub const ARMED: &str = "Armed";
/// All pods are of the revision that the user applied.
pub const READY: &str = "Ready";
/// The controller is on its way there.
pub const RECONCILING: &str = "Reconciling";
/// The controller cannot get there by itself.
pub const STALLED: &str = "Stalled";

/// Whether the workload is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Armed {
    Yes,
    No,
}

impl Armed {
    /// As it was said last.
    pub(crate) fn of(status: &RolloutStatus) -> Self {
        let armed = status.conditions.iter().find(|condition| condition.type_ == ARMED);
        match armed {
            Some(condition) if condition.status == "True" => Self::Yes,
            _ => Self::No,
        }
    }
}

/// Sets the four conditions from the rest of the status. The time of a transition changes only
/// when the condition's status does.
pub(crate) fn set(status: &mut RolloutStatus, armed: Armed, generation: i64, now: &Time) {
    let (reason, message) = match &status.waiting_for {
        Some(waiting) => (waiting.reason.clone(), waiting.message.clone()),
        None => (format!("{:?}", status.phase), String::new()),
    };
    let armed = armed == Armed::Yes;
    let armed_reason = if armed { "Armed".to_owned() } else { reason.clone() };
    let (ready, reconciling, stalled) = kstatus(status.phase);
    let phase = format!("{:?}", status.phase);
    let wanted = [
        (ARMED, armed, armed_reason, String::new()),
        (READY, ready, phase.clone(), message.clone()),
        (RECONCILING, reconciling, phase, message.clone()),
        (STALLED, stalled, reason, message),
    ];
    let before = std::mem::take(&mut status.conditions);
    for (type_, value, reason, message) in wanted {
        let value = if value { "True" } else { "False" };
        let message = if value == "True" || type_ == READY { message } else { String::new() };
        let reason =
            if type_ == STALLED && value == "False" { "NotStalled".into() } else { reason };
        let since = before
            .iter()
            .find(|condition| condition.type_ == type_ && condition.status == value)
            .map_or_else(|| now.clone(), |condition| condition.last_transition_time.clone());
        status.conditions.push(Condition {
            last_transition_time: since,
            message,
            observed_generation: Some(generation),
            reason,
            status: value.into(),
            type_: type_.into(),
        });
    }
}

/// Ready, Reconciling and Stalled of a phase; at most one of them is true.
fn kstatus(phase: Phase) -> (bool, bool, bool) {
    match phase {
        Phase::Ready => (true, false, false),
        Phase::Rejected | Phase::Failed | Phase::Stalled => (false, false, true),
        Phase::Pending
        | Phase::Held
        | Phase::Progressing
        | Phase::Judging
        | Phase::Paused
        | Phase::RollingBack
        | Phase::Aborting
        | Phase::Terminating => (false, true, false),
    }
}
