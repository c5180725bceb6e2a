//! Where notices wait for the task that tells them: bounded, and never waited for. What is oldest
//! is dropped first.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Notice;
use crate::metrics::Metrics;

/// More than this at once is no news any more.
const NOTICES_MAX: usize = 256;

/// Notices on their way.
pub struct Outbox {
    waiting: Mutex<VecDeque<Notice>>,
    fresh: Notify,
    closed: CancellationToken,
    metrics: Metrics,
}

impl Outbox {
    /// An empty one.
    pub fn new(metrics: Metrics) -> Self {
        let (waiting, fresh) = (Mutex::default(), Notify::new());
        Self { waiting, fresh, closed: CancellationToken::new(), metrics }
    }

    /// Puts one in, if need be in the place of the oldest.
    pub fn push(&self, notice: Notice) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= NOTICES_MAX {
            waiting.pop_front();
            self.metrics.notified("dropped", 1);
        }
        waiting.push_back(notice);
        drop(waiting);
        self.fresh.notify_one();
    }

    /// Nothing more will come.
    pub fn close(&self) {
        self.closed.cancel();
        self.fresh.notify_one();
    }

    /// Nothing more comes.
    pub fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Completes when nothing more comes. Cancel-safe.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// All that waits, oldest first.
    pub fn take(&self) -> VecDeque<Notice> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something came, or nothing will. Cancel-safe, for one that waits.
    pub async fn changed(&self) {
        self.fresh.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use super::super::letter::tests::notice;
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let outbox = Outbox::new(Metrics::register(&mut Registry::default()));
        for number in 0..NOTICES_MAX + 10 {
            outbox.push(notice(&number.to_string()));
        }
        let taken = outbox.take();
        assert_eq!((taken.len(), taken[0].message.as_str()), (NOTICES_MAX, "10"));
        assert!(outbox.take().is_empty());
    }
}
