//! The fields of a Deployment that a hold projects: reading them, what a hold makes of them, what
//! the apiserver accepts. Owns values only; writing them into an object is `draft`'s business.

use serde_json::Value;

use crate::contract::{FENCE_MIN_READY_SECONDS, FENCE_PROGRESS_DEADLINE_SECONDS};
use crate::{Fenced, IntOrPercent, Original};

/// apps/v1's default of `spec.progressDeadlineSeconds`.
pub const DEFAULT_PROGRESS_DEADLINE_SECONDS: i32 = 600;
/// apps/v1's default of both numbers of `spec.strategy.rollingUpdate`.
pub const DEFAULT_ROLLING: IntOrPercent = IntOrPercent::Percent(25);

/// Live values of the fields that a hold projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// spec.paused.
    pub paused: bool,
    /// spec.minReadySeconds.
    pub min_ready_seconds: i32,
    /// spec.progressDeadlineSeconds.
    pub progress_deadline_seconds: i32,
    /// spec.strategy.
    pub strategy: Strategy,
}

/// spec.strategy of a Deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// RollingUpdate with its two numbers.
    RollingUpdate {
        /// maxSurge.
        max_surge: IntOrPercent,
        /// maxUnavailable.
        max_unavailable: IntOrPercent,
    },
    /// Recreate: no batches are possible.
    Recreate,
}

impl Fields {
    /// Reads them from a Deployment's spec, with the apiserver's defaults for what is absent. None
    /// where a value has a shape that no apiserver shows.
    #[must_use]
    pub fn of(spec: &Value) -> Option<Self> {
        Some(Self {
            paused: match &spec["paused"] {
                Value::Null => false,
                value => value.as_bool()?,
            },
            min_ready_seconds: integer(&spec["minReadySeconds"], 0)?,
            progress_deadline_seconds: integer(
                &spec["progressDeadlineSeconds"],
                DEFAULT_PROGRESS_DEADLINE_SECONDS,
            )?,
            strategy: Strategy::of(&spec["strategy"])?,
        })
    }

    /// What a hold makes of them.
    #[must_use]
    pub fn held(hold: &Fenced) -> Self {
        Self {
            paused: hold.target.paused || hold.original.paused,
            min_ready_seconds: FENCE_MIN_READY_SECONDS,
            progress_deadline_seconds: FENCE_PROGRESS_DEADLINE_SECONDS,
            strategy: Strategy::RollingUpdate {
                max_surge: hold.target.max_surge,
                max_unavailable: hold.target.max_unavailable,
            },
        }
    }

    /// What they are once a hold is lifted.
    #[must_use]
    pub fn restored(original: &Original) -> Self {
        Self {
            paused: original.paused,
            min_ready_seconds: original.min_ready_seconds,
            progress_deadline_seconds: original.progress_deadline_seconds,
            strategy: Strategy::RollingUpdate {
                max_surge: original.max_surge,
                max_unavailable: original.max_unavailable,
            },
        }
    }

    /// The fence is on. Its mark is minReadySeconds alone: progressDeadlineSeconds has the fence's
    /// value in many an old manifest, because it was the default of extensions/v1beta1.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.min_ready_seconds == FENCE_MIN_READY_SECONDS
    }

    /// The fields as a user's own: None for Recreate, and for fence values, which are nobody's.
    #[must_use]
    pub fn as_original(&self) -> Option<Original> {
        match self.strategy {
            Strategy::RollingUpdate { max_surge, max_unavailable } if !self.is_fenced() => {
                Some(Original {
                    paused: self.paused,
                    min_ready_seconds: self.min_ready_seconds,
                    progress_deadline_seconds: self.progress_deadline_seconds,
                    max_surge,
                    max_unavailable,
                })
            }
            _ => None,
        }
    }
}

impl Strategy {
    fn of(strategy: &Value) -> Option<Self> {
        match &strategy["type"] {
            Value::Null => {}
            Value::String(kind) if kind == "RollingUpdate" => {}
            Value::String(kind) if kind == "Recreate" => return Some(Self::Recreate),
            _ => return None,
        }
        let rolling = &strategy["rollingUpdate"];
        Some(Self::RollingUpdate {
            max_surge: quantity(&rolling["maxSurge"])?,
            max_unavailable: quantity(&rolling["maxUnavailable"])?,
        })
    }
}

impl Original {
    /// The user's own values in a Deployment's spec. None where there are none: a fenced spec,
    /// Recreate, or a shape that no apiserver shows.
    #[must_use]
    pub fn of(spec: &Value) -> Option<Self> {
        Fields::of(spec)?.as_original()
    }

    /// The apiserver would accept these values in a Deployment. Whatever it would refuse must not
    /// hide behind a fence: the write that lifts it would be refused for ever.
    #[must_use]
    pub fn is_acceptable(&self) -> bool {
        let surge = magnitude(self.max_surge);
        let unavailable = magnitude(self.max_unavailable);
        let over = matches!(self.max_unavailable, IntOrPercent::Percent(percent) if percent > 100);
        (0..FENCE_MIN_READY_SECONDS).contains(&self.min_ready_seconds)
            && self.progress_deadline_seconds > self.min_ready_seconds
            && surge.min(unavailable) >= 0
            && surge.max(unavailable) > 0
            && !over
    }
}

fn magnitude(quantity: IntOrPercent) -> i32 {
    match quantity {
        IntOrPercent::Count(number) | IntOrPercent::Percent(number) => number,
    }
}

fn integer(value: &Value, default: i32) -> Option<i32> {
    match value {
        Value::Null => Some(default),
        value => i32::try_from(value.as_i64()?).ok(),
    }
}

fn quantity(value: &Value) -> Option<IntOrPercent> {
    match value {
        Value::Null => Some(DEFAULT_ROLLING),
        Value::String(text) => text.parse().ok(),
        value => integer(value, 0).map(IntOrPercent::Count),
    }
}
