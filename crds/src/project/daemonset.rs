//! The field of a DaemonSet that a hold projects: the type of its update strategy. Under OnDelete a
//! pod keeps the version that it has until somebody takes it away, and comes back as the new one;
//! so do pods that are lost, and those of new nodes. What its rollingUpdate says stays the user's.

use serde_json::{Value, json};

use super::draft::Draft;
use super::field::{Field, Setting};
use super::kind::Projected;
use crate::{HoldState, Revision, UpdateType, Updating, Withheld, WorkloadKind};

/// spec.updateStrategy of a DaemonSet, as far as a hold has to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaemonSetFields {
    /// type.
    pub by: UpdateType,
}

const PLACE: [&str; 3] = ["spec", "updateStrategy", "type"];

impl DaemonSetFields {
    /// Reads them from a DaemonSet's spec, with the apiserver's defaults for what is absent.
    #[must_use]
    pub fn of(spec: &Value) -> Option<Self> {
        let by = match &spec["updateStrategy"]["type"] {
            Value::Null => UpdateType::RollingUpdate,
            Value::String(word) if word == "RollingUpdate" => UpdateType::RollingUpdate,
            Value::String(word) if word == "OnDelete" => UpdateType::OnDelete,
            _ => return None,
        };
        Some(Self { by })
    }

    /// Nodes that the DaemonSet is for, as its controller counted them last; None before it has,
    /// and where it found none for a spec that is another by now.
    #[must_use]
    pub fn counted(object: &Value) -> Option<i64> {
        let status = &object["status"];
        let seen = status["observedGeneration"].as_i64().filter(|seen| *seen > 0)?;
        let current = object["metadata"]["generation"].as_i64().is_none_or(|now| now <= seen);
        status["desiredNumberScheduled"].as_i64().filter(|nodes| *nodes > 0 || current)
    }
}

impl Projected for DaemonSetFields {
    type Target = Updating;
    type Original = Updating;

    const KIND: WorkloadKind = WorkloadKind::DaemonSet;
    const FIELDS: &'static [Field] = &[Field::UpdateType];
    const KEYS: &'static [&'static str] = &["updateStrategy"];
    const FENCE: Field = Field::UpdateType;
    /// OnDelete may well be the user's: without a hold it hides nothing.
    const IS_MARKED: bool = false;

    fn read(spec: &Value) -> Option<Self> {
        Self::of(spec)
    }

    /// Only its controller knows, and what a write says of that is nothing to go by. While nobody
    /// knows it is held.
    fn replicas(_: &Value, before: &Value) -> Option<i64> {
        Some(Self::counted(before).unwrap_or(1))
    }

    fn held(hold: &Withheld) -> Self {
        Self::restored(&hold.target)
    }

    fn restored(original: &Updating) -> Self {
        Self { by: original.by }
    }

    fn is_fenced(&self) -> bool {
        false
    }

    fn as_original(&self) -> Option<Updating> {
        Some(Updating { by: self.by }).filter(Self::is_acceptable)
    }

    fn unfenced(&self) -> Self {
        *self
    }

    fn refused(&self) -> Option<&'static str> {
        (self.by == UpdateType::OnDelete).then_some("OnDelete")
    }

    /// OnDelete in an export is the fence's.
    fn under(self, _: &Self) -> Self {
        self
    }

    fn is_acceptable(original: &Updating) -> bool {
        original.by != UpdateType::OnDelete
    }

    fn reach(&self, replicas: i64) -> i64 {
        replicas
    }

    fn write(&self, live: &Self, draft: &mut Draft) {
        if self != live {
            draft.set(&PLACE, json!(self.by));
        }
    }

    fn get(&self, field: Field) -> Option<Setting> {
        match field {
            Field::UpdateType => Some(Setting::UpdateType(self.by)),
            _ => None,
        }
    }

    fn own(original: &Updating, field: Field) -> Option<Setting> {
        Self::restored(original).get(field)
    }

    /// A user who states OnDelete in a release cannot be told from an export of it: it is left for
    /// the next write at rest, like any strategy without batches.
    fn set_own(original: &mut Updating, field: Field, setting: Setting) {
        if let (Field::UpdateType, Setting::UpdateType(by)) = (field, setting)
            && by != UpdateType::OnDelete
        {
            original.by = by;
        }
    }

    fn held_in(state: &HoldState) -> Option<&Withheld> {
        match state {
            HoldState::Withheld(held) => Some(held),
            _ => None,
        }
    }

    fn state(held: Withheld) -> HoldState {
        HoldState::Withheld(held)
    }

    fn first(revision: Revision, stable: Revision, original: Updating) -> Withheld {
        Withheld::first(revision, stable, original)
    }

    fn stopped(target: &Updating) -> Updating {
        *target
    }

    fn scaled(target: &Updating, _: i64, _: i64) -> Updating {
        *target
    }

    fn stays_stopped(_: &Self, _: &Self, _: &Updating) -> bool {
        false
    }
}
