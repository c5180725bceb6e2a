//! Reads a CloneSet, down to what the planner needs of it.

use crds::project::CloneSetFields;
use crds::{Hold, Kept, WorkloadKind};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use plan::observed::{CloneSet, Live};
use serde::Deserialize;
use serde_json::Value;

use super::Unreadable;
use super::workload::{WorkloadSeen, seen};
use crate::raw::Raw;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default = "one")]
    replicas: i32,
    #[serde(default)]
    min_ready_seconds: i32,
    progress_deadline_seconds: Option<i32>,
    #[serde(default)]
    update_strategy: UpdateStrategy,
    selector: LabelSelector,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UpdateStrategy {
    paused: bool,
    max_surge: Value,
}

fn one() -> i32 {
    1
}

/// Reads a CloneSet.
pub fn cloneset(raw: &Raw) -> Result<WorkloadSeen, Unreadable> {
    let value = raw.value();
    let spec = Spec::deserialize(&value["spec"])?;
    let fields = CloneSetFields::of(&value["spec"])
        .ok_or_else(|| Unreadable("spec.updateStrategy has an unknown shape".to_owned()))?;
    let surge = Kept::of(&spec.update_strategy.max_surge).ok_or_else(|| {
        Unreadable("spec.updateStrategy.maxSurge has an unknown shape".to_owned())
    })?;
    let live = CloneSet {
        fields,
        size: spec.replicas,
        surge: surge.ceil_of(spec.replicas),
        paused: spec.update_strategy.paused,
        min_ready_seconds: spec.min_ready_seconds,
        deadline_seconds: spec.progress_deadline_seconds,
        current: value["status"]["currentRevision"].as_str().map(str::to_owned),
    };
    let replicas = live.reach(&Hold::of(value));
    seen(raw, WorkloadKind::CloneSet, replicas, Live::CloneSet(live), spec.selector)
}
