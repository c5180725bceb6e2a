//! One API write of our controller: data, its precondition, and what it does to the cluster. The
//! same writes as the real shell's, in memory. A request may be carried out after its sender died.

use std::rc::Rc;

use crds::contract::{
    ARMED_LABEL, ARMED_VALUE, DESIRED_REPLICAS_ANNOTATION, FINALIZER, HOLD_ANNOTATION,
    MAX_REPLICAS_ANNOTATION, PREFIX, ROLLOUT_LABEL,
};
use crds::hold::Reading;
use crds::{Hold, Revision, RolloutStatus};
use serde_json::{Value, json};

use crate::sim::bug::Sabotage;
use crate::sim::cluster::admission::{self, CONTROLLER};
use crate::sim::cluster::objects::ReplicaSet;
use crate::sim::cluster::{Admission, Cluster, Precondition, Refused};

/// A write.
#[derive(Clone, Debug)]
pub enum Request {
    /// Puts our finalizer on the Rollout, or takes it off.
    Finalizer { rollout: Rc<str>, precondition: Precondition, wanted: bool },
    /// Puts our labels on the workload.
    Arm { workload: Rc<str>, precondition: Precondition, rollout: Rc<str> },
    /// Takes labels and hold off the workload.
    Disarm { workload: Rc<str>, precondition: Precondition },
    /// Sets, changes or lifts the hold.
    Hold(HoldRequest),
    /// Hold and fields at once, past the webhook.
    Retreat(HoldRequest),
    /// Changes a ReplicaSet.
    Set { set: Rc<str>, precondition: Precondition, change: SetChange },
    /// Takes a pod away, if it is still of this version.
    DeletePod { pod: Rc<str>, uid: String, version: Option<String> },
    /// Keeps a template.
    Keep { name: Rc<str>, owner: Rc<str>, revision: Revision, template: Rc<Value> },
    /// Drops a kept template.
    Drop { name: Rc<str> },
    /// What only a planted bug writes, past webhook and policy.
    Patch { workload: Rc<str>, sabotage: Sabotage },
    /// Writes the Rollout's status.
    Status { rollout: Rc<str>, version: u64, status: Box<RolloutStatus> },
}

/// A change of the hold.
#[derive(Clone, Debug)]
pub struct HoldRequest {
    pub workload: Rc<str>,
    /// uid, generation and the annotation as it was.
    pub precondition: Precondition,
    /// The annotation's new text.
    pub text: Option<String>,
    /// [`crate::WriteHold::may_write_fields`].
    pub may_write_fields: bool,
}

/// A change of a ReplicaSet.
#[derive(Clone, Debug)]
pub enum SetChange {
    /// minReadySeconds.
    Repair(i32),
    /// replicas, and what the stock controller has to believe that they were computed from.
    Resize { was: i32, replicas: i32, desired: i32, max: i32 },
    /// Our annotations off.
    Strip,
}

/// Why a write failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The apiserver refused it.
    Refused(Refused),
    /// It was stored without what project() makes of it.
    WebhookAbsent,
}

impl Failure {
    /// The plan was made on old knowledge; after a live read it is made again at once.
    pub fn is_stale(&self) -> bool {
        let Self::Refused(refused) = self else { return false };
        matches!(refused, Refused::Conflict | Refused::NotFound | Refused::AlreadyExists)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Request {
    /// Carries it out.
    pub fn run(&self, cluster: &mut Cluster) -> Result<(), Failure> {
        match self {
            Self::Finalizer { rollout, precondition, wanted } => {
                Ok(cluster.update_rollout(rollout, precondition, |rollout| {
                    rollout.finalizers.retain(|finalizer| finalizer != FINALIZER);
                    if *wanted {
                        rollout.finalizers.push(FINALIZER.to_owned());
                    }
                })?)
            }
            Self::Arm { workload, precondition, rollout } => {
                let mut raw = cluster.deployment_json(workload)?;
                raw["metadata"]["labels"][ARMED_LABEL] = json!(ARMED_VALUE);
                raw["metadata"]["labels"][ROLLOUT_LABEL] = json!(&**rollout);
                cluster.update_deployment(CONTROLLER, workload, precondition, raw)?;
                Ok(())
            }
            Self::Disarm { workload, precondition } => disarm(cluster, workload, precondition),
            Self::Hold(request) => request.run(cluster),
            Self::Retreat(request) => request.retreat(cluster),
            Self::Set { set, precondition, change } => {
                let seen = cluster.sets.get(set).ok_or(Refused::NotFound)?;
                if matches!(change, SetChange::Resize { was, .. } if *was != seen.replicas) {
                    return Err(Refused::Conflict.into());
                }
                let wanted = change.applied_to(seen);
                cluster.update_set(precondition, wanted)?;
                Ok(())
            }
            Self::DeletePod { pod, uid, version } => {
                delete_pod(cluster, pod, uid, version.as_deref());
                Ok(())
            }
            Self::Keep { name, owner, revision, template } => {
                match cluster.create_kept(name, owner, revision.clone(), Rc::clone(template)) {
                    Err(Refused::AlreadyExists) => Ok(()),
                    created => Ok(created?),
                }
            }
            Self::Drop { name } => match cluster.delete_kept(name) {
                Err(Refused::NotFound) => Ok(()),
                deleted => Ok(deleted?),
            },
            Self::Patch { workload, sabotage } => {
                let mut raw = cluster.deployment_json(workload)?;
                sabotage.apply(&mut raw);
                let was = cluster.admission;
                cluster.admission = Admission { webhook: false, policy: false, bug: None };
                let anything = Precondition::default();
                let stored = cluster.update_deployment(CONTROLLER, workload, &anything, raw);
                cluster.admission = was;
                stored?;
                Ok(())
            }
            Self::Status { rollout, version, status } => {
                let status = on_the_wire(status);
                Ok(cluster.update_rollout(
                    rollout,
                    &Precondition::version(*version),
                    |rollout| {
                        rollout.status = status;
                    },
                )?)
            }
        }
    }
}

/// Only the pod that was seen.
fn delete_pod(cluster: &mut Cluster, pod: &str, uid: &str, version: Option<&str>) {
    let same = cluster.pods.get(pod).is_some_and(|seen| {
        let is = seen.meta.version.to_string();
        *seen.meta.uid == *uid && version.is_none_or(|version| version == is)
    });
    if same {
        cluster.update_pod(pod, |pod| pod.meta.deleting = true);
    }
}

impl SetChange {
    fn applied_to(&self, set: &ReplicaSet) -> ReplicaSet {
        let mut set = set.clone();
        match self {
            Self::Repair(seconds) => set.min_ready_seconds = *seconds,
            Self::Resize { replicas, desired, max, .. } => {
                set.replicas = *replicas;
                for (key, number) in
                    [(DESIRED_REPLICAS_ANNOTATION, desired), (MAX_REPLICAS_ANNOTATION, max)]
                {
                    set.annotations.insert(key.to_owned(), number.to_string());
                }
            }
            Self::Strip => set.annotations.retain(|key, _| !key.starts_with(PREFIX)),
        }
        set
    }
}

impl HoldRequest {
    fn run(&self, cluster: &mut Cluster) -> Result<(), Failure> {
        let mut raw = cluster.deployment_json(&self.workload)?;
        set_hold(&mut raw, self.text.as_deref());
        let stored =
            cluster.update_deployment(CONTROLLER, &self.workload, &self.precondition, raw)?;
        is_projected(&stored.raw)
    }

    /// As the webhook would have made it, from a live read. The write before this one may have
    /// passed without the webhook, so the annotation may be the new one already.
    fn retreat(&self, cluster: &mut Cluster) -> Result<(), Failure> {
        let live = Rc::clone(cluster.deployment(&self.workload)?);
        let found = live.annotations.get(HOLD_ANNOTATION);
        let was = self.precondition.annotation.as_ref().and_then(|(_, text)| text.as_ref());
        let same = self.precondition.uid.as_ref().is_none_or(|uid| *uid == live.meta.uid);
        if !same || (found != was && found != self.text.as_ref()) {
            return Err(Refused::Conflict.into());
        }
        let (mut old, mut new) = (Value::clone(&live.shown()), Value::clone(&live.shown()));
        set_hold(&mut old, was.map(String::as_str));
        set_hold(&mut new, self.text.as_deref());
        admission::project(&old, &mut new, CONTROLLER)?;
        let precondition = Precondition::version(live.meta.version);
        let stored = cluster.update_deployment(CONTROLLER, &self.workload, &precondition, new)?;
        is_projected(&stored.raw)
    }
}

fn disarm(
    cluster: &mut Cluster,
    workload: &str,
    precondition: &Precondition,
) -> Result<(), Failure> {
    let mut raw = cluster.deployment_json(workload)?;
    if let Some(labels) = raw["metadata"]["labels"].as_object_mut() {
        labels.retain(|key, _| !key.starts_with(PREFIX));
    }
    set_hold(&mut raw, None);
    let stored = cluster.update_deployment(CONTROLLER, workload, precondition, raw)?;
    is_projected(&stored.raw)
}

fn set_hold(raw: &mut Value, text: Option<&str>) {
    match text {
        Some(text) => raw["metadata"]["annotations"][HOLD_ANNOTATION] = json!(text),
        None => {
            if let Some(annotations) = raw["metadata"]["annotations"].as_object_mut() {
                annotations.remove(HOLD_ANNOTATION);
            }
        }
    }
}

/// The webhook stood in the path of the write that stored this.
fn is_projected(raw: &Value) -> Result<(), Failure> {
    let carried = match Hold::of(raw) {
        Reading::Hold(hold) => hold.template.is_some(),
        _ => false,
    };
    if admission::is_projected(raw) && !carried { Ok(()) } else { Err(Failure::WebhookAbsent) }
}

/// The status as it comes back from the apiserver: times lose what is below a second.
pub fn on_the_wire(status: &RolloutStatus) -> RolloutStatus {
    let json = serde_json::to_value(status).unwrap_or_default();
    serde_json::from_value(json).unwrap_or_default()
}
