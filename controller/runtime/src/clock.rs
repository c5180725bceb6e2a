//! The only place that reads time. Pure code gets a moment as an argument.

use jiff::Timestamp;
use tokio::time::Instant;

/// The wall clock: for what is written down. It may jump.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The monotonic clock: for measuring spans. It follows tokio's paused time in tests.
#[must_use]
pub fn instant() -> Instant {
    Instant::now()
}
