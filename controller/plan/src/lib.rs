//! Every decision of a release, pure: `plan(&Observed, now) -> Plan`. No IO, no clock, no
//! randomness, no logging; it cannot fail. The shell observes, plans, executes and publishes.
//!
//! ```text
//!   Observed --machine--> which state the workload is in
//!                 |
//!                 +- release   which batch, whether it is done, what stops the next
//!                 |     '- gates   what is measured before a batch may end, and what follows
//!                 |     '- traffic   which revision gets which requests, and whether it does
//!                 +- retreat   abort, rollback, scaled to zero, retry
//!                 '- request   what a human asks for
//!                       |
//!                     kind     the one adapter: hold, move to a batch, retreat, restore
//!                       +- deployment   waves of surge and unavailable, the way back of an excess
//!                       +- stateful     the partition, and pods that are in the way
//!                       +- cloneset     the share of the pods that the partition keeps
//!                       '- daemonset    old pods that are taken away
//!   Draft --conditions, turns--> Plan
//!
//!   an armed workload without a Rollout --orphan--> the write that gives it back
//! ```

pub mod action;
mod batch;
mod cloneset;
mod conditions;
mod daemonset;
mod deployment;
mod draft;
mod gates;
mod hook;
mod kind;
pub mod lint;
mod machine;
mod measured;
pub mod observed;
mod orphan;
mod release;
mod request;
mod retreat;
mod revisions;
#[cfg(feature = "sim")]
pub mod sim;
mod stateful;
mod traffic;
mod turns;
mod waiting;

pub use action::{Action, Ask, Both, Payload, Plan, TemplateFrom, Turn, WriteHold};
pub use conditions::{ARMED, READY, RECONCILING, STALLED};
pub use gates::Trial;
pub use hook::{HookCall, HookWorkload};
use jiff::Timestamp;
pub use measured::between as measured_between;
pub use observed::{Fact, Observed};
pub use orphan::{GiveBack, give_back};

/// Plans what follows from what was seen. Pure: the same picture at the same moment gives the same
/// plan.
#[must_use]
pub fn plan(seen: &Observed, now: Timestamp) -> Plan {
    let mut draft = draft::Draft::new(seen, now);
    machine::step(&mut draft);
    draft.finish()
}

#[cfg(test)]
mod tests;
