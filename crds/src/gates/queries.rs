//! The queries of a gate: the user's own, or those that are ready-made of its names. Pure text.

use gate::Decimal;
use gate::compare::{Terms, TermsError};
use gate::query::{QueryError, Template};
use gate::ready::{self, CountQueries, ReadyError, Source};
use gate::verdict::{Bound, BoundError};

use super::{ErrorRatio, Latency, PrometheusGate};

/// Why a gate cannot be asked. Admission says so first; this is what it did not see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// Neither a query nor a ready-made one.
    #[error("it asks nothing: give query, errorRatio or latency")]
    AsksNothing,
    /// Neither a quantile nor a share of latencies, or both.
    #[error("asks nothing of the latency, or too much: give one of quantile and slowerThan")]
    LatencyOfWhat,
    /// A placeholder is wrong.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A name or a quantile is wrong.
    #[error(transparent)]
    Ready(#[from] ReadyError),
    /// Everything or nothing would pass.
    #[error(transparent)]
    Bound(#[from] BoundError),
    /// A term of the comparison is out of its range.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// It compares what has no counts.
    #[error("only errorRatio, or latency with slowerThan, can be compared: give one of them")]
    Uncounted,
}

/// What a gate asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queries {
    /// The value that is judged.
    pub value: Template,
    /// How many requests there were; None where no least number is asked for.
    pub requests: Option<Template>,
}

/// What a comparison asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The counts, a sample for each pod.
    pub queries: CountQueries,
    /// The label that holds the pod's name.
    pub pod_label: String,
    /// When there is enough.
    pub terms: Terms,
}

impl PrometheusGate {
    /// What it asks if it is a comparison.
    ///
    /// # Errors
    /// [`GateError`]
    pub fn counts(&self) -> Option<Result<Counts, GateError>> {
        let compare = self.compare.as_ref()?;
        let counts = || {
            let terms = compare.terms(self.min_requests)?;
            let (queries, pod_label) = match (&self.error_ratio, &self.latency) {
                (Some(ratio), None) => (ratio.counts()?, ratio.source().pod_label),
                (None, Some(latency)) => {
                    (latency.counts()?, latency.source(latency.metric()).pod_label)
                }
                _ => return Err(GateError::Uncounted),
            };
            Ok(Counts { queries, pod_label, terms })
        };
        Some(counts())
    }

    /// What it asks.
    ///
    /// # Errors
    /// [`GateError`]
    pub fn queries(&self) -> Result<Queries, GateError> {
        let (value, requests) = match (&self.query, &self.error_ratio, &self.latency) {
            (Some(query), ..) => (
                Template::parse(query)?,
                self.requests.as_deref().map(Template::parse).transpose()?,
            ),
            (_, Some(ratio), _) => (ratio.template()?, Some(ratio.requests()?)),
            (_, _, Some(latency)) => (latency.template(self.max)?, Some(latency.requests()?)),
            (None, None, None) => return Err(GateError::AsksNothing),
        };
        let least = self.min_requests.unwrap_or(0);
        Ok(Queries { value, requests: requests.filter(|_| least > 0) })
    }

    /// What is acceptable.
    ///
    /// # Errors
    /// There is no bound, or nothing is within it.
    pub fn bound(&self) -> Result<Bound, GateError> {
        Ok(Bound::new(self.max, self.min)?)
    }
}

impl ErrorRatio {
    /// The query.
    ///
    /// # Errors
    /// A name that Prometheus does not take.
    pub fn template(&self) -> Result<Template, ReadyError> {
        let code = self.code_label.as_deref().unwrap_or("code");
        ready::error_ratio(&self.source(), code, self.codes.as_deref().unwrap_or("5.."))
    }

    /// The query that counts all requests.
    ///
    /// # Errors
    /// A name that Prometheus does not take.
    pub fn requests(&self) -> Result<Template, ReadyError> {
        ready::requests(&self.source())
    }

    fn counts(&self) -> Result<CountQueries, ReadyError> {
        let code = self.code_label.as_deref().unwrap_or("code");
        ready::error_counts(&self.source(), code, self.codes.as_deref().unwrap_or("5.."))
    }

    fn source(&self) -> Source {
        let metric = self.metric.as_deref().unwrap_or("http_requests_total");
        source(metric, self.namespace_label.as_deref(), self.pod_label.as_deref())
    }
}

impl Latency {
    /// The query of a gate with this largest acceptable value.
    ///
    /// # Errors
    /// A name that Prometheus does not take, a quantile that is no share, or a bound that no
    /// bucket has.
    pub fn template(&self, max: Option<Decimal>) -> Result<Template, GateError> {
        let source = self.source(self.metric());
        Ok(match (self.quantile, self.slower_than) {
            (Some(quantile), None) => ready::latency_quantile(&source, quantile, max)?,
            (None, Some(bound)) => ready::slow_ratio(&source, bound)?,
            _ => return Err(GateError::LatencyOfWhat),
        })
    }

    fn counts(&self) -> Result<CountQueries, GateError> {
        let bound = self.slower_than.ok_or(GateError::Uncounted)?;
        Ok(ready::slow_counts(&self.source(self.metric()), bound)?)
    }

    /// The query that counts all requests.
    ///
    /// # Errors
    /// A name that Prometheus does not take.
    pub fn requests(&self) -> Result<Template, ReadyError> {
        ready::requests(&self.source(&format!("{}_count", self.metric())))
    }

    fn metric(&self) -> &str {
        self.metric.as_deref().unwrap_or("http_request_duration_seconds")
    }

    fn source(&self, metric: &str) -> Source {
        source(metric, self.namespace_label.as_deref(), self.pod_label.as_deref())
    }
}

fn source(metric: &str, namespace: Option<&str>, pod: Option<&str>) -> Source {
    Source {
        metric: metric.to_owned(),
        namespace_label: namespace.unwrap_or("namespace").to_owned(),
        pod_label: pod.unwrap_or("pod").to_owned(),
    }
}
