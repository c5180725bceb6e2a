//! Retries that never give up: growing, jittered waits, ended only by success or by a stop.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::chain;

/// The waits between attempts: doubling from `first` to `max`, each taken between its half and
/// its whole, so that replicas which failed together do not come back together.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

/// The wait was ended by a stop, not by success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped before it succeeded")]
pub struct Cancelled;

impl Backoff {
    /// Waits from `first` to `max`.
    #[must_use]
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, next: first }
    }

    /// The next wait.
    pub fn next_delay(&mut self) -> Duration {
        let whole = self.next.min(self.max);
        self.next = whole.saturating_mul(2);
        jittered(whole)
    }

    /// Starts again from the first wait, after a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

impl Default for Backoff {
    /// For calls to an apiserver: 100 ms to 10 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(10))
    }
}

/// Between the half and the whole of `whole`, evenly.
#[must_use]
pub fn jittered(whole: Duration) -> Duration {
    // Each RandomState has keys of its own from the system's entropy: no crate is needed for
    // randomness that nobody's safety rests on.
    let random = RandomState::new().hash_one(0_u8);
    let thousandths = u32::try_from(random % 500).unwrap_or(0) + 500;
    whole.saturating_mul(thousandths) / 1000
}

/// Calls `attempt` until it succeeds. Each failure is logged under `what`. The attempt brings its
/// own deadline.
///
/// # Errors
/// [`Cancelled`] when `stop` is cancelled first; an attempt that is running is dropped.
pub async fn retry<T, E, F>(
    what: &'static str,
    mut backoff: Backoff,
    stop: &CancellationToken,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Cancelled>
where
    E: Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    let endless = async {
        loop {
            match attempt().await {
                Ok(value) => return value,
                Err(error) => {
                    let delay = backoff.next_delay();
                    tracing::warn!(what, error = %chain(&error), ?delay, "failed, will retry");
                    tokio::time::sleep(delay).await;
                }
            }
        }
    };
    stop.run_until_cancelled(endless).await.ok_or(Cancelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_maximum_and_start_again() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, second * 5);
        for whole in [1, 2, 4, 5, 5] {
            let delay = backoff.next_delay();
            assert!(delay >= second * whole / 2 && delay <= second * whole, "{whole}: {delay:?}");
        }
        backoff.reset();
        assert!(backoff.next_delay() <= second);
    }

    #[test]
    fn jitter_differs() {
        let whole = Duration::from_secs(1000);
        let first = jittered(whole);
        assert!((0..100).any(|_| jittered(whole) != first));
    }

    #[tokio::test(start_paused = true)]
    async fn succeeds_after_failures() {
        let mut attempts = 0;
        let stop = CancellationToken::new();
        let result = retry("test", Backoff::default(), &stop, || {
            attempts += 1;
            let result = if attempts == 20 { Ok(attempts) } else { Err(std::fmt::Error) };
            async move { result }
        });
        assert_eq!(result.await, Ok(20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_even_an_attempt_that_hangs() {
        let stop = CancellationToken::new();
        let hang = || std::future::pending::<Result<(), std::fmt::Error>>();
        let retrying = retry("test", Backoff::default(), &stop, hang);
        let (result, ()) = tokio::join!(retrying, async { stop.cancel() });
        assert_eq!(result, Err(Cancelled));
    }
}
