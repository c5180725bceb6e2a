//! The Rollout's status: what the controller saw and did, and what it waits for. Types only.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::request::Verb;
use crate::rollout::Batch;
use crate::{Kept, Original, Revision, UpdateType};

/// What the controller saw and did.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word for where the release is.
    #[serde(default)]
    pub phase: Phase,
    /// `2/5` in a release; for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The revision that all pods have, or that a release leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_revision: Option<Revision>,
    /// The revision of a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_revision: Option<Revision>,
    /// The revision that was aborted and is not let in again unasked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_revision: Option<Revision>,
    /// Why the release failed or was taken back: who asked for it, or which batch was not ready in
    /// time, and which pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The batch of a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchStatus>,
    /// What the gates of the batch say; of a release that has ended, what they said last.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateStatus>,
    /// The batches of the release that a human let go on without their gates.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["batch".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// Where the requests are.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteStatus>,
    /// A Deployment's own fields while a release holds them, once more: should the hold be lost
    /// while the fence stays, nothing of the user's is lost with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Original>,
    /// The same of a StatefulSet or CloneSet: the user's own partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_partition: Option<Kept>,
    /// The same of a DaemonSet: the user's own type of updateStrategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_strategy: Option<UpdateType>,
    /// What the Rollout waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<WaitingFor>,
    /// A human's pause, until resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<PausedBy>,
    /// The answer to the last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Armed, and the kstatus conditions Ready, Reconciling and Stalled.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// One word for where a Rollout is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Not armed yet: the workload is missing, or its label has not been read back.
    #[default]
    Pending,
    /// Armed; all pods are of the stable revision.
    Ready,
    /// An update was intercepted and nothing of it runs yet.
    Held,
    /// A batch is on its way.
    Progressing,
    /// The pods of a batch are ready, and its gates are measured.
    Judging,
    /// A batch is done, or a human paused; the next one waits.
    Paused,
    /// On the way back to the stable revision, which the user brought back.
    RollingBack,
    /// On the way back to the stable revision after an abort.
    Aborting,
    /// All pods are of the stable revision, and the last update was rejected.
    Rejected,
    /// The release stopped on a failure and waits for a human.
    Failed,
    /// Nothing can be done before something outside changes.
    Stalled,
    /// Being deleted.
    Terminating,
}

/// The batch of a release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchStatus {
    /// 1 for the first.
    pub index: u32,
    /// Batches of the release.
    pub count: u32,
    /// Pods of the update revision that the batch allows.
    pub replicas: i32,
    /// The batch as the spec had it when it started: edits take effect at the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Batch>,
    /// When the batch was started.
    pub started_at: Time,
    /// When its pods were ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Time>,
    /// A human let the release go on from this batch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub promoted: bool,
    /// A human let it go on to the end without pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// A human let it go on without its gates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gates_skipped: Option<SkippedBy>,
}

/// Where the requests of one route are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteStatus {
    /// Its name.
    pub name: String,
    /// Percent of the requests that the update revision is to have.
    pub weight: u32,
    /// It also has the requests that the batch chooses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chosen: bool,
    /// The revision that the weight is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Since when all its gateways say that they have it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Time>,
}

/// Who let a batch go on without its gates, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkippedBy {
    /// The user, as the webhook saw them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When the controller took it.
    pub at: Time,
}

/// A batch that somebody let go on without its gates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// 1 for the first.
    pub batch: u32,
    /// The user, as the webhook saw them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When the controller took it.
    pub at: Time,
}

/// What one gate says of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateStatus {
    /// Its name.
    pub name: String,
    /// The batch that it judges.
    pub batch: u32,
    /// Where it stands.
    pub state: GateState,
    /// The same in a sentence.
    pub message: String,
    /// A hash of what is asked: what was measured before an edit of that counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Revision>,
    /// What was measured since the batch's pods were ready.
    pub measured: gate::History,
    /// What was measured before that in the release, oldest first: as many as make ten with those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
    /// What a comparison with stable has found in the release so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// A measurement of a batch before, or of before an edit of what is asked. It counts for nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Earlier {
    /// The batch that it was of.
    pub batch: u32,
    /// What was measured.
    #[serde(flatten)]
    pub measured: gate::history::Measurement,
}

/// A comparison from one measurement to the next, and from one batch to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Where its last interval ends: the next begins there, so that no request counts twice.
    pub until: Time,
    /// What is counted: an edit of that begins anew.
    pub counts: String,
    /// The evidence, as the judge writes and reads it.
    pub evidence: String,
}

/// Where a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GateState {
    /// It has not begun.
    Waiting,
    /// It needs more passes.
    Measuring,
    /// It has its passes.
    Passed,
    /// Too many fails.
    Failed,
    /// It could not be judged for too long: no data, or data that says nothing.
    Unknown,
    /// It could not be judged for too long: no answer, or a broken one.
    Error,
}

/// What a Rollout waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingFor {
    /// A stable CamelCase word.
    pub reason: String,
    /// A sentence with the numbers.
    pub message: String,
    /// Since when this reason.
    pub since: Time,
}

/// Who paused a release, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PausedBy {
    /// The user, as the webhook saw them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When the controller took it.
    pub at: Time,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Id of the request.
    pub id: String,
    /// What was asked.
    pub verb: Verb,
    /// The revision that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Who asked, as the webhook saw them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Granted or not.
    pub granted: bool,
    /// A sentence: what follows, or what changed since the request was written.
    pub message: String,
    /// When.
    pub at: Time,
}
