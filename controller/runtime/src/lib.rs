//! What both binaries need of a process, and nothing of releases: time, logs, the admin port,
//! readiness, signals, supervised tasks, endless retries.
//!
//! ```text
//!   signals --> Shutdown --announced--> readiness goes false, answers say "close"
//!                  |     `--stopping---> tasks finish what they have in hand and return
//!   Supervisor owns every task; the first unasked end of one ends the process with its reason
//! ```

pub mod admin;
pub mod chain;
pub mod client;
pub mod clock;
pub mod process;
pub mod ready;
pub mod retry;
pub mod server;
pub mod shutdown;
pub mod supervise;
pub mod telemetry;

pub use chain::chain;
pub use client::client;
pub use ready::Readiness;
pub use retry::{Backoff, retry};
pub use shutdown::Shutdown;
pub use supervise::Supervisor;
