//! Says what is seen: the Rollout's status, Events and notices. A status is written only if it says
//! something else than before; an Event that cannot be delivered is lost, and counted.

use std::time::Duration;

use crds::RolloutStatus;
use crds::contract::{CONTROLLER_MANAGER, GROUP, VERSION};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::api::Patch;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use plan::observed::RolloutFacts;
use plan::{Fact, Observed, Plan, Turn};
use runtime::{chain, clock};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::cluster::{CallError, Write, add, test};
use crate::key::{Key, Target};
use crate::metrics::Metrics;
use crate::notify::Notice;
use crate::raw::Kind;
use crate::reconcile::Context;

/// More than this at once is no news any more.
const EVENTS_MAX: usize = 256;
const EVENT_CALL: Duration = Duration::from_secs(5);
/// People do not read Events this fast, and a release moves while one would be written.
const EVENT_DELAY: Duration = Duration::from_millis(250);
/// The API's limit of `note`.
const NOTE_BYTES_MAX: usize = 1024;

/// A turn and what it is about.
#[derive(Debug)]
pub struct News {
    turn: Turn,
    /// The Rollout; the workload where that has none.
    regarding: ObjectReference,
    /// The workload of a Rollout.
    related: Option<ObjectReference>,
}

/// Writes the plan's status if it differs; true if it did.
pub async fn publish(context: &Context, seen: &Observed, plan: &Plan) -> Result<bool, CallError> {
    let key = Key::new(&seen.rollout.namespace, &seen.rollout.name);
    let differs = plan.status != seen.rollout.status;
    if differs {
        let version = context.with_world(|world| {
            let (_, version) = world.rollout(&key)?;
            Some(version.to_owned())
        });
        let version = version.ok_or(CallError::Gone)?;
        let raw = context.cluster.patch(status_write(key.clone(), &version, &plan.status)).await?;
        context.with_world(|world| world.wrote_rollout(&raw));
        for (_, one) in plan::measured_between(&seen.rollout.status, &plan.status) {
            context.metrics.measured(one.verdict);
        }
    }
    for turn in &plan.events {
        tracing::info!(rollout = %key, reason = turn.reason, turn.message);
        spread(context, news(seen, turn.clone()));
    }
    Ok(differs)
}

/// Hands news on to those who tell them. Nobody is waited for.
fn spread(context: &Context, news: News) {
    let News { turn, regarding, related } = &news;
    context.outbox.push(Notice::new(turn, regarding, related.as_ref(), clock::now()));
    if context.news.try_send(news).is_err() {
        context.metrics.error("event");
    }
}

/// The status as one value: fields that are gone from it go.
fn status_write(key: Key, version: &str, status: &RolloutStatus) -> Write {
    let patch =
        vec![test(["metadata", "resourceVersion"], json!(version)), add(["status"], json!(status))];
    Write {
        kind: Kind::Rollout,
        key,
        status: true,
        patch: Patch::<Value>::Json(json_patch::Patch(patch)),
        manager: CONTROLLER_MANAGER,
        label: "status",
    }
}

/// Tells of a workload that has no Rollout.
pub fn orphan(context: &Context, target: &Target, uid: &str, turn: Turn) {
    let workload = &target.key;
    tracing::info!(%workload, reason = turn.reason, turn.message);
    let regarding = ObjectReference {
        api_version: Some(target.kind.api_version().to_owned()),
        kind: Some(target.kind.as_str().to_owned()),
        namespace: Some(workload.namespace.clone()),
        name: Some(workload.name.clone()),
        uid: Some(uid.to_owned()),
        ..ObjectReference::default()
    };
    spread(context, News { turn, regarding, related: None });
}

fn news(seen: &Observed, turn: Turn) -> News {
    let RolloutFacts { namespace, name, uid, spec, .. } = &seen.rollout;
    let workload = match &seen.workload {
        Fact::Known(workload) => Some(workload.uid.clone()),
        Fact::Absent | Fact::Unknown(_) => None,
    };
    News {
        turn,
        regarding: ObjectReference {
            api_version: Some(format!("{GROUP}/{VERSION}")),
            kind: Some("Rollout".to_owned()),
            namespace: Some(namespace.clone()),
            name: Some(name.clone()),
            uid: Some(uid.clone()),
            ..ObjectReference::default()
        },
        related: Some(ObjectReference {
            api_version: Some(spec.workload_ref.api_version.clone()),
            kind: Some(spec.workload_ref.kind.clone()),
            namespace: Some(namespace.clone()),
            name: Some(spec.workload_ref.name.clone()),
            uid: workload,
            ..ObjectReference::default()
        }),
    }
}

/// The way of news to [`tell`].
pub fn channel() -> (mpsc::Sender<News>, mpsc::Receiver<News>) {
    mpsc::channel(EVENTS_MAX)
}

/// Writes Events a moment after they come, beside the releases: none of those waits for one.
pub async fn tell(client: Client, me: &str, mut news: mpsc::Receiver<News>, metrics: &Metrics) {
    while let Some(first) = news.recv().await {
        sleep(EVENT_DELAY).await;
        let mut next = Some(first);
        while let Some(one) = next {
            deliver(&client, me, one, metrics).await;
            next = news.try_recv().ok();
        }
    }
}

async fn deliver(client: &Client, me: &str, news: News, metrics: &Metrics) {
    let News { turn, regarding, related } = news;
    // A recorder remembers what it told and counts it up instead of telling it again, whatever the
    // note says; here every turn is news.
    let reporter =
        Reporter { controller: CONTROLLER_MANAGER.to_owned(), instance: Some(me.to_owned()) };
    let recorder = Recorder::new(client.clone(), reporter);
    let event = event(&turn, related);
    let told = timeout(EVENT_CALL, recorder.publish(&event, &regarding)).await;
    match told {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(reason = turn.reason, error = %chain(&error), "event lost");
            metrics.error("event");
        }
        Err(_) => {
            tracing::warn!(reason = turn.reason, "event lost: no answer in time");
            metrics.error("event");
        }
    }
}

fn event(turn: &Turn, secondary: Option<ObjectReference>) -> Event {
    let mut note = turn.message.clone();
    if note.len() > NOTE_BYTES_MAX {
        note.truncate(note.floor_char_boundary(NOTE_BYTES_MAX));
    }
    Event {
        type_: if turn.warning { EventType::Warning } else { EventType::Normal },
        reason: turn.reason.to_owned(),
        note: Some(note),
        action: turn.reason.to_owned(),
        secondary,
    }
}

#[cfg(test)]
mod tests;
