//! The one place where the wall clock is read: what a kubelet writes into a pod is in its time.

use jiff::Timestamp;

/// Now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this crate knows none of ours but the contract")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
