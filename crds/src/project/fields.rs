//! The fields of a Deployment that a hold projects: reading them, what a hold makes of them, what
//! the apiserver accepts. Owns values only; writing them into an object is `draft`'s business.

use serde_json::{Value, json};

use super::draft::Draft;
use super::field::{Field, Setting};
use super::kind::Projected;
use crate::contract::{FENCE_MIN_READY_SECONDS, FENCE_PROGRESS_DEADLINE_SECONDS};
use crate::{Fenced, HoldState, IntOrPercent, Original, Revision, Target, WorkloadKind};

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

impl Projected for Fields {
    type Target = Target;
    type Original = Original;

    const KIND: WorkloadKind = WorkloadKind::Deployment;
    const FIELDS: &'static [Field] = &[
        Field::Paused,
        Field::MinReadySeconds,
        Field::ProgressDeadlineSeconds,
        Field::MaxSurge,
        Field::MaxUnavailable,
    ];
    const KEYS: &'static [&'static str] =
        &["paused", "minReadySeconds", "progressDeadlineSeconds", "strategy"];
    const FENCE: Field = Field::MinReadySeconds;

    fn read(spec: &Value) -> Option<Self> {
        Self::of(spec)
    }

    fn held(hold: &Fenced) -> Self {
        Self::held(hold)
    }

    fn restored(original: &Original) -> Self {
        Self::restored(original)
    }

    fn is_fenced(&self) -> bool {
        Self::is_fenced(self)
    }

    fn as_original(&self) -> Option<Original> {
        Self::as_original(self)
    }

    fn unfenced(&self) -> Self {
        let deadline = match self.progress_deadline_seconds {
            FENCE_PROGRESS_DEADLINE_SECONDS => DEFAULT_PROGRESS_DEADLINE_SECONDS,
            seconds => seconds,
        };
        Self { min_ready_seconds: 0, progress_deadline_seconds: deadline, ..self.clone() }
    }

    fn refused(&self) -> Option<&'static str> {
        (self.strategy == Strategy::Recreate).then_some("Recreate")
    }

    fn under(self, written: &Self) -> Self {
        match written.strategy {
            Strategy::Recreate => Self { strategy: Strategy::Recreate, ..self },
            Strategy::RollingUpdate { .. } => self,
        }
    }

    fn is_acceptable(original: &Original) -> bool {
        original.is_acceptable()
    }

    fn reach(&self, replicas: i64) -> i64 {
        replicas
    }

    /// What apps/v1 shows of a default is absent for `paused` and `minReadySeconds`, and present
    /// for the others: so it is left, and a user's object comes back exactly.
    fn write(&self, live: &Self, draft: &mut Draft) {
        if self.paused != live.paused {
            draft.put(&["spec", "paused"], self.paused.then_some(Value::Bool(true)));
        }
        if self.min_ready_seconds != live.min_ready_seconds {
            let seconds = Some(self.min_ready_seconds).filter(|seconds| *seconds != 0);
            draft.put(&["spec", "minReadySeconds"], seconds.map(Value::from));
        }
        if self.progress_deadline_seconds != live.progress_deadline_seconds {
            let seconds = Value::from(self.progress_deadline_seconds);
            draft.set(&["spec", "progressDeadlineSeconds"], seconds);
        }
        if self.strategy != live.strategy {
            self.strategy.write(live.strategy, draft);
        }
    }

    /// None for the two numbers of a rolling update under Recreate.
    fn get(&self, field: Field) -> Option<Setting> {
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
            Field::Partition | Field::Kept | Field::UpdateType => None,
        }
    }

    fn own(original: &Original, field: Field) -> Option<Setting> {
        Self::restored(original).get(field)
    }

    fn set_own(original: &mut Original, field: Field, setting: Setting) {
        match (field, setting) {
            (Field::Paused, Setting::Paused(paused)) => original.paused = paused,
            (Field::MinReadySeconds, Setting::Seconds(seconds)) => {
                original.min_ready_seconds = seconds;
            }
            (Field::ProgressDeadlineSeconds, Setting::Seconds(seconds)) => {
                original.progress_deadline_seconds = seconds;
            }
            (Field::MaxSurge, Setting::Pods(pods)) => original.max_surge = pods,
            (Field::MaxUnavailable, Setting::Pods(pods)) => original.max_unavailable = pods,
            _ => {}
        }
    }

    fn held_in(state: &HoldState) -> Option<&Fenced> {
        match state {
            HoldState::Fenced(held) => Some(held),
            _ => None,
        }
    }

    fn state(held: Fenced) -> HoldState {
        HoldState::Fenced(held)
    }

    fn first(revision: Revision, stable: Revision, original: Original) -> Fenced {
        Fenced::first(revision, stable, original)
    }

    /// The strategy stays, because paused is no standstill: the stock controller still goes to
    /// replicas + maxSurge.
    fn stopped(target: &Target) -> Target {
        Target { paused: true, ..*target }
    }

    fn scaled(target: &Target, _: i64, _: i64) -> Target {
        *target
    }

    fn stays_stopped(old: &Self, new: &Self, target: &Target) -> bool {
        old.paused && !new.paused && target.paused
    }
}

impl Strategy {
    fn write(self, live: Self, draft: &mut Draft) {
        let rolling = ["spec", "strategy", "rollingUpdate"];
        let of_type = ["spec", "strategy", "type"];
        let kind = if self == Self::Recreate { "Recreate" } else { "RollingUpdate" };
        draft.set(&of_type, json!(kind));
        match (live, self) {
            (_, Self::Recreate) => draft.remove(&rolling),
            (Self::Recreate, Self::RollingUpdate { max_surge, max_unavailable }) => {
                let both = json!({ "maxSurge": max_surge, "maxUnavailable": max_unavailable });
                draft.set(&rolling, both);
            }
            (
                Self::RollingUpdate { max_surge: surge, max_unavailable: unavailable },
                Self::RollingUpdate { max_surge, max_unavailable },
            ) => {
                let [spec, strategy, rolling] = rolling;
                if max_surge != surge {
                    draft.set(&[spec, strategy, rolling, "maxSurge"], json!(max_surge));
                }
                if max_unavailable != unavailable {
                    draft.set(&[spec, strategy, rolling, "maxUnavailable"], json!(max_unavailable));
                }
            }
        }
    }

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
