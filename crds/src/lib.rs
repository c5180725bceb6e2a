//! The wire contract of Sluice: everything that the webhook, the controller and the CLI must agree
//! on. Types and pure functions only: no IO, no clock, no randomness, no async.
//!
//! ```text
//!   Rollout (user's wishes) --workloadRef--> Deployment, StatefulSet, CloneSet, DaemonSet
//!      |  status (what the controller saw)      |  labels armed/rollout (the controller's arming)
//!      '--request (a human's one-shot wish)     '--hold (what the controller wants of its fields)
//!                                                     |
//!                              project(old, new, writer): hold -> fields, on every write
//! ```
//!
//! # Glossary: one word a concept
//! * **hold**: the annotation by which the controller states what it wants of a workload, and the
//!   state of a workload that carries it fenced.
//! * **fence**: the two field values that stop the stock controller by themselves.
//! * **release**: the way of one revision from the hold to the restored end.
//! * **revision**: the identity of a pod template, a hash of it as the webhook saw it.
//! * **stable / update**: the revision that the release leaves, and the one that it goes to.
//! * **batch**: a step of the release: so many pods of the update revision.
//! * **gate**: a condition that a batch has to pass; **verdict**: what a gate says.
//! * **hook**: a gate's question to a service of the user's own.
//! * **notifier**: somebody outside who is told of the turns of releases.
//! * **route**: a traffic object that the release switches.
//! * **promote, pause, resume, abort, retry**: what a human may ask for; each is a **request**.
//! * **reject**: what an abort leaves behind: a revision that is not let in again unasked.
//! * **original**: the user's own value of a field that the hold projects.

pub mod cel;
pub mod contract;
pub mod crd;
pub mod duration;
pub mod gates;
pub mod hold;
pub mod kept;
pub mod kind;
pub mod notifier;
pub mod project;
pub mod quantity;
pub mod request;
pub mod revision;
pub mod rollout;
pub mod route;
pub mod status;
pub mod traffic;
pub mod validate;

pub use duration::GepDuration;
pub use gates::{ClusterGateTemplate, Gate, GateTemplate, HookProvider, MetricProvider};
pub use hold::{
    Barred, Fenced, Held, Hold, HoldState, Original, Partition, Partitioned, Portion, Portioned,
    Target, UpdateType, Updating, Withheld,
};
pub use kept::Kept;
pub use kind::WorkloadKind;
pub use notifier::Notifier;
pub use quantity::IntOrPercent;
pub use request::Request;
pub use revision::Revision;
pub use rollout::{Rollout, RolloutSpec};
pub use status::RolloutStatus;
pub use traffic::{RouteRef, Traffic, TrafficRoute};
