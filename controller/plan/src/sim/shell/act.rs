//! From a plan's actions to API writes, one each (Disarm: one for each object), and what their
//! answers show. No choice is made here.

use std::collections::VecDeque;
use std::rc::Rc;

use crds::contract::{HOLD_ANNOTATION, PREFIX};
use crds::{Hold, Revision};
use serde_json::Value;

use super::{Caches, Failure, HoldRequest, Request, SetChange, Shell};
use crate::sim::cluster::objects::Pod;
use crate::sim::cluster::{Cluster, Precondition, Refused};
use crate::{Action, Observed, Plan, TemplateFrom, WriteHold};

impl Shell {
    /// The writes of a plan; true if one of the actions cannot even be sent.
    pub(super) fn requests(
        &mut self,
        cluster: &Cluster,
        seen: &Observed,
        plan: &Plan,
    ) -> (VecDeque<Request>, bool) {
        let mut requests = VecDeque::new();
        for action in &plan.actions {
            let Some(more) = self.writes_of(cluster, seen, action) else {
                return (requests, true);
            };
            requests.extend(more);
        }
        self.saboteur.distort_requests(&mut requests);
        (requests, false)
    }

    fn writes_of(
        &self,
        cluster: &Cluster,
        seen: &Observed,
        action: &Action,
    ) -> Option<Vec<Request>> {
        let rollout: Rc<str> = seen.rollout.name.as_str().into();
        let workload: Rc<str> = seen.rollout.spec.workload_ref.name.as_str().into();
        let at_uid = |uid: &str| Precondition { uid: Some(uid.into()), ..Precondition::default() };
        let finalizer = |wanted| {
            let version = self.caches.rollouts.get(&rollout)?.meta.version;
            let precondition = Precondition::version(version);
            Some(vec![Request::Finalizer { rollout: Rc::clone(&rollout), precondition, wanted }])
        };
        match action {
            Action::AddFinalizer => finalizer(true),
            Action::RemoveFinalizer => finalizer(false),
            Action::Arm { uid } => {
                let precondition = at_uid(uid);
                Some(vec![Request::Arm { workload, precondition, rollout }])
            }
            Action::Disarm { uid } => {
                let mut writes = strip_sets(cluster, uid);
                writes.push(Request::Disarm { workload, precondition: at_uid(uid) });
                Some(writes)
            }
            Action::WriteHold(write) => {
                Some(vec![Request::Hold(hold_request(cluster, workload, write)?)])
            }
            Action::RepairSet { set, uid, resource_version, min_ready_seconds } => {
                let change = SetChange::Repair(*min_ready_seconds);
                Some(vec![change_set(set, uid, resource_version, change)])
            }
            Action::ResizeSet { set, uid, was, replicas, desired, max } => {
                let (was, replicas, desired, max) = (*was, *replicas, *desired, *max);
                let change = SetChange::Resize { was, replicas, desired, max };
                let precondition =
                    Precondition { uid: Some(uid.as_str().into()), ..Precondition::default() };
                Some(vec![Request::Set { set: set.as_str().into(), precondition, change }])
            }
            Action::DeletePod { pod, uid, resource_version } => {
                let (uid, version) = (uid.clone(), Some(resource_version.clone()));
                Some(vec![Request::DeletePod { pod: pod.as_str().into(), uid, version }])
            }
            // The model has no routes.
            Action::WriteRoute { .. }
            | Action::CreateService { .. }
            | Action::DeleteService { .. }
            | Action::WriteCanary { .. }
            | Action::DropCanary { .. } => None,
            Action::KeepTemplate { revision, set } => {
                let template = Rc::clone(&cluster.sets.get(set)?.template);
                let name = format!("{rollout}-{revision}").into();
                let owner = seen.rollout.uid.as_str().into();
                Some(vec![Request::Keep { name, owner, revision: revision.clone(), template }])
            }
            Action::DropTemplate { name } => {
                Some(vec![Request::Drop { name: name.as_str().into() }])
            }
        }
    }
}

fn change_set(set: &str, uid: &str, version: &str, change: SetChange) -> Request {
    let precondition = Precondition {
        uid: Some(uid.into()),
        // A version that is no number is one that never was.
        version: Some(version.parse().unwrap_or(u64::MAX)),
        ..Precondition::default()
    };
    Request::Set { set: set.into(), precondition, change }
}

/// Live, because ReplicaSets need not be watched.
fn strip_sets(cluster: &Cluster, owner: &str) -> Vec<Request> {
    let mine = cluster.sets.iter().filter(|set| *set.owner == *owner);
    let marked = mine.filter(|set| set.annotations.keys().any(|key| key.starts_with(PREFIX)));
    marked
        .map(|set| Request::Set {
            set: Rc::clone(&set.meta.name),
            precondition: Precondition {
                uid: Some(Rc::clone(&set.meta.uid)),
                ..Precondition::default()
            },
            change: SetChange::Strip,
        })
        .collect()
}

fn hold_request(cluster: &Cluster, workload: Rc<str>, write: &WriteHold) -> Option<HoldRequest> {
    let text = match (&write.hold, &write.payload) {
        (Some(hold), Some(payload)) => {
            let template = fetch(cluster, &payload.from)?;
            if Revision::of_template(&template) != payload.revision {
                return None;
            }
            let template = Some(Value::clone(&template));
            Some(Hold { template, ..hold.clone() }.to_text())
        }
        (Some(hold), None) => Some(hold.to_text()),
        (None, _) => None,
    };
    let precondition = Precondition {
        uid: Some(write.uid.as_str().into()),
        version: None,
        generation: Some(write.generation),
        annotation: Some((HOLD_ANNOTATION, write.was.clone())),
    };
    Some(HoldRequest { workload, precondition, text, may_write_fields: write.may_write_fields })
}

fn fetch(cluster: &Cluster, from: &TemplateFrom) -> Option<Rc<Value>> {
    match from {
        TemplateFrom::Kept(name) => Some(Rc::clone(&cluster.kept.get(name)?.template)),
        TemplateFrom::Set(name) => Some(Rc::clone(&cluster.sets.get(name)?.template)),
    }
}

impl Caches {
    /// Shows the object as an answer shows it: as it is now, where the write was done, and where
    /// it was refused for old knowledge (the real shell reads it again then).
    pub(super) fn take_answer(
        &mut self,
        cluster: &Cluster,
        request: &Request,
        answer: &Result<(), Failure>,
    ) {
        let outdated = matches!(
            answer,
            Ok(())
                | Err(Failure::WebhookAbsent
                    | Failure::Refused(
                        Refused::Conflict | Refused::NotFound | Refused::AlreadyExists
                    ))
        );
        if !outdated {
            return;
        }
        match request {
            Request::Finalizer { rollout, .. } | Request::Status { rollout, .. } => {
                match cluster.rollouts.get(rollout) {
                    Some(object) => self.rollouts.wrote(object),
                    None => self.rollouts.dropped(rollout),
                }
            }
            Request::Arm { workload, .. }
            | Request::Disarm { workload, .. }
            | Request::Patch { workload, .. }
            | Request::Hold(HoldRequest { workload, .. })
            | Request::Retreat(HoldRequest { workload, .. }) => {
                match cluster.deployments.get(workload) {
                    Some(object) => self.deployments.wrote(object),
                    None => self.deployments.dropped(workload),
                }
            }
            Request::Set { set, .. } if self.sets_synced => match cluster.sets.get(set) {
                Some(object) => self.sets.wrote(object),
                None => self.sets.dropped(set),
            },
            Request::Set { .. } => {}
            Request::DeletePod { pod, uid, .. } => self.take_deleted(cluster, pod, uid),
            Request::Keep { name, .. } | Request::Drop { name } => match cluster.kept.get(name) {
                Some(object) => self.kept.wrote(object),
                None => self.kept.dropped(name),
            },
        }
    }

    /// The pod is not counted any more; one that has changed stays until the watch shows it.
    fn take_deleted(&mut self, cluster: &Cluster, pod: &str, uid: &str) {
        let is = |seen: &Pod| *seen.meta.uid == *uid;
        let stays = cluster.pods.get(pod).is_some_and(|seen| is(seen) && seen.is_active());
        if !stays && self.pods.get(pod).is_some_and(|seen| is(seen)) {
            self.pods.dropped(pod);
        }
    }
}
