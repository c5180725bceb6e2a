//! The field of a StatefulSet that a hold projects: the partition. Pods below it keep the version
//! that they have, and one that is lost there, or made by scaling up, is made of the old version.

use serde_json::{Value, json};

use super::draft::Draft;
use super::field::{Field, Setting};
use super::kind::Projected;
use crate::contract::FENCE_PARTITION;
use crate::{HoldState, Partition, Partitioned, Revision, WorkloadKind};

/// spec.updateStrategy of a StatefulSet, as far as a hold has to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatefulFields {
    /// RollingUpdate: pods from this one on, counted from 0, are updated.
    RollingUpdate {
        /// rollingUpdate.partition.
        partition: i32,
    },
    /// OnDelete: no batches are possible.
    OnDelete,
}

const STRATEGY: [&str; 2] = ["spec", "updateStrategy"];

impl StatefulFields {
    /// Reads them from a StatefulSet's spec, with the apiserver's defaults for what is absent.
    #[must_use]
    pub fn of(spec: &Value) -> Option<Self> {
        let strategy = &spec["updateStrategy"];
        match &strategy["type"] {
            Value::Null => {}
            Value::String(kind) if kind == "RollingUpdate" => {}
            Value::String(kind) if kind == "OnDelete" => return Some(Self::OnDelete),
            _ => return None,
        }
        let partition = match &strategy["rollingUpdate"]["partition"] {
            Value::Null => 0,
            value => i32::try_from(value.as_i64()?).ok()?,
        };
        Some(Self::RollingUpdate { partition })
    }

    /// The partition, where there is one.
    #[must_use]
    pub fn partition(&self) -> Option<i32> {
        match self {
            Self::RollingUpdate { partition } => Some(*partition),
            Self::OnDelete => None,
        }
    }

    /// Nothing at all may be updated.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.partition() == Some(FENCE_PARTITION)
    }
}

impl Projected for StatefulFields {
    type Target = Partition;
    type Original = Partition;

    const KIND: WorkloadKind = WorkloadKind::StatefulSet;
    const FIELDS: &'static [Field] = &[Field::Partition];
    const KEYS: &'static [&'static str] = &["updateStrategy"];
    const FENCE: Field = Field::Partition;

    fn read(spec: &Value) -> Option<Self> {
        Self::of(spec)
    }

    fn held(hold: &Partitioned) -> Self {
        Self::restored(&hold.target)
    }

    fn restored(original: &Partition) -> Self {
        Self::RollingUpdate { partition: original.partition }
    }

    fn is_fenced(&self) -> bool {
        Self::is_fenced(self)
    }

    fn as_original(&self) -> Option<Partition> {
        let partition = self.partition().filter(|_| !self.is_fenced())?;
        Some(Partition { partition })
    }

    /// A user may well forbid all updates so: it hides nothing.
    fn unfenced(&self) -> Self {
        *self
    }

    fn refused(&self) -> Option<&'static str> {
        (*self == Self::OnDelete).then_some("OnDelete")
    }

    fn under(self, written: &Self) -> Self {
        if *written == Self::OnDelete { Self::OnDelete } else { self }
    }

    fn is_acceptable(original: &Partition) -> bool {
        (0..FENCE_PARTITION).contains(&original.partition)
    }

    /// Pods below the user's own partition are never updated.
    fn reach(&self, replicas: i64) -> i64 {
        (replicas - i64::from(self.partition().unwrap_or(0).max(0))).max(0)
    }

    fn write(&self, live: &Self, draft: &mut Draft) {
        let [spec, strategy] = STRATEGY;
        match self {
            _ if self == live => {}
            Self::OnDelete => draft.set(&STRATEGY, json!({ "type": "OnDelete" })),
            Self::RollingUpdate { partition } => {
                draft.set(&[spec, strategy, "type"], json!("RollingUpdate"));
                let place = [spec, strategy, "rollingUpdate", "partition"];
                draft.set(&place, json!(partition));
            }
        }
    }

    fn get(&self, field: Field) -> Option<Setting> {
        match field {
            Field::Partition => self.partition().map(Setting::Partition),
            _ => None,
        }
    }

    fn own(original: &Partition, field: Field) -> Option<Setting> {
        Self::restored(original).get(field)
    }

    fn set_own(original: &mut Partition, field: Field, setting: Setting) {
        if let (Field::Partition, Setting::Partition(partition)) = (field, setting) {
            original.partition = partition;
        }
    }

    fn held_in(state: &HoldState) -> Option<&Partitioned> {
        match state {
            HoldState::Partitioned(held) => Some(held),
            _ => None,
        }
    }

    fn state(held: Partitioned) -> HoldState {
        HoldState::Partitioned(held)
    }

    fn first(revision: Revision, stable: Revision, original: Partition) -> Partitioned {
        Partitioned::first(revision, stable, original)
    }

    fn stopped(_: &Partition) -> Partition {
        Partition { partition: FENCE_PARTITION }
    }

    /// Pods that scaling makes above a partition are of the new version: none, then, before the
    /// controller has planned for the new number.
    fn scaled(target: &Partition, was: i64, is: i64) -> Partition {
        if is > was { Self::stopped(target) } else { *target }
    }

    fn stays_stopped(_: &Self, _: &Self, _: &Partition) -> bool {
        false
    }
}
