//! The user's Rollout, as a manifest, written short: `["1 pause", "20% pause 10m", "100%"]`.

use crds::{RolloutSpec, WorkloadKind};
use serde_json::{Value, json};

use crate::failure::{Failure, Outcome};

/// A Rollout's manifest in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    name: String,
    workload: String,
    kind: WorkloadKind,
    batches: Vec<Value>,
    spec: Value,
}

impl Plan {
    /// A Rollout `web` of the Deployment `web`. Each batch is a number or a percentage, followed
    /// by `pause` (until promoted) or `pause DURATION` where it has one.
    #[must_use]
    pub fn new<const N: usize>(batches: [&str; N]) -> Self {
        Self {
            name: "web".to_owned(),
            workload: "web".to_owned(),
            kind: WorkloadKind::Deployment,
            batches: batches.into_iter().map(batch).collect(),
            spec: json!({}),
        }
    }

    /// Of the StatefulSet `web`.
    #[must_use]
    pub fn stateful(mut self) -> Self {
        self.kind = WorkloadKind::StatefulSet;
        self
    }

    /// Of the CloneSet `web`.
    #[must_use]
    pub fn cloneset(mut self) -> Self {
        self.kind = WorkloadKind::CloneSet;
        self
    }

    /// Of the DaemonSet `web`.
    #[must_use]
    pub fn daemonset(mut self) -> Self {
        self.kind = WorkloadKind::DaemonSet;
        self
    }

    /// With another name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// With another field of the spec.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.spec[field] = value.into();
        self
    }

    /// A batch, to be changed.
    pub fn batch(&mut self, at: usize) -> &mut Value {
        &mut self.batches[at]
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> Value {
        let mut spec = self.spec.clone();
        let (api_version, kind) = (self.kind.api_version(), self.kind.as_str());
        spec["workloadRef"] =
            json!({"apiVersion": api_version, "kind": kind, "name": self.workload});
        spec["strategy"] = json!({"batches": self.batches});
        json!({
            "apiVersion": format!("{}/{}", crds::contract::GROUP, crds::contract::VERSION),
            "kind": "Rollout",
            "metadata": {"name": self.name},
            "spec": spec,
        })
    }

    /// The spec as the API types have it.
    ///
    /// # Errors
    /// The manifest is none.
    pub fn spec(&self) -> Outcome<RolloutSpec> {
        serde_json::from_value(self.manifest()["spec"].clone())
            .map_err(|error| Failure::Wrong(format!("the test's own Rollout: {error}")))
    }
}

fn batch(text: &str) -> Value {
    let mut words = text.split_whitespace();
    let replicas = words.next().unwrap_or_default();
    let replicas = replicas.parse::<i32>().map_or_else(|_| json!(replicas), |count| json!(count));
    match (words.next(), words.next()) {
        (None, _) => json!({"replicas": replicas}),
        (Some(_), None) => json!({"replicas": replicas, "pause": {}}),
        (Some(_), Some(duration)) => json!({"replicas": replicas, "pause": {"duration": duration}}),
    }
}
