//! Reads a DaemonSet, down to what the planner needs of it.

use crds::project::DaemonSetFields;
use crds::{IntOrPercent, WorkloadKind};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use plan::observed::{DaemonSet, Live};
use serde::Deserialize;

use super::Unreadable;
use super::workload::{WorkloadSeen, seen};
use crate::raw::Raw;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    min_ready_seconds: i32,
    #[serde(default)]
    update_strategy: UpdateStrategy,
    selector: LabelSelector,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UpdateStrategy {
    rolling_update: RollingUpdate,
}

/// The apiserver's defaults. It serves them filled in, but for an object that was made under
/// OnDelete.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RollingUpdate {
    max_surge: IntOrPercent,
    max_unavailable: IntOrPercent,
}

impl Default for RollingUpdate {
    fn default() -> Self {
        Self { max_surge: IntOrPercent::Count(0), max_unavailable: IntOrPercent::Count(1) }
    }
}

/// Reads a DaemonSet. Before its controller has counted its nodes it is held as if it had one.
pub fn daemonset(raw: &Raw) -> Result<WorkloadSeen, Unreadable> {
    let value = raw.value();
    let spec = Spec::deserialize(&value["spec"])?;
    let fields = DaemonSetFields::of(&value["spec"])
        .ok_or_else(|| Unreadable("spec.updateStrategy has an unknown shape".to_owned()))?;
    let number = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
    let nodes = number(DaemonSetFields::counted(value).unwrap_or(1));
    let live = DaemonSet {
        fields,
        nodes,
        misscheduled: number(value["status"]["numberMisscheduled"].as_i64().unwrap_or(0)),
        max_unavailable: spec.update_strategy.rolling_update.max_unavailable,
        max_surge: spec.update_strategy.rolling_update.max_surge,
        min_ready_seconds: spec.min_ready_seconds,
    };
    seen(raw, WorkloadKind::DaemonSet, nodes, Live::DaemonSet(live), spec.selector)
}

#[cfg(test)]
mod tests;
