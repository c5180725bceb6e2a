//! Templates of gates: a question that many Rollouts share, with arguments. Types, and what comes
//! of a template with its arguments; who reads it, and when, is the controller's.

use std::collections::BTreeMap;

use gate::query::{ArgumentError, fill};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ErrorRatio, GateError, PrometheusGate};
use crate::cel;
use crate::contract::is_object_name;

/// The template of a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateRef {
    /// GateTemplate, of the Rollout's namespace, or ClusterGateTemplate.
    #[serde(default)]
    pub kind: TemplateKind,
    /// Its name.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME), regex(pattern = "^[a-z0-9.-]*$"))]
    pub name: String,
    /// Values of its arguments.
    #[schemars(extend("maxProperties" = cel::MAX_ARGS))]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

/// Where a template is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TemplateKind {
    /// In the Rollout's namespace.
    #[default]
    GateTemplate,
    /// In the cluster.
    ClusterGateTemplate,
}

/// A gate's question, shared by the Rollouts of a namespace.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "sluice.dev",
    version = "v1alpha1",
    kind = "GateTemplate",
    plural = "gatetemplates",
    namespaced,
    derive = "PartialEq",
    category = "sluice",
    doc = "A gate's question with arguments, for the Rollouts of its namespace.",
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GateTemplateSpec {
    /// What a Rollout may give, or has to.
    #[schemars(length(max = cel::MAX_ARGS))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<TemplateArg>,
    /// The question, and which answer is acceptable.
    pub prometheus: PrometheusTemplate,
}

/// A gate's question, shared by all Rollouts of the cluster.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "sluice.dev",
    version = "v1alpha1",
    kind = "ClusterGateTemplate",
    plural = "clustergatetemplates",
    derive = "PartialEq",
    category = "sluice",
    doc = "A gate's question with arguments, for all Rollouts of the cluster.",
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterGateTemplateSpec {
    /// What a Rollout may give, or has to.
    #[schemars(length(max = cel::MAX_ARGS))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<TemplateArg>,
    /// The question, and which answer is acceptable.
    pub prometheus: PrometheusTemplate,
}

/// An argument of a template: `{{args.name}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateArg {
    /// Its name.
    #[schemars(length(min = 1, max = cel::MAX_NAME), regex(pattern = "^[A-Za-z0-9_]*$"))]
    pub name: String,
    /// Its value unless a Rollout gives one; absent: every Rollout has to.
    #[schemars(length(max = cel::MAX_QUERY))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// As a Rollout's own `prometheus`. An argument stands in the literals of a query, or alone as the
/// whole of any other text.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = cel::asks_one_thing(),
    validation = cel::has_a_largest_or_smallest(),
    validation = cel::counts_its_requests()
)]
pub struct PrometheusTemplate {
    /// The MetricProvider that is asked; default `default`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// PromQL that gives one number, with the placeholders of a Rollout's query and {{args.NAME}}
    /// in double quotes.
    #[schemars(length(min = 1, max = cel::MAX_QUERY))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Ready-made: the share of requests that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_ratio: Option<ErrorRatio>,
    /// Ready-made: a quantile of the latency, in seconds, or the share of slow requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<LatencyTemplate>,
    /// The largest acceptable value.
    #[schemars(length(min = 1, max = cel::MAX_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// The smallest acceptable value.
    #[schemars(length(min = 1, max = cel::MAX_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// How far back {{window}} looks at most; default 5m.
    #[schemars(length(min = 1, max = cel::MAX_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// Fewer requests within the window say nothing.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_requests: Option<u32>,
    /// PromQL that counts them; needed with query only.
    #[schemars(length(min = 1, max = cel::MAX_QUERY))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<String>,
}

/// A histogram of latencies, in seconds.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = cel::is_a_quantile_or_a_share())]
pub struct LatencyTemplate {
    /// The histogram, without `_bucket`; default `http_request_duration_seconds`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The share of requests that are at most so slow.
    #[schemars(length(min = 1, max = cel::MAX_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile: Option<String>,
    /// Instead: the share of requests that take longer than this bound of a bucket.
    #[schemars(length(min = 1, max = cel::MAX_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slower_than: Option<String>,
    /// The label that holds the namespace; default `namespace`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_label: Option<String>,
    /// The label that holds the pod's name; default `pod`.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_label: Option<String>,
}

/// What a template says, of either kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Its arguments.
    pub args: Vec<TemplateArg>,
    /// The question.
    pub prometheus: PrometheusTemplate,
}

/// Characters of a value that a sentence shows.
const MAX_SHOWN: usize = 60;

/// Why a template and its arguments make no gate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The Rollout gives what the template does not know.
    #[error("template.args.{name} is no argument of the template: it has {known}")]
    Unknown {
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// The Rollout does not give what the template needs.
    #[error("template.args.{name} is missing, and the template has no default: give it")]
    Missing {
        /// The argument.
        name: String,
    },
    /// An argument in a query.
    #[error("the template's {field}: {source}")]
    Query {
        /// Where.
        field: String,
        /// Why.
        source: ArgumentError,
    },
    /// An argument that is a part of a text that is no query.
    #[error(
        "the template's {field} is {value:?}: an argument is the whole of it, {{{{args.NAME}}}}"
    )]
    Part {
        /// Where.
        field: String,
        /// What stands there.
        value: String,
    },
    /// With these values it is no gate.
    #[error("with these arguments the template is no gate: {0}")]
    Malformed(String),
    /// With these values it cannot be asked.
    #[error("with these arguments the template cannot be asked: {0}")]
    Gate(#[from] GateError),
}

impl Template {
    /// The gate that it is with these arguments.
    ///
    /// # Errors
    /// [`TemplateError`]
    pub fn resolve(
        &self,
        given: &BTreeMap<String, String>,
    ) -> Result<PrometheusGate, TemplateError> {
        let values = self.values(given)?;
        let mut raw = serde_json::to_value(&self.prometheus)
            .map_err(|error| TemplateError::Malformed(error.to_string()))?;
        substitute("prometheus", &mut raw, &values)?;
        let gate: PrometheusGate = serde_json::from_value(raw)
            .map_err(|error| TemplateError::Malformed(error.to_string()))?;
        gate.queries()?;
        gate.bound()?;
        bounds(&gate)?;
        Ok(gate)
    }

    /// What each argument stands for.
    fn values(
        &self,
        given: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, TemplateError> {
        let known = || -> Vec<&str> { self.args.iter().map(|arg| arg.name.as_str()).collect() };
        if let Some(name) = given.keys().find(|name| !known().contains(&name.as_str())) {
            let known = if self.args.is_empty() { "none".into() } else { known().join(", ") };
            return Err(TemplateError::Unknown { name: name.clone(), known });
        }
        let value = |arg: &TemplateArg| {
            let value = given.get(&arg.name).or(arg.default.as_ref());
            let value = value.ok_or_else(|| TemplateError::Missing { name: arg.name.clone() })?;
            Ok((arg.name.clone(), value.clone()))
        };
        self.args.iter().map(value).collect()
    }
}

/// What the schema says of a Rollout's own gate and nobody has said of these values yet.
fn bounds(gate: &PrometheusGate) -> Result<(), TemplateError> {
    if let Some(name) = gate.provider.as_deref().filter(|name| !is_object_name(name)) {
        let name: String = name.chars().take(MAX_SHOWN).collect();
        let why = format!("provider is {name:?}, which no MetricProvider can have for a name");
        return Err(TemplateError::Malformed(why));
    }
    let most = cel::MAX_SPAN.as_secs() / 3600;
    match gate.window {
        Some(window) if window.get() > cel::MAX_SPAN => {
            Err(TemplateError::Malformed(format!("window is more than {most}h (30 days)")))
        }
        _ => Ok(()),
    }
}

/// Puts the values in their places: in queries with escapes, elsewhere as they are.
fn substitute(
    field: &str,
    raw: &mut Value,
    values: &BTreeMap<String, String>,
) -> Result<(), TemplateError> {
    match raw {
        Value::Object(fields) => fields
            .iter_mut()
            .try_for_each(|(key, inner)| substitute(&format!("{field}.{key}"), inner, values)),
        Value::String(text) if ["prometheus.query", "prometheus.requests"].contains(&field) => {
            let filled = fill(text, values);
            *text =
                filled.map_err(|source| TemplateError::Query { field: field.into(), source })?;
            Ok(())
        }
        Value::String(text) => {
            if let Some(value) = whole(field, text, values)? {
                *text = value;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The value of a text that is one argument and nothing else; None for a text without any.
fn whole(
    field: &str,
    text: &str,
    values: &BTreeMap<String, String>,
) -> Result<Option<String>, TemplateError> {
    if !text.contains("{{") {
        return Ok(None);
    }
    let name = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    let name = name.and_then(|name| name.trim().strip_prefix("args."));
    let part = || TemplateError::Part { field: field.into(), value: text.into() };
    let name = name.ok_or_else(part)?;
    let undeclared = || ArgumentError::Undeclared { name: name.to_owned() };
    let value = values.get(name).cloned().ok_or_else(undeclared);
    value.map(Some).map_err(|source| TemplateError::Query { field: field.into(), source })
}

impl From<GateTemplateSpec> for Template {
    fn from(GateTemplateSpec { args, prometheus }: GateTemplateSpec) -> Self {
        Self { args, prometheus }
    }
}

impl From<ClusterGateTemplateSpec> for Template {
    fn from(ClusterGateTemplateSpec { args, prometheus }: ClusterGateTemplateSpec) -> Self {
        Self { args, prometheus }
    }
}

#[cfg(test)]
mod tests;
