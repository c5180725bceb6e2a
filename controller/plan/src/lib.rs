//! Every decision of a release, pure: `plan(&Observed, now) -> Plan`. No IO, no clock, no
//! randomness, no logging; it cannot fail. The shell observes, plans, executes and publishes.
//!
//! ```text
//!   Observed --machine--> which state the workload is in
//!                 |
//!                 +- release   which batch, whether it is done, what stops the next
//!                 |     +- gates   what is measured before a batch may end, and what follows
//!                 |     '- upkeep  the next wave, the resting form, the way back of an excess
//!                 |          '- batch, wave, excess   arithmetic
//!                 +- retreat   abort, rollback, scaled to zero, retry
//!                 '- request   what a human asks for
//!   Draft --conditions, turns--> Plan
//!
//!   an armed workload without a Rollout --orphan--> the write that gives it back
//! ```

pub mod action;
mod batch;
mod conditions;
mod deployment;
mod draft;
mod excess;
mod gates;
pub mod lint;
mod machine;
mod measured;
pub mod observed;
mod orphan;
mod release;
mod request;
mod retreat;
#[cfg(feature = "sim")]
pub mod sim;
mod stable;
mod turns;
mod upkeep;
mod waiting;
mod wave;

pub use action::{Action, Ask, Both, Payload, Plan, TemplateFrom, Turn, WriteHold};
pub use conditions::{ARMED, READY, RECONCILING, STALLED};
pub use gates::Trial;
use jiff::Timestamp;
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
