//! What can be changed while the test application runs, and the count of what it served. Atomics
//! only; who changes them is `serve`'s business.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::{Settings, Share};

/// The switches.
#[derive(Debug)]
pub struct Switches {
    ready: AtomicBool,
    error_millionths: AtomicU32,
    latency_micros: AtomicU64,
    served: AtomicU64,
}

impl Switches {
    /// The switches as the settings have them.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let switches = Self {
            ready: AtomicBool::new(settings.ready),
            error_millionths: AtomicU32::new(settings.error_rate.millionths()),
            latency_micros: AtomicU64::new(0),
            served: AtomicU64::new(0),
        };
        switches.set_latency(settings.latency.get());
        switches
    }

    /// What /ready says.
    pub fn ready(&self) -> bool {
        self.ready.load(Relaxed)
    }

    /// Changes what /ready says.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Relaxed);
    }

    /// Counts a request, and whether it is to fail.
    pub fn next_fails(&self) -> bool {
        let served = self.served.fetch_add(1, Relaxed);
        Share::of_millionths(self.error_millionths.load(Relaxed)).takes(served)
    }

    /// Changes the share of requests that fail.
    pub fn set_error_rate(&self, share: Share) {
        self.error_millionths.store(share.millionths(), Relaxed);
    }

    /// How long an answer takes.
    pub fn latency(&self) -> Duration {
        Duration::from_micros(self.latency_micros.load(Relaxed))
    }

    /// Changes how long an answer takes.
    pub fn set_latency(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency_micros.store(micros, Relaxed);
    }
}
