//! Gives back the armed workloads that no Rollout names. It makes no choice but when to look: what
//! is done next is `plan`'s. A failure waits, and stands in nobody's way.

use std::time::Duration;

use plan::{Fact, GiveBack, Turn, give_back};
use runtime::{chain, clock};
use serde_json::Value;
use tokio::time::Instant;

use crate::execute::{self, ExecuteError, failed};
use crate::key::{Key, Target};
use crate::observe::WorkloadSeen;
use crate::publish;
use crate::raw::Kind;
use crate::reconcile::Context;

/// The stock controller copies a hold to its ReplicaSets as long as it knows it.
const COPY: Duration = Duration::from_secs(2);
/// After a failure, or where only somebody else can go on.
const LATER: Duration = Duration::from_secs(15);

/// Looks after the orphans whose label names `rollout`, which need not exist. Returns when to look
/// again, even if nothing happens.
pub async fn tend(context: &Context, rollout: &Key) -> Option<Instant> {
    let mut again: Option<Instant> = None;
    for (workload, rests_until) in context.with_world(|world| world.orphans(rollout)) {
        let now = clock::instant();
        let next = match rests_until.filter(|until| *until > now) {
            Some(until) => Some(until),
            None => match free(context, rollout, &workload).await {
                Ok(next) => next.map(|wait| now + wait),
                Err(error) => {
                    tracing::warn!(%workload, error = %chain(&error), "orphan kept, will retry");
                    context.metrics.error(error.kind());
                    Some(now + LATER)
                }
            },
        };
        if let Some(next) = next {
            context.with_world(|world| world.rest_orphan(&workload, next));
        }
        again = again.into_iter().chain(next).min();
    }
    again
}

/// One step; returns how long to wait for the next.
async fn free(
    context: &Context,
    rollout: &Key,
    target: &Target,
) -> Result<Option<Duration>, ExecuteError> {
    let seen = context.with_world(|world| world.armed(target).cloned());
    let Some(seen) = seen else { return Ok(None) };
    if is_named(context, target).await? {
        return Ok(Some(LATER));
    }
    if seen.retreated {
        execute::tidy(context, rollout, target).await?;
    }
    let workload = seen.workload(&rollout.name, Fact::Unknown("not watched".into()));
    match give_back(&workload) {
        GiveBack::Wait => Ok(Some(COPY)),
        GiveBack::Leave(why) => {
            tracing::warn!(workload = %target.key, why, "armed without a Rollout, and left alone");
            Ok(None)
        }
        GiveBack::Lift(write) => {
            execute::hold(context, rollout, target, &write).await?;
            tell(context, target, &seen, "its own fields are back");
            Ok(Some(COPY))
        }
        GiveBack::Disarm { uid } => {
            execute::strip_sets(context, rollout, target.kind, &uid, &seen.selector).await?;
            execute::unlabel(context, rollout, target, &uid).await?;
            tell(context, target, &seen, "updates are not held any more");
            Ok(None)
        }
    }
}

/// The watches may be behind, and what cannot be read may name it too: asks the apiserver.
async fn is_named(context: &Context, target: &Target) -> Result<bool, ExecuteError> {
    let workload = &target.key;
    let listed = context.cluster.list(Kind::Rollout, &workload.namespace, "").await;
    let rollouts = listed.map_err(failed("list_rollouts", Kind::Rollout, workload))?;
    let mut named = rollouts.iter().map(|raw| &raw.value()["spec"]["workloadRef"]);
    // One without a kind is none that could be read.
    let is_of = |kind: &Value| kind.is_null() || kind == target.kind.as_str();
    Ok(named.any(|named| named["name"] == workload.name && is_of(&named["kind"])))
}

fn tell(context: &Context, target: &Target, seen: &WorkloadSeen, what: &str) {
    let noun = target.kind.noun();
    let message = format!("no Rollout names this {noun} any more: {what}");
    let turn = Turn { reason: "Disarmed", message, warning: false };
    publish::orphan(context, target, &seen.uid, turn);
}

#[cfg(test)]
mod tests;
