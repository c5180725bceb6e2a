//! The projected fields one by one, so that a rule that holds for each is written once.

use super::{Fields, Strategy};
use crate::{IntOrPercent, Original};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Paused,
    MinReadySeconds,
    ProgressDeadlineSeconds,
    MaxSurge,
    MaxUnavailable,
}

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Paused(bool),
    Seconds(i32),
    Pods(IntOrPercent),
}

impl Field {
    pub(super) const ALL: [Self; 5] = [
        Self::Paused,
        Self::MinReadySeconds,
        Self::ProgressDeadlineSeconds,
        Self::MaxSurge,
        Self::MaxUnavailable,
    ];

    /// Its place in a Deployment's spec.
    pub(super) fn path(self) -> &'static [&'static str] {
        match self {
            Self::Paused => &["paused"],
            Self::MinReadySeconds => &["minReadySeconds"],
            Self::ProgressDeadlineSeconds => &["progressDeadlineSeconds"],
            Self::MaxSurge => &["strategy", "rollingUpdate", "maxSurge"],
            Self::MaxUnavailable => &["strategy", "rollingUpdate", "maxUnavailable"],
        }
    }

    /// Its name, for people.
    pub(super) fn name(self) -> &'static str {
        self.path().last().copied().unwrap_or_default()
    }
}

impl Fields {
    /// None for the two numbers of a rolling update under Recreate.
    pub(super) fn get(&self, field: Field) -> Option<Setting> {
        let rolling = |pick: fn(IntOrPercent, IntOrPercent) -> IntOrPercent| match self.strategy {
            Strategy::RollingUpdate { max_surge, max_unavailable } => {
                Some(Setting::Pods(pick(max_surge, max_unavailable)))
            }
            Strategy::Recreate => None,
        };
        match field {
            Field::Paused => Some(Setting::Paused(self.paused)),
            Field::MinReadySeconds => Some(Setting::Seconds(self.min_ready_seconds)),
            Field::ProgressDeadlineSeconds => {
                Some(Setting::Seconds(self.progress_deadline_seconds))
            }
            Field::MaxSurge => rolling(|surge, _| surge),
            Field::MaxUnavailable => rolling(|_, unavailable| unavailable),
        }
    }
}

impl Original {
    pub(super) fn get(&self, field: Field) -> Setting {
        match field {
            Field::Paused => Setting::Paused(self.paused),
            Field::MinReadySeconds => Setting::Seconds(self.min_ready_seconds),
            Field::ProgressDeadlineSeconds => Setting::Seconds(self.progress_deadline_seconds),
            Field::MaxSurge => Setting::Pods(self.max_surge),
            Field::MaxUnavailable => Setting::Pods(self.max_unavailable),
        }
    }

    /// Sets a field to a value of its own kind; any other is ignored.
    pub(super) fn set(&mut self, field: Field, setting: Setting) {
        match (field, setting) {
            (Field::Paused, Setting::Paused(paused)) => self.paused = paused,
            (Field::MinReadySeconds, Setting::Seconds(seconds)) => {
                self.min_ready_seconds = seconds;
            }
            (Field::ProgressDeadlineSeconds, Setting::Seconds(seconds)) => {
                self.progress_deadline_seconds = seconds;
            }
            (Field::MaxSurge, Setting::Pods(pods)) => self.max_surge = pods,
            (Field::MaxUnavailable, Setting::Pods(pods)) => self.max_unavailable = pods,
            _ => {}
        }
    }
}
