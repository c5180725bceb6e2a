//! One Rollout's turn: observe -> plan -> execute -> publish, again at once as long as something
//! was written. The stages make no choice; the plan's are `plan`'s.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crds::WorkloadKind;
use jiff::Timestamp;
use plan::{Action, Observed, Plan};
use runtime::{Shutdown, chain, clock};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::cluster::{CallError, Cluster};
use crate::execute::{self, ExecuteError, execute};
use crate::hook::Hooks;
use crate::key::{Key, Target};
use crate::metrics::Metrics;
use crate::notify::Outbox;
use crate::orphan;
use crate::provider::Providers;
use crate::publish::{News, publish};
use crate::queue::Next;
use crate::raw::Kind;
use crate::world::World;

/// Rounds in one turn; an honest release writes in three or four of them. More means that a plan
/// does not see what it did: it goes on, but slower and slower.
const ROUNDS_MAX: usize = 12;
/// A plan that wants to be asked again at once would be asked for ever.
const WAKE_MIN: Duration = Duration::from_millis(20);

/// What a turn works with.
pub struct Context {
    /// Calls.
    pub cluster: Cluster,
    /// Knowledge.
    pub world: Arc<Mutex<World>>,
    /// Metrics.
    pub providers: Providers,
    /// Gates that are hooks.
    pub hooks: Hooks,
    /// Other watches are needed, or there are questions.
    pub demand: Notify,
    /// The way of Events.
    pub news: mpsc::Sender<News>,
    /// The way of notices.
    pub outbox: Arc<Outbox>,
    /// Counters.
    pub metrics: Metrics,
    /// A turn that is asked to stop ends after its round.
    pub shutdown: Shutdown,
    /// The planner.
    pub decide: fn(&Observed, Timestamp) -> Plan,
}

/// Why a turn failed.
#[derive(Debug, thiserror::Error)]
enum TurnError {
    #[error("an action failed")]
    Execute(#[source] ExecuteError),
    #[error("the status was not written")]
    Publish(#[source] CallError),
    #[error("the object could not be read again")]
    Reread(#[source] CallError),
    #[error("still writing after {ROUNDS_MAX} rounds")]
    Restless,
}

impl TurnError {
    fn kind(&self) -> &'static str {
        match self {
            Self::Execute(error) => error.kind(),
            Self::Publish(error) | Self::Reread(error) => error.kind(),
            Self::Restless => "restless",
        }
    }
}

impl Context {
    /// Looks at the world, or changes it. Never across an await.
    pub fn with_world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        // Whole between any two statements of its own, whoever panicked.
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for what a plan wants to know beside its writes.
    fn want(&self, key: &Key, plan: &Plan) {
        // What the status keeps of a release that has ended asks nothing.
        let gates = plan.status.gates.iter().filter(|_| plan.status.batch.is_some());
        let gates = gates.map(|gate| gate.name.as_str()).collect();
        let demands = self.with_world(|world| {
            world.want_sets(key, plan.watch_sets);
            world.want_routes(key, plan.watch_routes);
            world.want_answers(key, plan.asks.clone(), &gates);
            world.has_demands()
        });
        if demands {
            self.demand.notify_one();
        }
    }
}

/// A Rollout's turn; returns when it wants the next one. It ends with the orphans that have its
/// name on them, whether there is such a Rollout or not.
pub async fn reconcile(context: &Context, key: &Key) -> Next {
    let started = clock::instant();
    let next = match turn(context, key).await {
        Ok(next) => next,
        Err(error) => {
            tracing::warn!(rollout = %key, error = %chain(&error), "will retry");
            context.metrics.error(error.kind());
            Next::Retry
        }
    };
    let next = sooner(next, orphan::tend(context, key).await);
    context.metrics.reconciled(clock::instant() - started);
    next
}

fn sooner(next: Next, at: Option<Instant>) -> Next {
    match (next, at) {
        (Next::Wait | Next::Forget, Some(at)) => Next::At(at),
        (Next::At(next), Some(at)) => Next::At(next.min(at)),
        (Next::Retry, Some(_)) | (_, None) => next,
    }
}

async fn turn(context: &Context, key: &Key) -> Result<Next, TurnError> {
    for _ in 0..ROUNDS_MAX {
        let now = clock::now();
        let mut seen = match context.with_world(|world| world.observe(key)) {
            Some(Ok(seen)) => seen,
            Some(Err(unreadable)) => {
                tracing::error!(rollout = %key, %unreadable, "left alone: it cannot be read");
                context.metrics.error("unreadable");
                return Ok(Next::Wait);
            }
            None => return Ok(Next::Forget),
        };
        context.with_world(|world| world.date(key, &mut seen, now));
        tidy(context, key, &seen).await?;
        let plan = (context.decide)(&seen, now);
        context.want(key, &plan);
        let (executed, published) = write(context, &seen, &plan).await;
        let again = match (&executed, &published) {
            (Ok(()), Ok(status)) => *status || !plan.actions.is_empty(),
            _ => true,
        };
        if let Err(error) = executed {
            renew(context, key, error).await?;
        }
        match published {
            Ok(_) => {}
            Err(CallError::Gone) => return Ok(Next::Wait),
            Err(CallError::Stale(_)) => {
                reread(context, key, Kind::Rollout, key).await.map_err(TurnError::Reread)?;
            }
            Err(error) => return Err(TurnError::Publish(error)),
        }
        if !again || context.shutdown.is_stopping() {
            return Ok(plan.wake.map_or(Next::Wait, |wake| Next::At(monotonic(wake))));
        }
    }
    Err(TurnError::Restless)
}

/// The writes of a plan. Its actions and its status never wait for each other: a crash may fall
/// between them either way. Only where both write the Rollout itself one would make the other
/// stale.
async fn write(
    context: &Context,
    seen: &Observed,
    plan: &Plan,
) -> (Result<(), ExecuteError>, Result<bool, CallError>) {
    if plan.actions.iter().any(Action::is_on_rollout) {
        let executed = carry_out(context, seen, plan).await;
        return (executed, publish(context, seen, plan).await);
    }
    tokio::join!(carry_out(context, seen, plan), publish(context, seen, plan))
}

async fn carry_out(context: &Context, seen: &Observed, plan: &Plan) -> Result<(), ExecuteError> {
    for action in &plan.actions {
        tracing::debug!(rollout = seen.rollout.name, ?action, "action");
        execute(context, seen, action).await?;
    }
    Ok(())
}

/// After a failure: a plan made on old knowledge gets new knowledge, anything else has to wait.
async fn renew(context: &Context, key: &Key, error: ExecuteError) -> Result<(), TurnError> {
    let Some((kind, object)) = error.outdated() else { return Err(TurnError::Execute(error)) };
    tracing::debug!(rollout = %key, error = %chain(&error), "reading again");
    context.metrics.error(error.kind());
    reread(context, key, kind, object).await.map_err(TurnError::Reread)
}

/// Reads an object live, so that the next plan is not made on the same old knowledge.
async fn reread(context: &Context, key: &Key, kind: Kind, object: &Key) -> Result<(), CallError> {
    let raw = match context.cluster.get(kind, object).await {
        Ok(raw) => Some(raw),
        Err(CallError::Gone) => None,
        Err(error) => return Err(error),
    };
    context.with_world(|world| match (kind, &raw) {
        (Kind::Rollout, Some(raw)) => world.wrote_rollout(raw),
        (Kind::Workload(kind), Some(raw)) => world.wrote_workload(key, kind, raw),
        (Kind::Workload(kind), None) => {
            world.lost_workload(key, &Target::new(kind, object.clone()));
        }
        (Kind::ReplicaSet, Some(raw)) => world.wrote_set(key, WorkloadKind::Deployment, raw),
        (Kind::ReplicaSet, None) => world.lost_set(key, object),
        (Kind::ControllerRevision, Some(raw)) => world.wrote_kept(raw),
        (Kind::ControllerRevision, None) => world.dropped_kept(object),
        // The watch says when a Rollout is gone, and what became of a pod.
        (Kind::Rollout, None) | (Kind::Pod | Kind::EndpointSlice, _) => {}
        (Kind::Service, Some(raw)) => world.wrote_service(key, raw),
        (Kind::Service, None) => world.lost_service(key, object),
        (Kind::Route(kind), Some(raw)) => world.wrote_route(key, kind, raw),
        (Kind::Route(kind), None) => world.lost_route(key, kind, object),
    });
    Ok(())
}

/// A retreat that was cut short has left an owner of the user's fields behind.
async fn tidy(context: &Context, key: &Key, seen: &Observed) -> Result<(), TurnError> {
    let left = context.with_world(|world| world.workload(key).is_some_and(|seen| seen.retreated));
    if !left {
        return Ok(());
    }
    let Some(workload) = execute::target(seen) else { return Ok(()) };
    match execute::tidy(context, key, &workload).await {
        Err(error) if error.outdated().is_none() => Err(TurnError::Execute(error)),
        // Somebody else wrote: the next round looks again.
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The wall clock's moment as the monotonic clock's.
fn monotonic(wake: Timestamp) -> Instant {
    let left = wake.duration_since(clock::now());
    let left = Duration::try_from(left).unwrap_or_default();
    clock::instant() + left.max(WAKE_MIN)
}

#[cfg(test)]
mod tests;
