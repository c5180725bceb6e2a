//! The projected fields one by one, so that a rule that holds for each is written once.

use crate::kept::Kept;
use crate::{IntOrPercent, UpdateType};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Paused,
    MinReadySeconds,
    ProgressDeadlineSeconds,
    MaxSurge,
    MaxUnavailable,
    Partition,
    /// A CloneSet's partition.
    Kept,
    /// A DaemonSet's type of update.
    UpdateType,
}

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Paused(bool),
    Seconds(i32),
    Pods(IntOrPercent),
    Partition(i32),
    Kept(Kept),
    UpdateType(UpdateType),
}

impl Field {
    /// Its place in a workload's spec.
    pub(super) fn path(self) -> &'static [&'static str] {
        match self {
            Self::Paused => &["paused"],
            Self::MinReadySeconds => &["minReadySeconds"],
            Self::ProgressDeadlineSeconds => &["progressDeadlineSeconds"],
            Self::MaxSurge => &["strategy", "rollingUpdate", "maxSurge"],
            Self::MaxUnavailable => &["strategy", "rollingUpdate", "maxUnavailable"],
            Self::Partition => &["updateStrategy", "rollingUpdate", "partition"],
            Self::Kept => &["updateStrategy", "partition"],
            Self::UpdateType => &["updateStrategy", "type"],
        }
    }

    /// Its name, for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::UpdateType => "updateStrategy.type",
            _ => self.path().last().copied().unwrap_or_default(),
        }
    }
}
