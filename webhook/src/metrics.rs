//! What the webhook counts. Labels come from fixed words only.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::decision::Verdict;
use crate::review::Known;

/// From 20 us, which is a small Deployment, to the apiserver's patience.
const SECONDS: [f64; 12] =
    [20e-6, 50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 5e-3, 20e-3, 0.1, 0.5, 2.0];

/// The webhook's own metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    admissions: Family<Admission, Counter>,
    refused: Family<Refused, Counter>,
    duration: Family<Path, Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Admission {
    path: &'static str,
    kind: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Path {
    path: &'static str,
}

impl Metrics {
    /// Registers the metrics.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let duration: fn() -> Histogram = || Histogram::new(SECONDS);
        let metrics = Self {
            admissions: Family::default(),
            refused: Family::default(),
            duration: Family::new_with_constructor(duration),
        };
        registry.register("admissions", "Reviews answered", metrics.admissions.clone());
        registry.register(
            "requests_refused",
            "Requests that were no review, or out of bounds",
            metrics.refused.clone(),
        );
        registry.register_with_unit(
            "admission_duration",
            "From the whole request read to the answer made",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        metrics
    }

    /// Counts an answered review.
    pub fn answered(&self, path: &'static str, kind: Known, verdict: Verdict, took: Duration) {
        let admission = Admission { path, kind: kind.as_str(), verdict: verdict.as_str() };
        self.admissions.get_or_create(&admission).inc();
        self.duration.get_or_create(&Path { path }).observe(took.as_secs_f64());
    }

    /// Counts a request that got no review.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Refused { reason }).inc();
    }
}
