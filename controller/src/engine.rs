//! The leader's loop: watch events make Rollouts due, due Rollouts get their turns. Owns the
//! watches, and the turns and questions that are running, all in one task; dropping it stops
//! everything.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{AbortHandle, BoxStream, FuturesUnordered, SelectAll, abortable};
use futures::{Future, Stream, StreamExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use plan::Ask;
use plan::observed::Answered;
use runtime::{Shutdown, chain, clock};
use tokio::time::sleep_until;

use crate::key::Key;
use crate::question;
use crate::queue::{Next, Queue};
use crate::raw::{Kind, Raw};
use crate::reconcile::{Context, reconcile};
use crate::world::{Demand, Scope, Source, World};

/// A watch is renewed so often, and given up when nothing came for a little longer: a connection
/// that died without a word is noticed then.
const WATCH_SECONDS: u32 = 60;
/// Lists come in pieces: a page of objects is all that is ever held whole.
const PAGE: u32 = 25;

type Seen = (Source, watcher::Result<Event<Raw>>);
type Question = std::pin::Pin<Box<dyn Future<Output = (Key, Answered)> + Send>>;
type Turn = std::pin::Pin<Box<dyn Future<Output = (Key, Next)> + Send>>;

/// The watches, by what they watch.
#[derive(Default)]
struct Watches {
    streams: SelectAll<BoxStream<'static, Seen>>,
    stops: HashMap<Source, AbortHandle>,
}

/// Leads until the process stops, then finishes the turns that are running.
pub async fn run(context: Arc<Context>, concurrency: usize, shutdown: &Shutdown) {
    let mut watches = Watches::default();
    for (source, scope) in World::standing() {
        watches.start(&context, source, &scope);
    }
    let mut queue = Queue::default();
    let mut turns: FuturesUnordered<Turn> = FuturesUnordered::new();
    let mut questions: FuturesUnordered<Question> = FuturesUnordered::new();
    let mut synced = false;
    while !shutdown.is_stopping() {
        for demand in context.with_world(World::take_demands) {
            watches.follow(&context, demand);
        }
        for (key, ask) in context.with_world(World::take_questions) {
            questions.push(question(Arc::clone(&context), key, ask));
        }
        while synced && turns.len() < concurrency {
            let Some(key) = queue.take(clock::instant()) else { break };
            turns.push(turn(Arc::clone(&context), key));
        }
        let due = if synced && turns.len() < concurrency { queue.next_due() } else { None };
        tokio::select! {
            biased;
            // All arms are cancel-safe: streams and sets keep what was not taken, the others hold
            // nothing.
            () = shutdown.stopping() => break,
            Some((key, next)) = turns.next() => queue.done(&key, next, clock::instant()),
            Some((key, answered)) = questions.next() => {
                context.with_world(|world| world.answered(&key, answered));
                queue.add(&key, clock::instant());
            }
            Some((source, event)) = watches.streams.next() => {
                for key in take_in(&context, &source, event) {
                    queue.add(&key, clock::instant());
                }
                if !synced && context.with_world(|world| world.is_synced()) {
                    synced = true;
                    let keys = context.with_world(|world| world.keys());
                    tracing::info!(rollouts = keys.len(), "all read, beginning");
                    keys.iter().for_each(|key| queue.add(key, clock::instant()));
                }
            }
            () = context.demand.notified() => {}
            () = until(due) => {}
        }
    }
    drop((watches, questions));
    while turns.next().await.is_some() {}
}

async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn turn(context: Arc<Context>, key: Key) -> Turn {
    Box::pin(async move {
        let next = reconcile(&context, &key).await;
        (key, next)
    })
}

fn question(context: Arc<Context>, key: Key, ask: Ask) -> Question {
    Box::pin(async move {
        let answered = question::ask(&context, &key.namespace, ask).await;
        (key, answered)
    })
}

/// Shows an event to the world; returns the Rollouts that it matters to.
fn take_in(context: &Context, source: &Source, event: watcher::Result<Event<Raw>>) -> Vec<Key> {
    match event {
        Ok(event) => context.with_world(|world| world.apply(source, &event)),
        Err(error) if is_no_such_kind(&error) => {
            let lost = context.with_world(|world| world.lost_kind(source));
            if !lost.is_empty() {
                tracing::warn!(?source, "no such kind is installed, waiting for it");
            }
            lost
        }
        Err(error) => {
            tracing::warn!(?source, error = %chain(&error), "watch interrupted, resuming");
            context.metrics.error("watch");
            Vec::new()
        }
    }
}

/// A list of a whole kind is not found only where there is no such kind.
pub fn is_no_such_kind(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status)) => status.code == 404,
        _ => false,
    }
}

impl Watches {
    fn follow(&mut self, context: &Context, demand: Demand) {
        match demand {
            Demand::Start(source, scope) => self.start(context, source, &scope),
            Demand::Stop(source) => {
                if let Some(stop) = self.stops.remove(&source) {
                    stop.abort();
                }
            }
        }
    }

    fn start(&mut self, context: &Context, source: Source, scope: &Scope) {
        let named = source.clone();
        let stream = watch(context, &source, scope).map(move |event| (named.clone(), event));
        let (stream, stop) = abortable(stream);
        self.streams.push(stream.boxed());
        if let Some(other) = self.stops.insert(source, stop) {
            other.abort();
        }
    }
}

fn watch(
    context: &Context,
    source: &Source,
    scope: &Scope,
) -> impl Stream<Item = watcher::Result<Event<Raw>>> + Send + use<> {
    let kind = match source {
        Source::Rollouts => Kind::Rollout,
        Source::Armed(kind) | Source::Workload(kind, _) => Kind::Workload(*kind),
        Source::Kept => Kind::ControllerRevision,
        Source::Sets(kind, _) => Kind::of_revisions(*kind),
        Source::Pods(_) => Kind::Pod,
        Source::Services(_) => Kind::Service,
        Source::Slices(_) => Kind::EndpointSlice,
        Source::Routes(kind, _) => Kind::Route(*kind),
    };
    let client = context.cluster.client();
    let config = watcher::Config::default().page_size(PAGE).timeout(WATCH_SECONDS);
    let (api, config) = match scope {
        Scope::All => (kind.all(client), config),
        Scope::Labelled(labels) => (kind.all(client), config.labels(labels)),
        Scope::Named(key) => {
            let fields = format!("metadata.name={}", key.name);
            (kind.within(client, &key.namespace), config.fields(&fields))
        }
        Scope::Selected { namespace, selector } => {
            (kind.within(client, namespace), config.labels(selector))
        }
    };
    watcher(api, config).default_backoff()
}

#[cfg(test)]
mod tests;
