//! Who leads: a pure judgement of what was seen of the Lease. Nobody's wall clock counts: another
//! holder is over when its Lease has not changed for its own duration, as we observed it.

use std::time::Duration;

use tokio::time::Instant;

/// How long a Lease is good after its last renewal.
pub const LEASE: Duration = Duration::from_secs(5);
/// From one renewal to the next.
pub const RENEW: Duration = Duration::from_millis(1500);
/// A leader that has not renewed for so long stops before anybody else may start.
pub const DEADLINE: Duration = Duration::from_secs(4);

/// What the Lease said when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseView {
    /// spec.holderIdentity; none if it is free or not there.
    pub holder: Option<String>,
    /// spec.leaseDurationSeconds.
    pub duration: Duration,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is free or over: write our name.
    Acquire,
    /// It is ours and due: write it again.
    Renew,
    /// Look again after so long.
    Wait(Duration),
    /// We led and must not any more.
    Lost,
}

/// Judges the Lease as it has been since `seen_at`, for `me`, who renewed it at `renewed_at` (none
/// if `me` does not lead).
pub fn judge(
    view: &LeaseView,
    me: &str,
    renewed_at: Option<Instant>,
    seen_at: Instant,
    now: Instant,
) -> Verdict {
    let mine = view.holder.as_deref() == Some(me);
    let Some(renewed_at) = renewed_at else {
        return match view.holder {
            Some(_) if !mine => {
                let left = (seen_at + view.duration).saturating_duration_since(now);
                if left.is_zero() { Verdict::Acquire } else { Verdict::Wait(left) }
            }
            // Free, or left to us by a time that we lost count of.
            _ => Verdict::Acquire,
        };
    };
    let age = now.saturating_duration_since(renewed_at);
    if !mine || age >= DEADLINE {
        Verdict::Lost
    } else if age >= RENEW {
        Verdict::Renew
    } else {
        Verdict::Wait(RENEW - age)
    }
}
