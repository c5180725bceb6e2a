//! Writes of our controller in a few words, for timelines.

use std::fmt;

use crds::contract::FENCE_PARTITION;
use crds::hold::Reading;
use crds::{Hold, HoldState};

use super::{HoldRequest, Request, SetChange};

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finalizer { wanted: true, .. } => f.write_str("puts its finalizer on"),
            Self::Finalizer { wanted: false, .. } => f.write_str("takes its finalizer off"),
            Self::Arm { workload, .. } => write!(f, "arms {workload}"),
            Self::Disarm { workload, .. } => write!(f, "disarms {workload}"),
            Self::Hold(request) => write!(f, "{request}"),
            Self::Retreat(request) => write!(f, "past the webhook: {request}"),
            Self::Set { set, change, .. } => match change {
                SetChange::Repair(seconds) => write!(f, "repairs {set}: minReadySeconds {seconds}"),
                SetChange::Resize { replicas, .. } => write!(f, "resizes {set} to {replicas}"),
                SetChange::Strip => write!(f, "strips our annotations off {set}"),
            },
            Self::DeletePod { pod, .. } => write!(f, "deletes pod {pod}"),
            Self::Keep { name, .. } => write!(f, "keeps template {name}"),
            Self::Drop { name } => write!(f, "drops template {name}"),
            Self::Patch { sabotage, .. } => write!(f, "sabotage: {sabotage:?}"),
            Self::Status { status, .. } => {
                write!(f, "status {:?}", status.phase)?;
                if let Some(step) = &status.step {
                    write!(f, " {step}")?;
                }
                match &status.waiting_for {
                    Some(waiting) => write!(f, ", waits for {}", waiting.reason),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for HoldRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(text) = &self.text else { return f.write_str("lifts the hold") };
        let Reading::Hold(hold) = Hold::read(text) else { return f.write_str("writes no hold") };
        let with = if hold.template.is_some() { ", with the template" } else { "" };
        match &hold.state {
            HoldState::Fenced(fenced) => {
                let target = &fenced.target;
                let paused = if target.paused { "paused, " } else { "" };
                let (surge, unavailable) = (target.max_surge, target.max_unavailable);
                write!(
                    f,
                    "hold batch {}: {paused}surge {surge}, unavailable {unavailable}{with}",
                    fenced.batch
                )
            }
            HoldState::Partitioned(held) => {
                write!(f, "hold batch {}: {}{with}", held.batch, partition(held.target.partition))
            }
            HoldState::Portioned(held) => {
                write!(f, "hold batch {}: {} stay{with}", held.batch, held.target.partition)
            }
            HoldState::Withheld(held) => write!(f, "hold batch {}{with}", held.batch),
            HoldState::Barred(barred) => {
                write!(f, "bars {} ({:?}){with}", barred.revision, barred.why)
            }
        }
    }
}

/// The partition in words.
fn partition(number: i32) -> String {
    match number {
        FENCE_PARTITION => "no pod".to_owned(),
        from => format!("pods from {from} on"),
    }
}
