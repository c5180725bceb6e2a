//! A load generator for the tests: requests at an even rate, each one accounted for. It asks only
//! what answers on this machine, ends by itself, and judges nothing: whether a failed request is
//! wrong is the test's business.
//!
//! ```text
//! Order ── Load::start ──> lanes ──> Exchange ──> Tally       in this process
//!      └── Load::within ─> bin/load ──> lines ──> Exchange    inside the cluster's namespaces
//! ```

mod inside;
mod lane;
mod order;
mod run;
mod tally;
#[cfg(test)]
mod tests;

pub use inside::ENTER;
pub use order::{Order, Refused};
pub use run::{Load, drive};
pub use tally::{Answer, End, Exchange, Fault, Tally};
