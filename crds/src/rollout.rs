//! The Rollout: what a user writes. Types and their schema only; its rules are in `cel`, and again,
//! with more to say, in `validate`.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use gate::history::OnUnknown;

use crate::{Gate, GepDuration, IntOrPercent, RolloutStatus, Traffic, TrafficRoute, cel};

/// How updates of one workload are released.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "sluice.dev",
    version = "v1alpha1",
    kind = "Rollout",
    plural = "rollouts",
    namespaced,
    status = "RolloutStatus",
    derive = "PartialEq",
    // `ro` is Argo's.
    shortname = "slr",
    category = "all",
    category = "sluice",
    doc = "How updates of one workload are let through, batch by batch.",
    printcolumn(name = "Workload", type_ = "string", json_path = ".spec.workloadRef.name"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Batch", type_ = "string", json_path = ".status.step"),
    printcolumn(name = "Waiting for", type_ = "string", json_path = ".status.waitingFor.reason"),
    printcolumn(name = "Since", type_ = "date", json_path = ".status.waitingFor.since"),
    printcolumn(
        name = "Stable",
        type_ = "string",
        json_path = ".status.stableRevision",
        priority = 1
    ),
    printcolumn(
        name = "Update",
        type_ = "string",
        json_path = ".status.updateRevision",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = cel::name_fits_a_label(),
    validation = cel::traffic_has_a_route()
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutSpec {
    /// The workload, in the Rollout's own namespace. Immutable.
    #[x_kube(validation = cel::immutable(), validation = cel::is_a_known_kind())]
    pub workload_ref: WorkloadRef,
    /// Stop before the next batch. `kubectl sluice pause` does the same without the manifest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// How an update is let through.
    pub strategy: Strategy,
    /// How long a batch may take to get its pods ready; default: the Deployment's own
    /// progressDeadlineSeconds, and 10m for a kind that has none.
    #[x_kube(validation = cel::is_a_sane_span())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<GepDuration>,
    /// What happens to a batch that does not get ready in time, or fails a gate.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// The routes whose requests follow the pods of a release.
    #[schemars(length(max = cel::MAX_ROUTES))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<TrafficRoute>,
    /// What each batch has to pass once its pods are ready.
    #[schemars(length(max = cel::MAX_GATES))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// What happens when a gate cannot be judged for too long.
    #[serde(default, skip_serializing_if = "is_pause")]
    pub on_unknown: OnUnknown,
    /// So long after the last batch the gates go on, and a failure still takes the release back.
    /// It ends with a measurement of its end that each gate passes.
    #[x_kube(validation = cel::is_a_sane_span())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake: Option<GepDuration>,
}

fn is_pause(on_unknown: &OnUnknown) -> bool {
    *on_unknown == OnUnknown::Pause
}

/// The workload that a Rollout releases.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkloadRef {
    /// `apps/v1`; of a CloneSet `apps.kruise.io/v1alpha1`.
    #[schemars(length(max = cel::MAX_OBJECT_NAME))]
    pub api_version: String,
    /// `Deployment`, `StatefulSet`, `CloneSet` or `DaemonSet`.
    #[schemars(length(max = cel::MAX_OBJECT_NAME))]
    pub kind: String,
    /// Name of the workload.
    #[schemars(length(min = 1, max = cel::MAX_OBJECT_NAME), regex(pattern = "^[a-z0-9.-]*$"))]
    pub name: String,
}

/// How an update is let through.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Strategy {
    /// The batches, each larger than the one before; the last one is 100%.
    #[schemars(length(min = 1, max = cel::MAX_BATCHES))]
    #[x_kube(
        merge_strategy = ListMerge::Atomic,
        validation = cel::last_batch_is_all(),
        validation = cel::last_batch_has_no_pause(),
        validation = cel::last_batch_has_no_traffic(),
        validation = cel::batches_increase()
    )]
    pub batches: Vec<Batch>,
}

/// A step of a release.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = cel::pause_is_not_null())]
pub struct Batch {
    /// Pods of the new version at the end of the batch: a number, or a percentage of the
    /// workload's replicas (of a DaemonSet: of the nodes that it is for), rounded up.
    #[x_kube(validation = cel::is_some_pods())]
    pub replicas: IntOrPercent,
    /// The requests that the new version gets once the pods are ready; absent: as many percent as
    /// it has of the pods. Needs spec.routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// What follows when the pods are ready; absent: the next batch at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
}

/// A stop after a batch.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = cel::duration_is_not_null())]
pub struct Pause {
    /// How long; absent: until promoted.
    #[x_kube(validation = cel::is_a_sane_span())]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<GepDuration>,
}

/// What happens to a release that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnFailure {
    /// Back to the stable version, and the failed one is rejected.
    #[default]
    Abort,
    /// Stop where it is and wait for a human.
    Pause,
}
