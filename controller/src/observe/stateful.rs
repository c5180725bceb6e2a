//! Reads a StatefulSet, down to what the planner needs of it.

use crds::project::StatefulFields;
use crds::{Hold, WorkloadKind};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use plan::observed::{Live, Stateful};
use serde::Deserialize;

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
    #[serde(default)]
    ordinals: Ordinals,
    pod_management_policy: Option<String>,
    selector: LabelSelector,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ordinals {
    start: i32,
}

fn one() -> i32 {
    1
}

/// Reads a StatefulSet.
pub fn stateful(raw: &Raw) -> Result<WorkloadSeen, Unreadable> {
    let value = raw.value();
    let spec = Spec::deserialize(&value["spec"])?;
    let fields = StatefulFields::of(&value["spec"])
        .ok_or_else(|| Unreadable("spec.updateStrategy has an unknown shape".to_owned()))?;
    let live = Stateful {
        fields,
        size: spec.replicas,
        start: spec.ordinals.start,
        min_ready_seconds: spec.min_ready_seconds,
        ordered: spec.pod_management_policy.is_none_or(|policy| policy == "OrderedReady"),
        current: value["status"]["currentRevision"].as_str().map(str::to_owned),
    };
    let replicas = live.reach(&Hold::of(value));
    seen(raw, WorkloadKind::StatefulSet, replicas, Live::StatefulSet(live), spec.selector)
}
