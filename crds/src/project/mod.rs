//! The projection: what the hold annotation makes of a workload's fields, on every write.
//!
//! ```text
//!   project(old, new, writer) -> the few operations that make `new` what it has to be
//! ```
//!
//! Pure and total: no clock, no cache, no state; the same review gives the same patch, applying it
//! and asking again gives none, and an object of a strange shape is left alone. The webhook applies
//! it, the controller compares with it, the simulator runs it.
//!
//! Rules, with who wrote:
//! * **the controller** ([`Writer::Controller`]): its annotation is taken as it is. Fenced: the
//!   fields are the fence and the target. Not fenced any more: they are the originals again. A pod
//!   template in the annotation moves to spec.template, so that nobody comes to own it.
//! * **anybody else** ([`Writer::Other`]), on an armed workload: annotation and labels stay. A new
//!   template is held, or put back where it is barred; in a release it replaces the one in release
//!   or goes back to the stable one. A changed field changes the original; the field stays.
//!
//! The rules are the same for every kind of workload; which fields a hold projects, and what they
//! are while it stands, is the kind's (`kind`, `fields`, `stateful`, `cloneset`,
//! `daemonset`).
//!
//! Left alone: workloads that are not armed, strategies that know no batches at rest, a template
//! that changes while there are no pods, and values that the apiserver is going to refuse.

use json_patch::Patch;
use serde_json::Value;

use crate::hold::Reading;
use crate::{HoldState, WorkloadKind};
use kind::Projected;
use workload::Workload;

mod cloneset;
mod controller;
mod daemonset;
mod draft;
mod field;
mod fields;
mod kind;
mod reapply;
mod stateful;
mod statement;
mod user;
mod wanted;
mod warning;
mod wish;
mod workload;

#[cfg(test)]
mod tests;

pub use cloneset::CloneSetFields;
pub use daemonset::DaemonSetFields;
pub use fields::{DEFAULT_PROGRESS_DEADLINE_SECONDS, DEFAULT_ROLLING, Fields, Strategy};
pub use stateful::StatefulFields;

/// Who makes the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Our controller, which alone sets and clears annotation and labels.
    Controller,
    /// Any other hand.
    Other,
}

impl Writer {
    /// The writer of this name, where `controller` is our controller's.
    #[must_use]
    pub fn named(name: &str, controller: &str) -> Self {
        if name == controller { Self::Controller } else { Self::Other }
    }
}

/// What a write has to be turned into.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// The operations, relative to the new object. None where nothing has to change.
    pub patch: Patch,
    /// What the writer is told, a line of less than 120 characters each.
    pub warnings: Vec<String>,
    /// In one word, for metrics and logs.
    pub verdict: Verdict,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing of ours is in it.
    Untouched,
    /// It brings a template that is held now: a new release, another version in a release, or the
    /// stable version back.
    Held,
    /// It brings a template that is not let in.
    PutBack,
    /// It states projected fields, which stay as the hold wants them.
    Overridden,
    /// It would have changed our annotation or labels.
    Kept,
    /// It is the controller's own, and the fields follow it.
    Written,
}

impl Verdict {
    /// A stable word, as in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::Held => "held",
            Self::PutBack => "put_back",
            Self::Overridden => "overridden",
            Self::Kept => "kept",
            Self::Written => "written",
        }
    }
}

/// What has to become of an update of a workload (raw JSON as the apiserver shows it).
#[must_use]
pub fn project(old: &Value, new: &Value, writer: Writer) -> Projection {
    project_as::<Fields>(old, new, writer)
        .or_else(|| project_as::<StatefulFields>(old, new, writer))
        .or_else(|| project_as::<CloneSetFields>(old, new, writer))
        .or_else(|| project_as::<DaemonSetFields>(old, new, writer))
        .unwrap_or_else(|| {
            let patch = Patch(Vec::new());
            Projection { patch, warnings: Vec::new(), verdict: Verdict::Untouched }
        })
}

/// None where the two are no workload of this kind.
fn project_as<F: Projected>(old: &Value, new: &Value, writer: Writer) -> Option<Projection> {
    let (old, new) = (Workload::<F>::read(old)?, Workload::<F>::read_after(old, new)?);
    let wanted = match writer {
        Writer::Controller => controller::judge(&old, &new),
        Writer::Other => user::judge(&old, &new),
    };
    Some(wanted.into_projection(&old, &new))
}

/// The live fields of a workload are what its hold projects. False after a write that no webhook
/// saw, and for a fence without a hold.
#[must_use]
pub fn projected(object: &Value) -> bool {
    let named = |kind: &&WorkloadKind| object["kind"] == kind.as_str();
    // An item of a list does not say what it is.
    let kind = WorkloadKind::ALL.iter().find(named).copied().unwrap_or(WorkloadKind::Deployment);
    projected_as(kind, object)
}

/// The same of an object whose kind is known.
#[must_use]
pub fn projected_as(kind: WorkloadKind, object: &Value) -> bool {
    match kind {
        WorkloadKind::Deployment => is_projected::<Fields>(object),
        WorkloadKind::StatefulSet => is_projected::<StatefulFields>(object),
        WorkloadKind::CloneSet => is_projected::<CloneSetFields>(object),
        WorkloadKind::DaemonSet => is_projected::<DaemonSetFields>(object),
    }
    .unwrap_or(true)
}

fn is_projected<F: Projected>(object: &Value) -> Option<bool> {
    let workload = Workload::<F>::read(object)?;
    Some(match &workload.hold {
        Reading::Hold(hold) if hold.template.is_some() => false,
        Reading::Hold(hold) => match (&hold.state, F::held_in(&hold.state)) {
            (_, Some(held)) => workload.fields == F::held(held),
            (HoldState::Barred(_), None) => !workload.fields.is_fenced(),
            // The hold of another kind says nothing of these fields.
            (_, None) => true,
        },
        Reading::Newer(_) => true,
        Reading::None | Reading::Malformed(_) => !workload.fields.is_fenced(),
    })
}
