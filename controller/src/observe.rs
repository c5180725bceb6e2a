//! From objects as served to what the planner reads. Pure functions of one object each; putting
//! them together is `world`'s business.

use crds::WorkloadKind;

use crate::raw::Raw;

mod cloneset;
mod daemonset;
mod kept;
mod pod;
mod rollout;
mod route;
mod service;
mod set;
mod stateful;
mod workload;

pub use cloneset::cloneset;
pub use daemonset::daemonset;
pub use kept::{KeptSeen, kept};
pub use pod::{PodSeen, pod};
pub use rollout::{RolloutSeen, rollout};
pub use route::{RouteRead, route_of};
pub use service::{ServiceRead, SliceRead, service, slice};
pub use set::{SetSeen, revision, set, template_in};
pub use stateful::stateful;
pub use workload::{WorkloadSeen, workload};

/// How a workload of this kind is read.
pub fn workload_of(kind: WorkloadKind) -> fn(&Raw) -> Result<WorkloadSeen, Unreadable> {
    match kind {
        WorkloadKind::Deployment => workload,
        WorkloadKind::StatefulSet => stateful,
        WorkloadKind::CloneSet => cloneset,
        WorkloadKind::DaemonSet => daemonset,
    }
}

/// How a revision of a workload of this kind is read.
pub fn revision_of(kind: WorkloadKind) -> fn(&Raw) -> Result<Option<SetSeen>, Unreadable> {
    match kind {
        WorkloadKind::Deployment => set,
        WorkloadKind::StatefulSet | WorkloadKind::CloneSet | WorkloadKind::DaemonSet => revision,
    }
}

/// Why an object cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests;
