//! From objects as served to what the planner reads. Pure functions of one object each; putting
//! them together is `world`'s business.

mod kept;
mod pod;
mod rollout;
mod set;
mod workload;

pub use kept::{KeptSeen, kept};
pub use pod::{PodSeen, pod};
pub use rollout::{RolloutSeen, rollout};
pub use set::{SetSeen, set};
pub use workload::{WorkloadSeen, workload};

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
