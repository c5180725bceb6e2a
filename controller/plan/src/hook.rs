//! What a hook is told of the release: the body of its request. Data only.

use crds::Revision;
use serde::Serialize;

/// A question to a HookProvider. Small, whatever the size of the workload: whoever wants the pods
/// finds them by their label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HookCall {
    /// Name of the Rollout.
    pub rollout: String,
    /// Its namespace.
    pub namespace: String,
    /// The workload.
    pub workload: HookWorkload,
    /// The revision that is released, as the Rollout's status names it.
    pub revision: Revision,
    /// The revision that it leaves.
    pub stable_revision: Revision,
    /// What the label of the new version's pods says: `pod-template-hash`, or
    /// `controller-revision-hash`.
    pub pod_hash: String,
    /// The same of the stable version's.
    pub stable_pod_hash: String,
    /// The batch that the gate judges, 1 for the first.
    pub batch: u32,
    /// Batches of the release.
    pub batches: u32,
    /// Name of the gate.
    pub gate: String,
    /// Which measurement of the batch this is, 1 for the first. One whose answer was lost is sent
    /// again under the same number.
    pub attempt: u32,
}

/// The workload that is released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HookWorkload {
    /// Its API version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}
