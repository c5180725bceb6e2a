//! The independent observer: watches the pods, ReplicaSets and Deployment of one namespace and
//! judges every event by the design's invariants. What it allows comes from the test's own
//! Rollout and Deployment and from what the test says it is about to do, never from anything that
//! Sluice writes (status, labels, annotations).
//!
//! ```text
//!   apiserver --watch--> seen --> sequencer (one order) --> judge --> violation + timeline
//!   test      --told-------------------------------------->   |
//!                                                          course (what is allowed now)
//! ```
//!
//! The judge is pure: it is given every moment, so that it is tested with hand-made events.

pub mod census;
pub mod course;
pub mod judge;
pub mod live;
pub mod moves;
pub mod requests;
pub mod seen;
pub mod sequencer;
pub mod timeline;
pub mod told;
pub mod wishes;

#[cfg(test)]
mod tests;

pub use census::Role;
pub use judge::{Judge, Rule, Violation};
pub use live::{Observer, Sight};
pub use seen::Sighting;
pub use told::Told;
pub use wishes::Wishes;
