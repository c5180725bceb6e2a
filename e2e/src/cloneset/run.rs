//! The loop: watches say which sets may need a pass, and one set after the other gets one.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::DynamicObject;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{Config, Event};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::calls::Cluster;
use super::names::{INSTANCE_ID, KIND};
use super::queue::{Key, Queue};
use super::reconcile::reconcile;

/// Why the double does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no way to a cluster.
    #[error("no cluster: {0}")]
    NoCluster(#[source] kube::config::InferConfigError),
    /// The client cannot be made.
    #[error("no client: {0}")]
    NoClient(#[source] Box<kube::Error>),
}

/// Runs until it is told to stop, whether or not there is a CRD.
///
/// # Errors
/// There is no way to a cluster at all.
pub async fn run(stop: CancellationToken) -> Result<(), RunError> {
    let config = kube::Config::infer().await.map_err(RunError::NoCluster)?;
    let client = Client::try_from(config).map_err(|error| RunError::NoClient(Box::new(error)))?;
    let (seen, keys) = unbounded_channel();
    let mut watches = JoinSet::new();
    let sets: Api<DynamicObject> = Api::all_with(client.clone(), &Cluster::resource());
    watches.spawn(follow(sets, Config::default(), seen.clone(), key_of_set));
    // Every pod of a set has an id; one that loses it is seen to go.
    let labelled = Config::default().labels(INSTANCE_ID);
    watches.spawn(follow(Api::<Pod>::all(client.clone()), labelled, seen, key_of_owner));
    tracing::info!("running");
    stop.run_until_cancelled(passes(&Cluster::new(client), keys)).await;
    Ok(())
}

async fn passes(cluster: &Cluster, mut keys: UnboundedReceiver<Key>) {
    let mut queue = Queue::default();
    loop {
        let next = queue.next();
        let due = next.as_ref().map(|(_, at)| *at);
        tokio::select! {
            biased;
            Some(key) = keys.recv() => queue.add(key, Instant::now()),
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                if let Some((key, _)) = next {
                    pass(cluster, &mut queue, key).await;
                }
            }
            else => return,
        }
    }
}

async fn pass(cluster: &Cluster, queue: &mut Queue, key: Key) {
    queue.take(&key);
    match reconcile(cluster, &key).await {
        Ok(again) => {
            queue.succeeded(&key);
            if let Some(wait) = again {
                queue.add(key, Instant::now() + wait);
            }
        }
        Err(error) => {
            tracing::warn!(set = %key, error = ?error.to_string(), "the pass failed");
            queue.failed(key, Instant::now());
        }
    }
}

fn key_of_set(set: &DynamicObject) -> Option<Key> {
    Some(Key { namespace: set.namespace()?, name: set.name_any() })
}

fn key_of_owner(pod: &Pod) -> Option<Key> {
    let owners = pod.metadata.owner_references.as_ref()?;
    let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
    let is_ours = owner.kind == KIND;
    is_ours
        .then(|| Key { namespace: pod.namespace().unwrap_or_default(), name: owner.name.clone() })
}

/// Follows one kind for ever; a watch that fails, as one without a CRD does, is begun again.
async fn follow<K>(
    api: Api<K>,
    config: Config,
    seen: UnboundedSender<Key>,
    key: fn(&K) -> Option<Key>,
) where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let mut events = watcher(api, config).backoff(Patience::default()).boxed();
    let mut known: BTreeSet<Key> = BTreeSet::new();
    let mut complaint = String::new();
    loop {
        let object = match events.try_next().await {
            Ok(Some(Event::InitApply(object) | Event::Apply(object) | Event::Delete(object))) => {
                object
            }
            Ok(Some(Event::Init)) => {
                // What went while nobody looked is on no list.
                std::mem::take(&mut known).into_iter().for_each(|key| drop(seen.send(key)));
                continue;
            }
            Ok(Some(Event::InitDone)) => continue,
            Ok(None) => return,
            Err(error) => {
                // Without a CRD it says the same every second.
                let words = error.to_string();
                if words != complaint {
                    tracing::warn!(error = ?words, "a watch failed");
                    complaint = words;
                }
                continue;
            }
        };
        if let Some(key) = key(&object) {
            known.insert(key.clone());
            let _ = seen.send(key);
        }
    }
}

/// Waits longer and longer, and never long: the CRD may come back at any time.
#[derive(Debug)]
struct Patience(Duration);

impl Patience {
    const SHORTEST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(1);
}

impl Default for Patience {
    fn default() -> Self {
        Self(Self::SHORTEST)
    }
}

impl Iterator for Patience {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = self.0;
        self.0 = (wait * 2).min(Self::LONGEST);
        Some(wait)
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {
        *self = Self::default();
    }
}
