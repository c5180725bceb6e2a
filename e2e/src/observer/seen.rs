//! What the observer reads of an object: only what the stock controllers and the user put there.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::Value;

use super::requests::Traffic;
use crate::crd::CloneSet;

/// The stock controllers' own, of Deployments and of all others.
const HASH_LABELS: [&str; 2] = ["pod-template-hash", "controller-revision-hash"];

/// An object as an event showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// The workload.
    Deployment(DeploymentSeen),
    /// A ReplicaSet.
    Set(SetSeen),
    /// A pod.
    Pod(PodSeen),
    /// A pod that is gone.
    PodGone(String),
    /// A ReplicaSet that is gone.
    SetGone(String),
    /// The Deployment is gone.
    DeploymentGone,
    /// Something of its traffic.
    Traffic(Traffic),
}

/// The workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentSeen {
    /// metadata.generation.
    pub generation: i64,
    /// spec.replicas; None for a DaemonSet, whose spec says nothing of that.
    pub replicas: Option<i32>,
    /// spec.template, as text: only its sameness matters.
    pub template: String,
    /// All of the spec, as text. The generation would not do: annotations move it, too.
    pub spec: String,
    /// The fields that matter to a rolling update, for the timeline.
    pub fields: String,
}

/// A ReplicaSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetSeen {
    /// metadata.name.
    pub name: String,
    /// The stock controller's hash of its template.
    pub hash: String,
    /// spec.replicas.
    pub replicas: i32,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSeen {
    /// metadata.name.
    pub name: String,
    /// The stock controller's hash of its template.
    pub hash: String,
    /// Its Ready condition is True.
    pub ready: bool,
    /// How long it has been, by the kubelet's own word, when the event arrives.
    pub ready_for: Duration,
    /// It is being deleted, or has ended for good.
    pub ending: bool,
}

/// The hash that the stock controller labels pods of one template with.
#[must_use]
pub fn hash(object: &impl ResourceExt) -> String {
    HASH_LABELS.iter().find_map(|label| object.labels().get(*label)).cloned().unwrap_or_default()
}

impl From<&Deployment> for Sighting {
    fn from(deployment: &Deployment) -> Self {
        let whole = serde_json::to_string(&deployment.spec).unwrap_or_default();
        let spec = deployment.spec.clone().unwrap_or_default();
        let rolling = spec.strategy.and_then(|s| s.rolling_update).unwrap_or_default();
        let text = |value| match serde_json::to_value(value) {
            Ok(Value::String(text)) => text,
            Ok(other) => other.to_string(),
            Err(error) => error.to_string(),
        };
        let fields = format!(
            "paused={} minReadySeconds={} surge={} unavailable={}",
            spec.paused.unwrap_or(false),
            spec.min_ready_seconds.unwrap_or(0),
            text(rolling.max_surge),
            text(rolling.max_unavailable),
        );
        Self::Deployment(DeploymentSeen {
            generation: deployment.metadata.generation.unwrap_or(0),
            replicas: Some(spec.replicas.unwrap_or(1)),
            template: serde_json::to_string(&spec.template).unwrap_or_default(),
            spec: whole,
            fields,
        })
    }
}

impl From<&StatefulSet> for Sighting {
    fn from(set: &StatefulSet) -> Self {
        let whole = serde_json::to_string(&set.spec).unwrap_or_default();
        let spec = set.spec.clone().unwrap_or_default();
        let rolling = spec.update_strategy.and_then(|s| s.rolling_update).unwrap_or_default();
        Self::Deployment(DeploymentSeen {
            generation: set.metadata.generation.unwrap_or(0),
            replicas: Some(spec.replicas.unwrap_or(1)),
            template: serde_json::to_string(&spec.template).unwrap_or_default(),
            spec: whole,
            fields: format!("partition={}", rolling.partition.unwrap_or(0)),
        })
    }
}

impl From<&CloneSet> for Sighting {
    fn from(set: &CloneSet) -> Self {
        Self::Deployment(DeploymentSeen {
            generation: set.metadata.generation.unwrap_or(0),
            replicas: i32::try_from(set.spec["replicas"].as_i64().unwrap_or(1)).ok(),
            template: set.spec["template"].to_string(),
            spec: set.spec.to_string(),
            fields: format!("updateStrategy={}", set.spec["updateStrategy"]),
        })
    }
}

impl From<&DaemonSet> for Sighting {
    fn from(set: &DaemonSet) -> Self {
        let spec = set.spec.clone().unwrap_or_default();
        let strategy = serde_json::to_string(&spec.update_strategy).unwrap_or_default();
        Self::Deployment(DeploymentSeen {
            generation: set.metadata.generation.unwrap_or(0),
            replicas: None,
            template: serde_json::to_string(&spec.template).unwrap_or_default(),
            spec: serde_json::to_string(&spec).unwrap_or_default(),
            fields: format!("updateStrategy={strategy}"),
        })
    }
}

impl From<&ReplicaSet> for Sighting {
    fn from(set: &ReplicaSet) -> Self {
        let replicas = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        Self::Set(SetSeen { name: set.name_any(), hash: hash(set), replicas })
    }
}

impl Sighting {
    /// A pod at an event that arrives `now`.
    #[must_use]
    pub fn pod(pod: &Pod, now: Timestamp) -> Self {
        let status = pod.status.clone().unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        let ended = matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
        let ready = conditions.iter().find(|c| c.type_ == "Ready" && c.status == "True");
        let since = ready.and_then(|condition| condition.last_transition_time.as_ref());
        let ready_for = since.map(|since| now.duration_since(since.0).unsigned_abs());
        Self::Pod(PodSeen {
            name: pod.name_any(),
            hash: hash(pod),
            ready: ready.is_some(),
            ready_for: ready_for.unwrap_or_default(),
            ending: ended || pod.metadata.deletion_timestamp.is_some(),
        })
    }
}
