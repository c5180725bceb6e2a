//! The field of a CloneSet that a hold projects: the partition, which is how many pods keep the
//! version that they have. A lost pod, or one made by scaling up, is of the old version as long as
//! fewer of that are there. Its surge, its unavailable and its pause stay the user's.

use serde_json::{Value, json};

use super::draft::Draft;
use super::field::{Field, Setting};
use super::kind::Projected;
use crate::kept::Kept;
use crate::{HoldState, Portion, Portioned, Revision, WorkloadKind};

/// spec.updateStrategy of a CloneSet, as far as a hold has to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloneSetFields {
    /// Pods are updated, one way or the other.
    Rolling {
        /// updateStrategy.partition.
        partition: Kept,
    },
    /// OnDelete: no batches are possible.
    OnDelete,
}

const PLACE: [&str; 3] = ["spec", "updateStrategy", "partition"];

impl CloneSetFields {
    /// Reads them from a CloneSet's spec, with Kruise's defaults for what is absent.
    #[must_use]
    pub fn of(spec: &Value) -> Option<Self> {
        let strategy = &spec["updateStrategy"];
        match &strategy["type"] {
            Value::Null => {}
            Value::String(kind) if kind == "OnDelete" => return Some(Self::OnDelete),
            Value::String(_) => {}
            _ => return None,
        }
        Some(Self::Rolling { partition: Kept::of(&strategy["partition"])? })
    }

    /// The partition, where there is one.
    #[must_use]
    pub fn partition(&self) -> Option<Kept> {
        match self {
            Self::Rolling { partition } => Some(*partition),
            Self::OnDelete => None,
        }
    }

    /// Nothing at all may be updated.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.partition() == Some(Kept::ALL)
    }
}

impl Projected for CloneSetFields {
    type Target = Portion;
    type Original = Portion;

    const KIND: WorkloadKind = WorkloadKind::CloneSet;
    const FIELDS: &'static [Field] = &[Field::Kept];
    const KEYS: &'static [&'static str] = &["updateStrategy"];
    const FENCE: Field = Field::Kept;

    fn read(spec: &Value) -> Option<Self> {
        Self::of(spec)
    }

    fn held(hold: &Portioned) -> Self {
        Self::restored(&hold.target)
    }

    fn restored(original: &Portion) -> Self {
        Self::Rolling { partition: original.partition }
    }

    fn is_fenced(&self) -> bool {
        Self::is_fenced(self)
    }

    fn as_original(&self) -> Option<Portion> {
        let partition = self.partition().filter(|_| !self.is_fenced())?;
        Some(Portion { partition })
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

    fn is_acceptable(original: &Portion) -> bool {
        match original.partition {
            Kept::Pods(pods) => pods >= 0,
            Kept::Percent(_) => original.partition != Kept::ALL,
        }
    }

    /// What the user's own partition keeps is never updated.
    fn reach(&self, replicas: i64) -> i64 {
        let replicas = i32::try_from(replicas).unwrap_or(i32::MAX);
        i64::from(replicas - self.partition().map_or(0, |kept| kept.pods(replicas)))
    }

    fn write(&self, live: &Self, draft: &mut Draft) {
        let [spec, strategy, _] = PLACE;
        match self {
            _ if self == live => {}
            Self::OnDelete => draft.set(&[spec, strategy, "type"], json!("OnDelete")),
            Self::Rolling { partition } => {
                if *live == Self::OnDelete {
                    draft.set(&[spec, strategy, "type"], json!("ReCreate"));
                }
                draft.set(&PLACE, json!(partition));
            }
        }
    }

    fn get(&self, field: Field) -> Option<Setting> {
        match field {
            Field::Kept => self.partition().map(Setting::Kept),
            _ => None,
        }
    }

    fn own(original: &Portion, field: Field) -> Option<Setting> {
        Self::restored(original).get(field)
    }

    fn set_own(original: &mut Portion, field: Field, setting: Setting) {
        if let (Field::Kept, Setting::Kept(partition)) = (field, setting) {
            original.partition = partition;
        }
    }

    fn held_in(state: &HoldState) -> Option<&Portioned> {
        match state {
            HoldState::Portioned(held) => Some(held),
            _ => None,
        }
    }

    fn state(held: Portioned) -> HoldState {
        HoldState::Portioned(held)
    }

    fn first(revision: Revision, stable: Revision, original: Portion) -> Portioned {
        Portioned::first(revision, stable, original)
    }

    fn stopped(_: &Portion) -> Portion {
        Portion { partition: Kept::ALL }
    }

    /// What scaling makes must be of the old version before the controller has planned for the new
    /// number; scaling down keeps the share.
    fn scaled(target: &Portion, was: i64, is: i64) -> Portion {
        if is > was { Self::stopped(target) } else { *target }
    }

    fn stays_stopped(_: &Self, _: &Self, _: &Portion) -> bool {
        false
    }
}
