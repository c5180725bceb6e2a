//! The test application's Prometheus metrics: requests by code, and how long they took.

use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Content type of [`Measures::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    code: u16,
}

/// The metrics of one server.
pub struct Measures {
    registry: Registry,
    requests: Family<Answer, Counter>,
    latency: Histogram,
}

impl Measures {
    /// Fresh metrics, all zero, of an application of this version.
    #[must_use]
    pub fn new(version: &str) -> Self {
        let label = ("version".into(), version.to_owned().into());
        let mut registry = Registry::with_labels([label].into_iter());
        let requests = Family::<Answer, Counter>::default();
        let latency = Histogram::new(BOUNDS);
        registry.register("http_requests", "Requests answered, by code", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "How long an answer took",
            latency.clone(),
        );
        Self { registry, requests, latency }
    }

    /// Counts an answer.
    pub fn answered(&self, code: StatusCode, took: Duration) {
        self.requests.get_or_create(&Answer { code: code.as_u16() }).inc();
        self.latency.observe(took.as_secs_f64());
    }

    /// The metrics in the text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String has no way to fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}
