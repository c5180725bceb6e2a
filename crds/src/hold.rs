//! The hold annotation: its schema, and its reading and writing. What it means for the fields is
//! `project`'s business, when it changes is the planner's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::{FENCE_MIN_READY_SECONDS, FENCE_PARTITION, HOLD_ANNOTATION};
use crate::kept::Kept;
use crate::{IntOrPercent, Revision};

/// The schema number that this code writes. A reader that meets a higher one must leave the
/// projected fields as the old object has them.
pub const SCHEMA: u32 = 1;

/// What the controller wants of a workload, as the annotation carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// Fenced in a release, or barred after one.
    #[serde(flatten)]
    pub state: HoldState,
    /// A pod template that the webhook moves to `spec.template` in the very write that carries it,
    /// and drops. Never stored: so the controller changes a template without owning it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Value>,
    /// How often another hand stated projected fields in a way that the originals alone do not
    /// show. It tells the webhook's second pass over its own output (in one request) from the
    /// first; nobody else needs it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restated: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The two lives of a hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum HoldState {
    /// A Deployment in a release: the fence is on and the strategy is the target's.
    Fenced(Fenced),
    /// A StatefulSet in a release: the partition is the target's.
    Partitioned(Partitioned),
    /// A CloneSet in a release: the partition is the target's.
    Portioned(Portioned),
    /// A DaemonSet in a release: its own controller updates nothing.
    Withheld(Withheld),
    /// Not in a release: the user's own fields are back, and some revisions are not let in.
    Barred(Barred),
}

/// A workload in a release, whose projected fields are of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held<Target, Original> {
    /// Revision of `spec.template`, as the webhook saw it.
    pub revision: Revision,
    /// Revision that the release leaves, and to which an abort goes back.
    pub stable: Revision,
    /// The user's own write brought the stable template back: the controller lifts the fence in
    /// its next write.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
    /// The batch that the target belongs to, 1 for the first; 0 while nothing has been planned.
    #[serde(default)]
    pub batch: u32,
    /// What the fields have to be.
    pub target: Target,
    /// What the user's own fields are, to be put back.
    pub original: Original,
}

/// A Deployment in a release.
pub type Fenced = Held<Target, Original>;
/// A StatefulSet in a release.
pub type Partitioned = Held<Partition, Partition>;
/// A CloneSet in a release.
pub type Portioned = Held<Portion, Portion>;
/// A DaemonSet in a release.
pub type Withheld = Held<Updating, Updating>;

/// `spec.updateStrategy.rollingUpdate` of a StatefulSet, as far as a hold projects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Partition {
    /// Pods from this one on, counted from 0, are updated.
    pub partition: i32,
}

/// `spec.updateStrategy` of a CloneSet, as far as a hold projects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Portion {
    /// So many pods keep the version that they have.
    pub partition: Kept,
}

/// `spec.updateStrategy` of a DaemonSet, as far as a hold projects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Updating {
    /// Who takes a pod of another version away.
    #[serde(rename = "type")]
    pub by: UpdateType,
}

/// `spec.updateStrategy.type` of a DaemonSet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UpdateType {
    /// The stock controller.
    RollingUpdate,
    /// Anybody else: the stock controller only makes the new one.
    OnDelete,
}

/// The projected values of a fenced Deployment (the fence itself is constant).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Ours: nothing moves before the controller has planned. The user's own pause is
    /// [`Original::paused`]; the field is paused if either is.
    pub paused: bool,
    /// `spec.strategy.rollingUpdate.maxSurge`.
    pub max_surge: IntOrPercent,
    /// `spec.strategy.rollingUpdate.maxUnavailable`.
    pub max_unavailable: IntOrPercent,
}

/// The user's own values of the projected fields. `minReadySeconds` is never the fence's; a
/// `progressDeadlineSeconds` of that value may well be the user's (extensions/v1beta1's default).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Original {
    /// `spec.paused`: a human or a manifest paused the Deployment itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// `spec.minReadySeconds`, 0 where the user states none.
    #[serde(default)]
    pub min_ready_seconds: i32,
    /// `spec.progressDeadlineSeconds` (the apiserver's default is 600).
    pub progress_deadline_seconds: i32,
    /// `spec.strategy.rollingUpdate.maxSurge`.
    pub max_surge: IntOrPercent,
    /// `spec.strategy.rollingUpdate.maxUnavailable`.
    pub max_unavailable: IntOrPercent,
}

/// A workload outside a release whose manifest elsewhere may still carry a revision that is not
/// to be let in: it is projected back to the running template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Barred {
    /// The revision that was taken back.
    pub revision: Revision,
    /// Other templates that a re-apply of that revision may produce (a three-way or server-side
    /// apply of it onto the stable template does not take fields away again).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Revision>,
    /// Why.
    pub why: Bar,
}

/// Why a revision is barred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Bar {
    /// Aborted: until another template comes, or a human says retry.
    Rejected,
    /// The workload was scaled to zero in the release: until it has stable pods again.
    Dormant,
}

/// What an object says about holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// No annotation.
    None,
    /// A hold that this code understands.
    Hold(Box<Hold>),
    /// A hold of a newer schema, whose fields must be left alone.
    Newer(u32),
    /// A text that is no hold.
    Malformed(String),
}

impl HoldState {
    /// The revision that is released, whatever the kind; None outside a release.
    #[must_use]
    pub fn update(&self) -> Option<&Revision> {
        match self {
            Self::Fenced(held) => Some(&held.revision),
            Self::Partitioned(held) => Some(&held.revision),
            Self::Portioned(held) => Some(&held.revision),
            Self::Withheld(held) => Some(&held.revision),
            Self::Barred(_) => None,
        }
    }

    /// The revision that the release leaves.
    #[must_use]
    pub fn stable(&self) -> Option<&Revision> {
        match self {
            Self::Fenced(held) => Some(&held.stable),
            Self::Partitioned(held) => Some(&held.stable),
            Self::Portioned(held) => Some(&held.stable),
            Self::Withheld(held) => Some(&held.stable),
            Self::Barred(_) => None,
        }
    }
}

impl Fenced {
    /// The hold of a template that has just arrived at a workload outside a release: nothing moves.
    #[must_use]
    pub fn first(revision: Revision, stable: Revision, original: Original) -> Self {
        let Original { max_surge, max_unavailable, .. } = original;
        let target = Target { paused: true, max_surge, max_unavailable };
        Self { revision, stable, rollback: false, batch: 0, target, original }
    }
}

impl Partitioned {
    /// The hold of a template that has just arrived at a workload outside a release: nothing moves.
    #[must_use]
    pub fn first(revision: Revision, stable: Revision, original: Partition) -> Self {
        let target = Partition { partition: FENCE_PARTITION };
        Self { revision, stable, rollback: false, batch: 0, target, original }
    }
}

impl Portioned {
    /// The hold of a template that has just arrived at a workload outside a release: nothing moves.
    #[must_use]
    pub fn first(revision: Revision, stable: Revision, original: Portion) -> Self {
        let target = Portion { partition: Kept::ALL };
        Self { revision, stable, rollback: false, batch: 0, target, original }
    }
}

impl Withheld {
    /// The hold of a template that has just arrived at a workload outside a release: nothing moves.
    #[must_use]
    pub fn first(revision: Revision, stable: Revision, original: Updating) -> Self {
        let target = Updating { by: UpdateType::OnDelete };
        Self { revision, stable, rollback: false, batch: 0, target, original }
    }
}

impl Barred {
    /// A template of this revision is not let in.
    #[must_use]
    pub fn bars(&self, revision: &Revision) -> bool {
        self.revision == *revision || self.also.contains(revision)
    }
}

impl Hold {
    /// A fenced hold of this schema.
    #[must_use]
    pub fn fenced(fenced: Fenced) -> Self {
        Self { schema: SCHEMA, state: HoldState::Fenced(fenced), template: None, restated: 0 }
    }

    /// A hold of this schema, whatever the kind.
    #[must_use]
    pub fn of_release(state: HoldState) -> Self {
        Self { schema: SCHEMA, state, template: None, restated: 0 }
    }

    /// A bar of this schema.
    #[must_use]
    pub fn barred(revision: Revision, why: Bar) -> Self {
        let state = HoldState::Barred(Barred { revision, also: Vec::new(), why });
        Self { schema: SCHEMA, state, template: None, restated: 0 }
    }

    /// It is one of a release, whatever the kind.
    #[must_use]
    pub fn is_release(&self) -> bool {
        !matches!(self.state, HoldState::Barred(_))
    }

    /// A Deployment's fenced state, if that is what it is.
    #[must_use]
    pub fn as_fenced(&self) -> Option<&Fenced> {
        match &self.state {
            HoldState::Fenced(fenced) => Some(fenced),
            _ => None,
        }
    }

    /// A StatefulSet's state in a release, if that is what it is.
    #[must_use]
    pub fn as_partitioned(&self) -> Option<&Partitioned> {
        match &self.state {
            HoldState::Partitioned(held) => Some(held),
            _ => None,
        }
    }

    /// A CloneSet's state in a release, if that is what it is.
    #[must_use]
    pub fn as_portioned(&self) -> Option<&Portioned> {
        match &self.state {
            HoldState::Portioned(held) => Some(held),
            _ => None,
        }
    }

    /// A DaemonSet's state in a release, if that is what it is.
    #[must_use]
    pub fn as_withheld(&self) -> Option<&Withheld> {
        match &self.state {
            HoldState::Withheld(held) => Some(held),
            _ => None,
        }
    }

    /// The annotation's text: one line of JSON, the same for equal holds.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Plain structs with string keys: serialisation has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads an annotation's text.
    #[must_use]
    pub fn read(text: &str) -> Reading {
        #[derive(Deserialize)]
        struct Schema {
            schema: u32,
        }
        match serde_json::from_str::<Schema>(text) {
            Ok(Schema { schema }) if schema > SCHEMA => Reading::Newer(schema),
            _ => match serde_json::from_str::<Self>(text) {
                Ok(hold) => match hold.forgotten_original() {
                    Some(field) => Reading::Malformed(format!("original.{field} is the fence's")),
                    None => Reading::Hold(Box::new(hold)),
                },
                Err(error) => Reading::Malformed(error.to_string()),
            },
        }
    }

    /// A fence taken for the user's own value: lifting it would leave it on for ever.
    fn forgotten_original(&self) -> Option<&'static str> {
        match &self.state {
            HoldState::Fenced(held) => (held.original.min_ready_seconds == FENCE_MIN_READY_SECONDS)
                .then_some("minReadySeconds"),
            HoldState::Partitioned(held) => {
                (held.original.partition == FENCE_PARTITION).then_some("partition")
            }
            HoldState::Portioned(held) => {
                (held.original.partition == Kept::ALL).then_some("partition")
            }
            HoldState::Withheld(held) => {
                (held.original.by == UpdateType::OnDelete).then_some("type")
            }
            HoldState::Barred(_) => None,
        }
    }

    /// Reads the hold of an object (anything with `metadata.annotations`).
    #[must_use]
    pub fn of(object: &Value) -> Reading {
        match object["metadata"]["annotations"].get(HOLD_ANNOTATION) {
            Some(Value::String(text)) => Self::read(text),
            Some(other) => Reading::Malformed(other.to_string()),
            None => Reading::None,
        }
    }
}
