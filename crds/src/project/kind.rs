//! What the rules of the projection have to know of a kind of workload: which fields a hold
//! projects, and what they are while it stands. No rule is here.

use std::fmt::Debug;

use serde_json::Value;

use super::draft::Draft;
use super::field::{Field, Setting};
use crate::{Held, HoldState, Revision, WorkloadKind};

/// A hold in a release of a workload with these fields.
pub(super) type HeldOf<F> = Held<<F as Projected>::Target, <F as Projected>::Original>;

/// The live values of the fields that a hold projects, of one kind of workload.
pub(super) trait Projected: Clone + PartialEq {
    type Target: Clone + Debug + PartialEq;
    type Original: Copy + Debug + PartialEq;

    const KIND: WorkloadKind;
    /// The projected fields one by one.
    const FIELDS: &'static [Field];
    /// The keys of the spec that they are under.
    const KEYS: &'static [&'static str];
    /// The field whose value is the mark of the fence.
    const FENCE: Field;
    /// The values of the fence are nobody's own: they tell it without a hold.
    const IS_MARKED: bool = true;

    /// Reads them, with the apiserver's defaults for what is absent. None where a value has a shape
    /// that no apiserver shows.
    fn read(spec: &Value) -> Option<Self>;
    /// Pods that the object asks for; `before` is what it was before this write.
    fn replicas(raw: &Value, _before: &Value) -> Option<i64> {
        match &raw["spec"]["replicas"] {
            // The apiserver's default.
            Value::Null => Some(1),
            replicas => replicas.as_i64(),
        }
    }
    /// What a hold makes of them.
    fn held(hold: &HeldOf<Self>) -> Self;
    /// What they are once a hold is lifted.
    fn restored(original: &Self::Original) -> Self;
    /// The fence is on.
    fn is_fenced(&self) -> bool;
    /// As a user's own: None for a strategy without batches, and for fence values.
    fn as_original(&self) -> Option<Self::Original>;
    /// The apiserver's defaults in the place of what a fence without a hold hides.
    fn unfenced(&self) -> Self;
    /// The word of a strategy that knows no batches, if this is one.
    fn refused(&self) -> Option<&'static str>;
    /// These values, but under a strategy without batches where `written` is one.
    fn under(self, written: &Self) -> Self;
    /// The apiserver would accept these values. Whatever it would refuse must not hide behind a
    /// fence: the write that lifts it would be refused for ever.
    fn is_acceptable(original: &Self::Original) -> bool;
    /// Pods that an update may reach, of so many replicas.
    fn reach(&self, replicas: i64) -> i64;
    /// Brings what differs from `live` into the object.
    fn write(&self, live: &Self, draft: &mut Draft);

    /// The value of one field; None where the strategy has none.
    fn get(&self, field: Field) -> Option<Setting>;
    /// A user's own value of it.
    fn own(original: &Self::Original, field: Field) -> Option<Setting>;
    /// Sets a user's own value of it; one of another type is ignored.
    fn set_own(original: &mut Self::Original, field: Field, setting: Setting);

    /// The hold in a release, if this is one of this kind.
    fn held_in(state: &HoldState) -> Option<&HeldOf<Self>>;
    /// The other way round.
    fn state(held: HeldOf<Self>) -> HoldState;
    /// The first hold of a template that has just arrived.
    fn first(revision: Revision, stable: Revision, original: Self::Original) -> HeldOf<Self>;
    /// Nothing more moves before the controller has planned.
    fn stopped(target: &Self::Target) -> Self::Target;
    /// The target once a write has changed the replicas.
    fn scaled(target: &Self::Target, was: i64, is: i64) -> Self::Target;
    /// The user has resumed what the hold itself keeps stopped.
    fn stays_stopped(old: &Self, new: &Self, target: &Self::Target) -> bool;
}
