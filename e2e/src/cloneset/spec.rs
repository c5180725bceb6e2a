//! A `CloneSet` as it is served: the fields that the double reads. Types only.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Deserialize;
use serde_json::Value;

use super::status::Status;

#[derive(Clone, Debug)]
pub struct CloneSet {
    pub metadata: ObjectMeta,
    pub spec: Spec,
    pub status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    pub replicas: i32,
    pub selector: LabelSelector,
    pub template: Value,
    pub scale_strategy: ScaleStrategy,
    pub update_strategy: UpdateStrategy,
    pub revision_history_limit: Option<i32>,
    pub min_ready_seconds: i32,
    pub progress_deadline_seconds: Option<i32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScaleStrategy {
    pub pods_to_delete: Vec<String>,
    pub max_unavailable: Option<IntOrString>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UpdateStrategy {
    #[serde(rename = "type")]
    pub kind: UpdateKind,
    pub partition: Option<IntOrString>,
    pub max_unavailable: Option<IntOrString>,
    pub max_surge: Option<IntOrString>,
    pub paused: bool,
    pub priority_strategy: PriorityStrategy,
    pub in_place_update_strategy: InPlaceStrategy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum UpdateKind {
    #[default]
    ReCreate,
    InPlaceIfPossible,
    InPlaceOnly,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PriorityStrategy {
    pub weight_priority: Vec<WeightTerm>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WeightTerm {
    pub weight: i64,
    pub match_selector: LabelSelector,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InPlaceStrategy {
    pub grace_period_seconds: i64,
}
