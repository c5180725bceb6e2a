//! Carries out the actions of a plan, one API write each, and shows the result to `world` at once.
//! It makes no choice: what is written, and on which precondition, is the plan's.

mod canary;
mod pod;
mod retreat;
mod rollout;
mod route;
mod service;
mod set;
mod template;
mod workload;

use plan::{Action, Observed};

use crate::cluster::CallError;
use crate::key::{Key, Target};
use crate::raw::Kind;
use crate::reconcile::Context;

pub use retreat::tidy;
use workload::HoldAt;
pub use workload::{hold, strip_sets, unlabel};

/// Why an action failed.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// A call failed.
    #[error("{what} of {key}")]
    Call {
        /// The write.
        what: &'static str,
        /// The kind of the object.
        kind: Kind,
        /// The object.
        key: Key,
        /// Why.
        #[source]
        source: CallError,
    },
    /// The write came back without what project() makes of it: no webhook stood in its path.
    #[error("no webhook stood in the path of the write to {0}")]
    WebhookAbsent(Key),
    /// The user's Service selects no pods by itself.
    #[error("service {0} has no selector, so no Service for one revision can be made beside it")]
    Unselecting(Key),
    /// A template is not what the plan took it for.
    #[error("the template in {place} has revision {found}, not {wanted}")]
    OtherTemplate {
        /// Where it was looked for.
        place: Key,
        /// What is there.
        found: crds::Revision,
        /// What should be.
        wanted: crds::Revision,
    },
}

impl ExecuteError {
    /// A stable word for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Call { source, .. } => source.kind(),
            Self::WebhookAbsent(_) => "webhook_absent",
            Self::Unselecting(_) => "unselecting_service",
            Self::OtherTemplate { .. } => "other_template",
        }
    }

    /// The object that has to be read again before anything else: the plan was made on old
    /// knowledge of it.
    pub fn outdated(&self) -> Option<(Kind, &Key)> {
        match self {
            Self::Call { kind, key, source: CallError::Stale(_) | CallError::Gone, .. } => {
                Some((*kind, key))
            }
            _ => None,
        }
    }
}

/// What was to be done and to what, for errors.
pub fn failed<'a>(
    what: &'static str,
    kind: Kind,
    key: &'a Key,
) -> impl FnOnce(CallError) -> ExecuteError + 'a {
    move |source| ExecuteError::Call { what, kind, key: key.clone(), source }
}

/// Where the workload of a Rollout is.
pub fn target(seen: &Observed) -> Option<Target> {
    let reference = &seen.rollout.spec.workload_ref;
    let key = Key::new(&seen.rollout.namespace, &reference.name);
    Some(Target::new(reference.kind()?, key))
}

/// Carries out one action; returns once `world` knows the result.
///
/// # Errors
/// [`ExecuteError`]; nothing after the failed action may be carried out.
pub async fn execute(
    context: &Context,
    seen: &Observed,
    action: &Action,
) -> Result<(), ExecuteError> {
    let rollout = Key::new(&seen.rollout.namespace, &seen.rollout.name);
    // No plan writes to a workload whose kind nobody knows.
    let Some(target) = target(seen) else { return Ok(()) };
    match action {
        Action::AddFinalizer => rollout::finalizer(context, &rollout, true).await,
        Action::RemoveFinalizer => rollout::finalizer(context, &rollout, false).await,
        Action::Arm { uid } => workload::arm(context, &rollout, &target, uid).await,
        Action::Disarm { uid } => workload::disarm(context, &rollout, &target, uid).await,
        Action::WriteHold(write) => workload::hold(context, &rollout, &target, write).await,
        Action::RepairSet { set, uid, resource_version, min_ready_seconds } => {
            let key = Key::new(&rollout.namespace, set);
            let patch = set::repaired(uid, resource_version, *min_ready_seconds);
            set::write(context, &rollout, key, "repair_set", patch).await
        }
        Action::ResizeSet { set, uid, was, replicas, desired, max } => {
            let key = Key::new(&rollout.namespace, set);
            let patch = set::resized(uid, *was, *replicas, *desired, *max);
            set::write(context, &rollout, key, "resize_set", patch).await
        }
        Action::KeepTemplate { revision, set } => {
            template::keep(context, &seen.rollout, target.kind, revision, set).await
        }
        Action::DeletePod { pod, uid, resource_version } => {
            let key = Key::new(&rollout.namespace, pod);
            pod::delete(context, &rollout, key, uid, resource_version).await
        }
        Action::WriteRoute { route, uid, generation, was, hold } => {
            let at = HoldAt { uid, generation: *generation, was: was.as_deref() };
            route::write(context, &rollout, route, &at, hold.as_ref()).await
        }
        Action::CreateService { name, service, revision, pod_hash } => {
            let key = Key::new(&rollout.namespace, name);
            let user = Key::new(&rollout.namespace, service);
            let pods = service::Pods { kind: target.kind, revision, hash: pod_hash };
            service::create(context, &seen.rollout, &key, &user, &pods).await
        }
        Action::DeleteService { name, uid } => {
            service::delete(context, &rollout, &Key::new(&rollout.namespace, name), uid).await
        }
        Action::WriteCanary { route, uid, name } => {
            canary::write(context, &seen.rollout, route, uid, name).await
        }
        Action::DropCanary { route, name, uid } => {
            canary::delete(context, &rollout, route, name, uid).await
        }
        Action::DropTemplate { name } => {
            template::discard(context, &Key::new(&rollout.namespace, name)).await
        }
    }
}

#[cfg(test)]
mod tests;
