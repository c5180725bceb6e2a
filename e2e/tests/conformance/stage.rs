//! The Deployments of this test and their ReplicaSets, as watches show them. Data and reading only.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use kube::core::NamespaceResourceScope;
use kube::runtime::watcher::{Config, Event};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use plan::sim::conformance::{Size, Sizes, image};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What is known of one life.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The Deployment's status.observedGeneration.
    pub observed: i64,
    sets: BTreeMap<String, Set>,
}

#[derive(Clone, Debug, PartialEq)]
struct Set {
    image: String,
    size: Size,
    /// Its status speaks of its spec, and as many pods are there as were asked for.
    settled: bool,
}

/// All lives, by name.
type Lives = Arc<Mutex<BTreeMap<String, watch::Sender<Seen>>>>;

/// The cluster as this test sees it. Dropping it ends the watches.
pub struct Stage {
    /// The Deployments.
    pub deployments: Api<Deployment>,
    lives: Lives,
    _watches: JoinSet<()>,
}

impl Stage {
    /// Watches a namespace.
    pub fn new(client: &Client, namespace: &str) -> Self {
        let lives = Lives::default();
        let mut watches = JoinSet::new();
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
        let sets: Api<ReplicaSet> = Api::namespaced(client.clone(), namespace);
        watches.spawn(follow(deployments.clone(), Arc::clone(&lives)));
        watches.spawn(follow(sets, Arc::clone(&lives)));
        Self { deployments, lives, _watches: watches }
    }

    /// What is seen of a life, and will be.
    pub fn watch(&self, life: &str) -> watch::Receiver<Seen> {
        sender(&self.lives, life).subscribe()
    }
}

impl Seen {
    /// The ReplicaSets once the Deployment's controller has acted on `generation` and theirs on it.
    pub fn settled(&self, generation: i64) -> Option<Sizes> {
        let settled = self.observed >= generation && self.sets.values().all(|set| set.settled);
        let used = || self.sets.values().filter(|set| set.size.replicas > 0);
        settled.then(|| used().map(|set| (set.image.clone(), set.size)).collect())
    }
}

fn sender(lives: &Lives, life: &str) -> watch::Sender<Seen> {
    let mut lives = lives.lock().unwrap_or_else(PoisonError::into_inner);
    lives.entry(life.to_owned()).or_insert_with(|| watch::Sender::new(Seen::default())).clone()
}

/// A kind that is followed.
trait Followed:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// The life that it belongs to.
    fn life(&self) -> Option<String>;
    fn appears(&self, seen: &mut Seen);
    fn goes(&self, seen: &mut Seen);
}

impl Followed for Deployment {
    fn life(&self) -> Option<String> {
        Some(self.name_any())
    }

    fn appears(&self, seen: &mut Seen) {
        let status = self.status.as_ref();
        seen.observed = status.and_then(|status| status.observed_generation).unwrap_or(0);
    }

    fn goes(&self, _: &mut Seen) {}
}

impl Followed for ReplicaSet {
    fn life(&self) -> Option<String> {
        self.labels().get("life").cloned()
    }

    fn appears(&self, seen: &mut Seen) {
        seen.sets.insert(self.name_any(), Set::of(self));
    }

    fn goes(&self, seen: &mut Seen) {
        seen.sets.remove(&self.name_any());
    }
}

impl Set {
    fn of(set: &ReplicaSet) -> Self {
        let spec = set.spec.as_ref();
        let status = set.status.clone().unwrap_or_default();
        let replicas = spec.and_then(|spec| spec.replicas).unwrap_or(1);
        let template = spec.and_then(|spec| spec.template.clone());
        let template = serde_json::to_value(template).unwrap_or_default();
        Self {
            image: image(&template),
            size: Size {
                replicas,
                ready: status.ready_replicas.unwrap_or(0),
                available: status.available_replicas.unwrap_or(0),
            },
            settled: status.observed_generation == set.metadata.generation
                && status.replicas == replicas,
        }
    }
}

async fn follow<K: Followed>(api: Api<K>, lives: Lives) {
    let mut events = watcher(api, Config::default()).default_backoff().boxed();
    loop {
        // A failed watch is begun again by the stream itself, with a new list. What went meanwhile
        // was an empty ReplicaSet, which counts for nothing.
        let Ok(event) = events.try_next().await else { continue };
        match event {
            None => return,
            Some(Event::Apply(object) | Event::InitApply(object)) => {
                show(&lives, &object, K::appears);
            }
            Some(Event::Delete(object)) => show(&lives, &object, K::goes),
            Some(Event::Init | Event::InitDone) => {}
        }
    }
}

fn show<K: Followed>(lives: &Lives, object: &K, change: fn(&K, &mut Seen)) {
    let Some(life) = object.life() else { return };
    sender(lives, &life).send_if_modified(|seen| {
        let before = seen.clone();
        change(object, seen);
        *seen != before
    });
}
