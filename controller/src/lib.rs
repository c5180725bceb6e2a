//! The IO shell around the planner: watches, calls, status, Events, leading. It observes, plans,
//! executes and publishes, and makes no choice of its own.
//!
//! ```text
//!   apiserver --watch--> engine --> world --observe--> plan::plan --> execute --write--> apiserver
//!                          |          ^                    |             |
//!                        queue        '---- own writes ----+-------------'
//!                          |                               '--> publish: status, Events, notices
//!                       lease: only the leader runs the engine (and keeps the certificate)
//! ```

mod args;
mod cluster;
mod configured;
mod credentials;
mod endpoint;
mod engine;
mod execute;
mod hook;
mod key;
mod lease;
mod metrics;
mod notify;
mod observe;
mod orphan;
mod provider;
mod publish;
mod question;
mod queue;
mod raw;
mod reconcile;
mod run;
mod slots;
mod template;
#[cfg(test)]
mod testing;
mod world;

pub use args::{Args, Config};
pub use run::{RunError, run};
