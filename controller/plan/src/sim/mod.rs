//! The simulator: the real planner and the real projection in a model of a cluster, under a
//! virtual clock, with users, crashes, lost and late events, all from one seed. It finds what
//! happens between two writes; it is no part of the controller.
//!
//! ```text
//!   script or seed --story--> user, faults ----.
//!                                              v
//!   cluster (apiserver, admission)  <---writes--- world (events in virtual time)
//!        |  watches that trail                    |        |         |
//!        '--> stock (Deployments, ReplicaSets,    |      shell     check (invariants,
//!             kubelet)                            |    (planner)    after every write)
//! ```

mod bug;
mod check;
mod cluster;
pub mod conformance;
mod generate;
mod metrics;
mod moment;
mod random;
mod script;
mod shell;
mod stock;
mod story;
mod timeline;
mod user;
mod world;

pub use bug::Bug;
pub use check::{Summary, Violation};
pub use moment::Moment;
pub use script::{Script, Unreadable};
pub use shell::Planner;
pub use story::Outcome;
pub use timeline::Entry;
pub use world::{Fault, Options, When};
