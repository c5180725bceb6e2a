//! The two stages of a stop, and the signals that start it. Owns no task.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The stop of a process, shared by everything that has to notice it.
///
/// Announced: not ready any more, but still serving, because others need a moment to stop asking.
/// Stopping: finish what is in hand and return.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    announced: CancellationToken,
    stopping: CancellationToken,
}

/// How long a stop may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace {
    /// From announced to stopping.
    pub lame_duck: Duration,
    /// From stopping to the forced end.
    pub drain: Duration,
}

/// The signals that ask a process to stop.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Shutdown {
    /// First stage.
    pub fn announce(&self) {
        self.announced.cancel();
    }

    /// Second stage; implies the first.
    pub fn stop(&self) {
        self.announced.cancel();
        self.stopping.cancel();
    }

    /// Completes when the first stage begins. Cancel-safe.
    pub async fn announced(&self) {
        self.announced.cancelled().await;
    }

    /// Completes when the second stage begins. Cancel-safe.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// The first stage has begun.
    #[must_use]
    pub fn is_announced(&self) -> bool {
        self.announced.is_cancelled()
    }

    /// The second stage has begun.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// The second stage as a token, for what takes one ([`crate::retry`]).
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.stopping
    }
}

impl Signals {
    /// Takes SIGTERM and SIGINT over.
    ///
    /// # Errors
    /// The system refuses a signal handler.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next signal's name. Cancel-safe.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            // Both are cancel-safe: a signal stays pending until it is received.
            Some(()) = self.terminate.recv() => "SIGTERM",
            Some(()) = self.interrupt.recv() => "SIGINT",
            else => std::future::pending().await,
        }
    }
}
