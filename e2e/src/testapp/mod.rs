//! The test application: a small HTTP server whose version, start, readiness, errors, latency and
//! end are set from outside, so that a test can make it behave as well or as badly as it likes.
//! It knows nothing of Sluice.

pub mod measures;
pub mod serve;
pub mod settings;
pub mod switches;

#[cfg(test)]
mod tests;

pub use serve::{Server, ServerError};
pub use settings::{Settings, Share};
