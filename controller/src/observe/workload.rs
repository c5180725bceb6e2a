//! Reads a Deployment, down to what the planner needs of it, and what every kind has alike.

use crds::contract::{ARMED_LABEL, ARMED_VALUE, HOLD_ANNOTATION, RETREAT_MANAGER, ROLLOUT_LABEL};
use crds::hold::Reading;
use crds::{Hold, IntOrPercent, Revision, WorkloadKind};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::Selector;
use plan::observed::{Fact, Fields, Live, Sets, Strategy, Workload};
use serde::Deserialize;

use super::Unreadable;
use crate::raw::Raw;

/// A workload without its template: some hundred bytes, equal when there is nothing new.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadSeen {
    /// metadata.uid.
    pub uid: String,
    /// metadata.generation.
    pub generation: i64,
    /// status.observedGeneration.
    pub observed_generation: i64,
    /// Pods that an update may reach.
    pub replicas: i32,
    /// The arming label has its value.
    pub armed: bool,
    /// The label that names the Rollout.
    pub rollout: Option<String>,
    /// The live fields.
    pub fields: Live,
    /// The hold annotation.
    pub hold: Reading,
    /// Its text.
    pub hold_text: Option<String>,
    /// There is any annotation: a patch cannot add one to nothing.
    pub annotated: bool,
    /// The live fields are what the hold wants.
    pub projected: bool,
    /// Of the live template.
    pub revision: Revision,
    /// spec.selector as the API takes it in a list.
    pub selector: String,
    /// managedFields has an entry of our direct writes that must go.
    pub retreated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default = "one")]
    replicas: i32,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    min_ready_seconds: i32,
    #[serde(default = "ten_minutes")]
    progress_deadline_seconds: i32,
    #[serde(default)]
    strategy: StrategySpec,
    selector: LabelSelector,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StrategySpec {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    rolling_update: RollingUpdate,
}

/// The apiserver's defaults; it serves them filled in, this is for objects in tests.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RollingUpdate {
    max_surge: IntOrPercent,
    max_unavailable: IntOrPercent,
}

impl Default for RollingUpdate {
    fn default() -> Self {
        Self { max_surge: IntOrPercent::Percent(25), max_unavailable: IntOrPercent::Percent(25) }
    }
}

fn one() -> i32 {
    1
}

fn ten_minutes() -> i32 {
    600
}

impl WorkloadSeen {
    /// For the planner: as seen by the Rollout of this name.
    pub fn workload(&self, rollout: &str, sets: Fact<Sets>) -> Workload {
        Workload {
            uid: self.uid.clone(),
            generation: self.generation,
            observed_generation: self.observed_generation,
            replicas: self.replicas,
            armed: self.armed && self.rollout.as_deref() == Some(rollout),
            fields: self.fields.clone(),
            hold: self.hold.clone(),
            hold_text: self.hold_text.clone(),
            projected: self.projected,
            revision: self.revision.clone(),
            sets,
        }
    }
}

/// Reads a Deployment.
pub fn workload(raw: &Raw) -> Result<WorkloadSeen, Unreadable> {
    let spec = Spec::deserialize(&raw.value()["spec"])?;
    let fields = Fields {
        paused: spec.paused,
        min_ready_seconds: spec.min_ready_seconds,
        progress_deadline_seconds: spec.progress_deadline_seconds,
        strategy: strategy(&spec.strategy)?,
    };
    let fields = Live::Deployment(fields);
    seen(raw, WorkloadKind::Deployment, spec.replicas, fields, spec.selector)
}

/// What is read alike of every kind, and what is not.
pub fn seen(
    raw: &Raw,
    kind: WorkloadKind,
    replicas: i32,
    fields: Live,
    selector: LabelSelector,
) -> Result<WorkloadSeen, Unreadable> {
    let value = raw.value();
    let selector = Selector::try_from(selector)
        .map_err(|error| Unreadable(format!("spec.selector: {error}")))?;
    let managers = value["metadata"]["managedFields"].as_array().into_iter().flatten();
    Ok(WorkloadSeen {
        uid: raw.uid().to_owned(),
        generation: value["metadata"]["generation"].as_i64().unwrap_or_default(),
        observed_generation: value["status"]["observedGeneration"].as_i64().unwrap_or_default(),
        replicas,
        armed: raw.label(ARMED_LABEL) == Some(ARMED_VALUE),
        rollout: raw.label(ROLLOUT_LABEL).map(str::to_owned),
        fields,
        hold: Hold::of(value),
        hold_text: raw.annotation(HOLD_ANNOTATION).map(str::to_owned),
        annotated: value["metadata"]["annotations"].is_object(),
        projected: crds::project::projected_as(kind, value),
        revision: Revision::of_template(&value["spec"]["template"]),
        selector: selector.to_string(),
        retreated: managers.into_iter().any(|entry| entry["manager"] == RETREAT_MANAGER),
    })
}

fn strategy(spec: &StrategySpec) -> Result<Strategy, Unreadable> {
    match spec.kind.as_deref() {
        None | Some("RollingUpdate") => Ok(Strategy::RollingUpdate {
            max_surge: spec.rolling_update.max_surge,
            max_unavailable: spec.rolling_update.max_unavailable,
        }),
        Some("Recreate") => Ok(Strategy::Recreate),
        Some(other) => Err(Unreadable(format!("spec.strategy.type {other:?} is unknown"))),
    }
}
