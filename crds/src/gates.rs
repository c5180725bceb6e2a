//! Gates and the systems that they ask: what users and administrators write. Types and their
//! schema only; what a query or a bound may be is the `gate` crate's, and `validate` says it.

mod compare;
mod hook;
mod queries;
mod template;

use gate::Decimal;
use gate::history::OnUnknown;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use compare::Compare;
pub use hook::{HookGate, HookProvider, HookProviderSpec};
pub use queries::{Counts, GateError, Queries};
pub use template::{
    ClusterGateTemplate, GateTemplate, PrometheusTemplate, Template, TemplateArg, TemplateError,
    TemplateKind, TemplateRef,
};

use crate::rollout::OnFailure;
use crate::{GepDuration, cel};

/// A condition that a batch has to pass.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = cel::measures_one_way(),
    validation = cel::hook_is_never_unknown(),
    validation = cel::confirmation_never_fails()
)]
pub struct Gate {
    /// Unique in the Rollout.
    #[schemars(length(min = 1, max = cel::MAX_NAME), regex(pattern = "^[a-z0-9-]*$"))]
    pub name: String,
    /// What is asked, and which answer is acceptable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<PrometheusGate>,
    /// Instead: a template that says it, with the values of its arguments. It is read for each
    /// measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateRef>,
    /// Instead: a service that answers whether the batch may go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<HookGate>,
    /// Numbers of the batches that it judges, 1 for the first; absent: all of them.
    #[schemars(length(min = 1, max = cel::MAX_BATCHES), inner(range(min = 1, max = 50)))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<u32>,
    /// From one measurement to the next; default 30s.
    #[x_kube(validation = cel::is_a_sane_span(), validation = cel::is_an_interval())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<GepDuration>,
    /// So many passes let a batch go on; default 1.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// So long after the batch's pods are ready its first interval begins; default: at once.
    #[x_kube(validation = cel::is_a_sane_span())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_delay: Option<GepDuration>,
    /// So many fails in a batch are let go, one more fails it; default 0.
    #[schemars(range(min = 0, max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_limit: Option<u32>,
    /// So many measurements in a row may be Unknown before onUnknown follows; default 3.
    #[schemars(range(min = 0, max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_limit: Option<u32>,
    /// So many measurements in a row may be Errors before onUnknown follows; default 3.
    #[schemars(range(min = 0, max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_limit: Option<u32>,
    /// What follows when it fails; default: the Rollout's onFailure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// What follows when it cannot be judged; default: the Rollout's onUnknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnUnknown>,
    /// It measures on after it passed, and can fail then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub background: bool,
    /// It measures and decides nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// One number from Prometheus and what is acceptable: exactly one of query, errorRatio and
/// latency, with max, min or both; or with compare.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = cel::asks_one_thing(),
    validation = cel::has_a_bound(),
    validation = cel::compares_what_can_be(),
    validation = cel::counts_its_requests()
)]
pub struct PrometheusGate {
    /// The MetricProvider that is asked; default `default`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME), regex(pattern = "^[a-z0-9.-]*$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// PromQL that gives one number. Placeholders: {{namespace}}, {{workload}}, {{revision}} and
    /// {{stableRevision}} (the pods' hash label), {{pods}} (a regular expression that matches the
    /// batch's pods and no other), {{window}}.
    #[schemars(length(min = 1, max = cel::MAX_QUERY))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Ready-made: the share of requests that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_ratio: Option<ErrorRatio>,
    /// Ready-made: a quantile of the latency, in seconds, or the share of slow requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// The largest acceptable value, in quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Decimal>,
    /// The smallest acceptable value, in quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Decimal>,
    /// Instead of max and min: errorRatio, or latency with slowerThan, compared with the stable
    /// version's. Not in the last batch, which leaves no stable pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    /// How far back {{window}}, and a selector without a range, look at most; never to before the
    /// batch's pods were ready. Default 5m.
    #[x_kube(validation = cel::is_a_sane_span())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<GepDuration>,
    /// Fewer requests within the window say nothing: the measurement is Unknown. With compare it
    /// is those of the new version in the release so far, default 100.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_requests: Option<u32>,
    /// PromQL that counts them; needed with query only.
    #[schemars(length(min = 1, max = cel::MAX_QUERY))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<String>,
}

/// The share of requests whose code matches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorRatio {
    /// The counter of requests; default `http_requests_total`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The label that holds the code; default `code`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_label: Option<String>,
    /// A regular expression of the codes that are errors; default `5..`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<String>,
    /// The label that holds the namespace; default `namespace`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_label: Option<String>,
    /// The label that holds the pod's name; default `pod`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_label: Option<String>,
}

/// A histogram of latencies, in seconds: one of its quantiles, or the share of slow requests.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = cel::is_a_quantile_or_a_share())]
pub struct Latency {
    /// The histogram, without `_bucket`; default `http_request_duration_seconds`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The share of requests that are at most so slow, in quotes, such as "0.99". Where it lies
    /// above the highest bucket nobody knows how slow that is: an Error, or a fail if the bucket
    /// ends above max.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile: Option<Decimal>,
    /// Instead: the share of requests that take longer than this, in quotes. There has to be a
    /// bucket of just this bound, as its label `le` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slower_than: Option<Decimal>,
    /// The label that holds the namespace; default `namespace`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_label: Option<String>,
    /// The label that holds the pod's name; default `pod`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_label: Option<String>,
}

/// A system that gates ask. Administrators make it; Rollouts name it.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "sluice.dev",
    version = "v1alpha1",
    kind = "MetricProvider",
    plural = "metricproviders",
    derive = "PartialEq",
    category = "sluice",
    doc = "A Prometheus that gates may ask. The one named default is asked unless a gate says so.",
    printcolumn(name = "Address", type_ = "string", json_path = ".spec.prometheus.address"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricProviderSpec {
    /// Where it is and how it is asked.
    pub prometheus: PrometheusProvider,
}

/// A Prometheus, or anything that answers its query API.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrometheusProvider {
    /// `http://prometheus.monitoring:9090`; what stands before /api/v1/query.
    #[schemars(length(min = 1, max = cel::MAX_ADDRESS))]
    #[x_kube(validation = cel::is_an_http_address())]
    #[x_kube(validation = cel::has_no_credentials())]
    pub address: String,
    /// How long an answer may take; default 10s.
    #[x_kube(validation = cel::is_a_sane_span())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GepDuration>,
    /// So many queries at once; default 10.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// The Secret, in Sluice's own namespace, with what proves who asks: `token` (a bearer token),
    /// or `username` and `password`, and `tls.crt` with `tls.key` for a server that wants a client
    /// certificate; and `ca.crt` where the server's own needs it.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME), regex(pattern = "^[a-z0-9.-]*$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl Gate {
    /// It compares the new version with the stable one. A template never does.
    #[must_use]
    pub fn compares(&self) -> bool {
        self.prometheus.as_ref().is_some_and(|prometheus| prometheus.compare.is_some())
    }

    /// It waits for somebody's confirmation.
    #[must_use]
    pub fn confirms(&self) -> bool {
        self.hook.as_ref().is_some_and(|hook| hook.confirm)
    }

    /// It judges this batch of so many. A comparison does not judge the last: no stable pods are
    /// left to compare with.
    #[must_use]
    pub fn judges(&self, batch: u32, count: u32) -> bool {
        let compares = self.compares();
        (self.batches.is_empty() || self.batches.contains(&batch)) && !(compares && batch >= count)
    }
}
