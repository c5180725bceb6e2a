//! Where a gate stands, and what it does to its batch. Owns that only passes let a batch go on.

use jiff::Timestamp;

use super::{Course, OnUnknown};

/// Where a gate stands in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not begun.
    Waiting {
        /// When it does.
        until: Timestamp,
    },
    /// It needs more passes.
    Measuring {
        /// When the next measurement is due; it may be past.
        next: Timestamp,
        /// Passes so far.
        passed: u32,
        /// Passes needed.
        count: u32,
    },
    /// It has its passes.
    Passed {
        /// The next measurement of a gate that goes on in the background.
        next: Option<Timestamp>,
    },
    /// It has its passes, and no pass of now: its last measurement is none, or is of before the
    /// end of the bake.
    Doubtful {
        /// The next measurement.
        next: Timestamp,
        /// Why.
        told: String,
    },
    /// Too many fails.
    Failed {
        /// How many, and the last of them.
        told: String,
    },
    /// Too many Unknown in a row. It measures on; a pass or a fail ends this.
    UnknownLimit {
        /// What the user wants.
        follows: OnUnknown,
        /// The next measurement.
        next: Timestamp,
        /// How many, and the last of them.
        told: String,
    },
    /// Too many Errors in a row. It measures on; a pass or a fail ends this.
    ErrorLimit {
        /// What the user wants.
        follows: OnUnknown,
        /// The next measurement.
        next: Timestamp,
        /// How many, and the last of them.
        told: String,
    },
}

/// What a gate does to its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The batch waits.
    Hold,
    /// The batch may end, as far as this gate is concerned.
    Release,
    /// The gate failed: the Rollout's onFailure follows.
    Fail,
    /// The batch waits, and says that a human should look.
    Pause,
    /// The release is taken back.
    Abort,
}

impl State {
    /// When to look again.
    #[must_use]
    pub fn wake(&self) -> Option<Timestamp> {
        match self {
            Self::Waiting { until: next }
            | Self::Measuring { next, .. }
            | Self::Doubtful { next, .. }
            | Self::UnknownLimit { next, .. }
            | Self::ErrorLimit { next, .. } => Some(*next),
            Self::Passed { next } => *next,
            Self::Failed { .. } => None,
        }
    }

    /// What the gate does to its batch. A dry run holds nothing up and takes nothing back.
    #[must_use]
    pub fn effect(&self, course: &Course) -> Effect {
        match self {
            _ if course.dry_run => Effect::Release,
            Self::Waiting { .. } | Self::Measuring { .. } | Self::Doubtful { .. } => Effect::Hold,
            Self::Passed { .. } => Effect::Release,
            Self::Failed { .. } => Effect::Fail,
            Self::UnknownLimit { follows, .. } | Self::ErrorLimit { follows, .. } => {
                match follows {
                    OnUnknown::Pause => Effect::Pause,
                    OnUnknown::Abort => Effect::Abort,
                }
            }
        }
    }
}
