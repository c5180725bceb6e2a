//! So many requests at once, and how long one waits for its turn. Sends nothing.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// The places of one provider.
#[derive(Debug)]
pub struct Slots {
    free: Semaphore,
    all: u32,
}

/// It waited for its turn for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its turn did not come within {waited:?}: {all} requests at once are all that the provider's \
     concurrency allows, and those before it take too long"
)]
pub struct Crowded {
    waited: Duration,
    all: u32,
}

impl Slots {
    /// So many at once, at least one.
    pub fn new(at_once: u32) -> Self {
        let all = at_once.max(1);
        Self { free: Semaphore::new(usize::try_from(all).unwrap_or(usize::MAX)), all }
    }

    /// Waits for a place, for so long; first come, first served.
    ///
    /// # Errors
    /// Others were before it all the time.
    pub async fn take(&self, patience: Duration) -> Result<SemaphorePermit<'_>, Crowded> {
        let crowded = Crowded { waited: patience, all: self.all };
        match timeout(patience, self.free.acquire()).await {
            Ok(Ok(slot)) => Ok(slot),
            // Nobody closes it.
            Ok(Err(_)) | Err(_) => Err(crowded),
        }
    }
}

#[cfg(test)]
mod tests;
