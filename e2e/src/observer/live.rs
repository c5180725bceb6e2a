//! The observer on a real cluster: feeds the judge from watches, and lets a test wait for a state
//! of the live objects. Every wait ends at once when an invariant is broken.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crds::Rollout;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::ListParams;
use kube::core::NamespaceResourceScope;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch_of};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::requests::Traffic;
use super::sequencer::Sequencer;
use super::{Judge, Sighting, Told, Wishes};
use crate::clock;
use crate::crd::{CloneSet, HttpRoute};
use crate::failure::{Failure, Outcome};
use crate::view::{View, as_deployment, daemon_as_deployment};

/// What can be seen at one moment.
pub struct Sight<'a> {
    /// The live objects.
    pub view: &'a View,
    /// The judge.
    pub judge: &'a Judge,
}

/// How often waiting events are given to the judge.
const TICK: Duration = Duration::from_millis(50);

/// A judge with its watches. Dropping it ends them.
pub struct Observer {
    shared: Arc<Shared>,
    client: Client,
    namespace: String,
    _watches: JoinSet<()>,
}

struct Shared {
    begun: Instant,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

struct State {
    judge: Judge,
    sequencer: Sequencer,
    view: View,
    /// The newest version that each watch has shown.
    newest: BTreeMap<Cow<'static, str>, u64>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge_due(&self) {
        let now = self.begun.elapsed();
        let mut state = self.lock();
        let due = state.sequencer.due(now);
        due.into_iter().for_each(|(at, sighting)| state.judge.see(at, sighting));
        if state.judge.violation().is_some() {
            self.changed.send_replace(());
        }
    }
}

impl State {
    fn arrive<K: Watched>(&mut self, now: Duration, version: u64, sighting: Option<Sighting>) {
        if let Some(sighting) = sighting {
            self.sequencer.arrive(now, version, sighting);
        }
        let newest = self.newest.entry(K::kind(&())).or_default();
        *newest = version.max(*newest);
    }

    fn judge_all(&mut self) {
        let all = self.sequencer.flush();
        all.into_iter().for_each(|(at, sighting)| self.judge.see(at, sighting));
    }
}

impl Observer {
    /// Watches `namespace`, whose one workload has so many replicas.
    #[must_use]
    pub fn start(client: &Client, namespace: &str, wishes: Wishes, replicas: i32) -> Self {
        let state = State {
            judge: Judge::new(wishes, replicas),
            sequencer: Sequencer::default(),
            view: View::default(),
            newest: BTreeMap::new(),
        };
        let shared = Arc::new(Shared {
            begun: Instant::now(),
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
        });
        let mut watches = JoinSet::new();
        let all = (client.clone(), namespace);
        watches.spawn(follow(api::<Pod>(&all), Arc::clone(&shared)));
        watches.spawn(follow(api::<ReplicaSet>(&all), Arc::clone(&shared)));
        watches.spawn(follow(api::<Deployment>(&all), Arc::clone(&shared)));
        watches.spawn(follow(api::<StatefulSet>(&all), Arc::clone(&shared)));
        watches.spawn(follow(api::<CloneSet>(&all), Arc::clone(&shared)));
        watches.spawn(follow(api::<HttpRoute>(&all), Arc::clone(&shared)));
        watches.spawn(follow(api::<Ingress>(&all), Arc::clone(&shared)));
        watches.spawn(follow(api::<EndpointSlice>(&all), Arc::clone(&shared)));
        watches.spawn(follow(api::<DaemonSet>(&all), Arc::clone(&shared)));
        watches.spawn(follow(api::<Rollout>(&all), Arc::clone(&shared)));
        watches.spawn(tick(Arc::clone(&shared)));
        Self { shared, client: client.clone(), namespace: namespace.to_owned(), _watches: watches }
    }

    /// Tells the judge something.
    pub fn tell(&self, told: &Told) {
        let now = self.shared.begun.elapsed();
        let mut state = self.shared.lock();
        state.judge_all();
        state.judge.tell(now, told);
    }

    /// Looks at the live objects, with the judge's knowledge of everything that has arrived.
    pub fn look<T>(&self, question: impl FnOnce(&Sight<'_>) -> T) -> T {
        let mut state = self.shared.lock();
        state.judge_all();
        question(&Sight { view: &state.view, judge: &state.judge })
    }

    /// The story so far.
    #[must_use]
    pub fn timeline(&self) -> String {
        self.look(|sight| sight.judge.timeline().to_string())
    }

    /// Waits until `wanted` has an answer. What the test has done before is seen by then: a view
    /// from before a write would show the end of the release before.
    ///
    /// # Errors
    /// An invariant was broken meanwhile, or there is no answer in time.
    pub async fn until<T>(
        &self,
        patience: Duration,
        what: &str,
        mut wanted: impl FnMut(&Sight<'_>) -> Option<T>,
    ) -> Outcome<T> {
        self.see_all(patience).await?;
        let mut changed = self.shared.changed.subscribe();
        let answer = async {
            loop {
                {
                    let state = self.shared.lock();
                    if let Some(violation) = state.judge.violation() {
                        return Err(Failure::Violation(violation.clone()));
                    }
                    let sight = Sight { view: &state.view, judge: &state.judge };
                    if let Some(answer) = wanted(&sight) {
                        return Ok(answer);
                    }
                }
                // The sender lives as long as self.
                let _ = changed.changed().await;
            }
        };
        match timeout(patience, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::Deadline {
                what: what.to_owned(),
                seconds: patience.as_secs(),
                state: self.look(|sight| sight.view.to_string()),
            }),
        }
    }

    /// Waits until the judge has judged everything that has happened so far.
    ///
    /// # Errors
    /// An invariant was broken, or the watches do not catch up.
    pub async fn catch_up(&self, patience: Duration) -> Outcome {
        self.see_all(patience).await?;
        let mut state = self.shared.lock();
        state.judge_all();
        match state.judge.violation() {
            Some(violation) => Err(Failure::Violation(violation.clone())),
            None => Ok(()),
        }
    }

    /// Waits until the watches have shown everything that has happened so far.
    async fn see_all(&self, patience: Duration) -> Outcome {
        self.see::<Pod>(patience).await?;
        self.see::<ReplicaSet>(patience).await?;
        self.see::<Deployment>(patience).await?;
        self.see::<StatefulSet>(patience).await?;
        self.see::<CloneSet>(patience).await?;
        self.see::<HttpRoute>(patience).await?;
        self.see::<Ingress>(patience).await?;
        self.see::<EndpointSlice>(patience).await?;
        self.see::<DaemonSet>(patience).await?;
        self.see::<Rollout>(patience).await
    }

    async fn see<K: Watched>(&self, patience: Duration) -> Outcome {
        let api: Api<K> = Api::namespaced(self.client.clone(), &self.namespace);
        let parameters = ListParams::default();
        let listed = api.list(&parameters).await;
        // A kind that is not installed has nothing to show.
        if matches!(&listed, Err(kube::Error::Api(status)) if status.code == 404) {
            return Ok(());
        }
        let listed = listed.map_err(Failure::doing("listing what was watched"))?;
        // A watch shows its kind in the order of the versions.
        let newest = listed.items.iter().map(version).max().unwrap_or(0);
        let shared = Arc::clone(&self.shared);
        let seen = || shared.lock().newest.get(&K::kind(&())).copied().unwrap_or(0);
        let mut changed = self.shared.changed.subscribe();
        let caught_up = async {
            while seen() < newest {
                let _ = changed.changed().await;
            }
        };
        timeout(patience, caught_up).await.map_err(|_| Failure::Deadline {
            what: "the watches to catch up".to_owned(),
            seconds: patience.as_secs(),
            state: self.look(|sight| sight.view.to_string()),
        })
    }
}

async fn tick(shared: Arc<Shared>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.judge_due();
    }
}

fn version(object: &impl ResourceExt) -> u64 {
    object.resource_version().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// A kind that is watched.
trait Watched:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    fn of(view: &View) -> &BTreeMap<String, Self>;
    fn of_mut(view: &mut View) -> &mut BTreeMap<String, Self>;
    /// What the judge is to see of it.
    fn sighting(&self) -> Option<Sighting>;
    /// What the judge is to see when it is gone.
    fn gone(name: &str) -> Option<Sighting>;
    /// Where else it is shown.
    fn mirror(_view: &mut View, _name: &str) {}
}

macro_rules! watched {
    ($kind:ty, $field:ident, $sighting:expr, $gone:expr) => {
        impl Watched for $kind {
            fn of(view: &View) -> &BTreeMap<String, Self> {
                &view.$field
            }
            fn of_mut(view: &mut View) -> &mut BTreeMap<String, Self> {
                &mut view.$field
            }
            fn sighting(&self) -> Option<Sighting> {
                $sighting(self)
            }
            fn gone(name: &str) -> Option<Sighting> {
                $gone(name)
            }
        }
    };
}

watched!(Pod, pods, |pod| Some(Sighting::pod(pod, clock::now())), |name: &str| Some(
    Sighting::PodGone(name.to_owned())
));
watched!(ReplicaSet, sets, |set| Some(Sighting::from(set)), |name: &str| Some(Sighting::SetGone(
    name.to_owned()
)));
macro_rules! watched_traffic {
    ($kind:ty, $field:ident, $gone:expr) => {
        watched!(
            $kind,
            $field,
            |object| Some(Sighting::Traffic(Traffic::from(object))),
            |name: &str| Some(Sighting::Traffic($gone(name)))
        );
    };
}

watched_traffic!(HttpRoute, routes, |name: &str| Traffic::RouteGone(format!("route {name}")));
watched_traffic!(Ingress, ingresses, |name: &str| Traffic::RouteGone(format!("ingress {name}")));
watched_traffic!(EndpointSlice, slices, |name: &str| Traffic::EndpointsGone(name.to_owned()));
impl Watched for StatefulSet {
    fn of(view: &View) -> &BTreeMap<String, Self> {
        &view.stateful
    }

    fn of_mut(view: &mut View) -> &mut BTreeMap<String, Self> {
        &mut view.stateful
    }

    fn sighting(&self) -> Option<Sighting> {
        Some(Sighting::from(self))
    }

    fn gone(_: &str) -> Option<Sighting> {
        Some(Sighting::DeploymentGone)
    }

    fn mirror(view: &mut View, name: &str) {
        match view.stateful.get(name).map(as_deployment) {
            Some(shape) => view.deployments.insert(name.to_owned(), shape),
            None => view.deployments.remove(name),
        };
    }
}

impl Watched for CloneSet {
    fn of(view: &View) -> &BTreeMap<String, Self> {
        &view.clonesets
    }

    fn of_mut(view: &mut View) -> &mut BTreeMap<String, Self> {
        &mut view.clonesets
    }

    fn sighting(&self) -> Option<Sighting> {
        Some(Sighting::from(self))
    }

    fn gone(_: &str) -> Option<Sighting> {
        Some(Sighting::DeploymentGone)
    }

    fn mirror(view: &mut View, name: &str) {
        match view.clonesets.get(name).map(Self::as_deployment) {
            Some(shape) => view.deployments.insert(name.to_owned(), shape),
            None => view.deployments.remove(name),
        };
    }
}

impl Watched for DaemonSet {
    fn of(view: &View) -> &BTreeMap<String, Self> {
        &view.daemonsets
    }

    fn of_mut(view: &mut View) -> &mut BTreeMap<String, Self> {
        &mut view.daemonsets
    }

    fn sighting(&self) -> Option<Sighting> {
        Some(Sighting::from(self))
    }

    fn gone(_: &str) -> Option<Sighting> {
        Some(Sighting::DeploymentGone)
    }

    fn mirror(view: &mut View, name: &str) {
        match view.daemonsets.get(name).map(daemon_as_deployment) {
            Some(shape) => view.deployments.insert(name.to_owned(), shape),
            None => view.deployments.remove(name),
        };
    }
}

watched!(Deployment, deployments, |deployment| Some(Sighting::from(deployment)), |_: &str| Some(
    Sighting::DeploymentGone
));
// What Sluice itself says is shown to waits, never to the judge.
watched!(Rollout, rollouts, |_: &Rollout| None, |_: &str| None);

fn api<K: Watched>((client, namespace): &(Client, &str)) -> Api<K> {
    Api::namespaced(client.clone(), namespace)
}

/// Follows one kind for as long as the observer lives.
async fn follow<K: Watched>(api: Api<K>, shared: Arc<Shared>) {
    let mut events = watch_of(api, watcher::Config::default()).default_backoff().boxed();
    let mut listed = BTreeSet::new();
    let mut newest = 0;
    loop {
        // A failed watch is begun again by the stream itself, with a new list.
        let Ok(event) = events.try_next().await else { continue };
        match event {
            None => return,
            Some(Event::Init) => listed.clear(),
            Some(Event::InitApply(item)) => {
                newest = newest.max(version(&item));
                listed.insert(item.name_any());
                shared.put(item);
            }
            Some(Event::InitDone) => shared.keep::<K>(&listed, newest),
            Some(Event::Apply(item)) => shared.put(item),
            Some(Event::Delete(item)) => shared.take::<K>(&item.name_any(), version(&item)),
        }
    }
}

impl Shared {
    fn put<K: Watched>(&self, item: K) {
        let now = self.begun.elapsed();
        let mut state = self.lock();
        state.arrive::<K>(now, version(&item), item.sighting());
        let name = item.name_any();
        K::of_mut(&mut state.view).insert(name.clone(), item);
        K::mirror(&mut state.view, &name);
        drop(state);
        self.changed.send_replace(());
    }

    fn take<K: Watched>(&self, name: &str, version: u64) {
        let now = self.begun.elapsed();
        let mut state = self.lock();
        state.arrive::<K>(now, version, K::gone(name));
        K::of_mut(&mut state.view).remove(name);
        K::mirror(&mut state.view, name);
        drop(state);
        self.changed.send_replace(());
    }

    /// A new list: what is not on it is gone.
    fn keep<K: Watched>(&self, listed: &BTreeSet<String>, newest: u64) {
        let names: Vec<String> = K::of(&self.lock().view).keys().cloned().collect();
        for name in names.iter().filter(|name| !listed.contains(*name)) {
            self.take::<K>(name, newest);
        }
    }
}
