//! When things were seen to happen in one namespace: pods and Deployments as the watches of one
//! client show them. A moment is that of the event's arrival at that client, so that two moments
//! are compared on one clock and with the same way behind them. A watch that has to begin anew
//! has gaps: the record is then broken and says so.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crds::hold::Reading;
use crds::{Hold, Rollout};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::unmeasured;
use crate::failure::{Failure, Outcome};
use crate::view::{self, View};

/// Something that was seen for the first time.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// When it arrived.
    pub at: Instant,
    /// What.
    pub news: News,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A pod exists.
    Created(Named),
    /// A pod is ready.
    Ready(Named),
    /// A state of the Deployment.
    Deployment {
        /// The version in its template.
        version: String,
        /// The batch that its hold has let through; None without a hold.
        batch: Option<u32>,
        /// `kubectl rollout status` would be content.
        complete: bool,
    },
}

/// A pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The record of one namespace. Dropping it ends the watches.
pub struct Record {
    shared: Arc<Shared>,
    _watches: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    view: View,
    arrivals: Vec<Arrival>,
    broken: Option<String>,
}

impl Record {
    /// Watches `namespace`.
    #[must_use]
    pub fn start(client: &Client, namespace: &str) -> Self {
        let shared = Arc::new(Shared::default());
        let mut watches = JoinSet::new();
        let pods = Api::namespaced(client.clone(), namespace);
        let deployments = Api::namespaced(client.clone(), namespace);
        let rollouts = Api::namespaced(client.clone(), namespace);
        watches.spawn(follow(pods, Arc::clone(&shared), State::pod, State::pod_gone));
        let followed = follow(deployments, Arc::clone(&shared), State::deployment, State::ignore);
        watches.spawn(followed);
        watches.spawn(follow(rollouts, Arc::clone(&shared), State::rollout, State::ignore));
        Self { shared, _watches: watches }
    }

    /// Forgets what happened; what is there stays known.
    pub fn begin(&self) {
        self.shared.lock().arrivals.clear();
    }

    /// What happened since [`Self::begin`], in the order of arrival.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.shared.lock().arrivals.clone()
    }

    /// Waits until `wanted` holds of the live objects.
    ///
    /// # Errors
    /// It does not in time, or the record is broken.
    pub async fn until(
        &self,
        patience: Duration,
        what: &str,
        mut wanted: impl FnMut(&View) -> bool,
    ) -> Outcome {
        let mut changed = self.shared.changed.subscribe();
        let holds = async {
            loop {
                {
                    let state = self.shared.lock();
                    if let Some(why) = &state.broken {
                        return Err(unmeasured(format!("a watch was interrupted: {why}")));
                    }
                    if wanted(&state.view) {
                        return Ok(());
                    }
                }
                // The sender lives as long as self.
                let _ = changed.changed().await;
            }
        };
        timeout(patience, holds).await.unwrap_or_else(|_| {
            Err(Failure::Deadline {
                what: what.to_owned(),
                seconds: patience.as_secs(),
                state: self.shared.lock().view.to_string(),
            })
        })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.send_replace(());
    }
}

/// Follows one kind for as long as the record lives.
async fn follow<K>(
    api: Api<K>,
    shared: Arc<Shared>,
    put: fn(&mut State, Instant, K),
    gone: fn(&mut State, &str),
) where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
    K::DynamicType: Default + Clone,
{
    let mut events = watcher::watcher(api, watcher::Config::default()).boxed();
    loop {
        let event = events.try_next().await;
        let at = Instant::now();
        match event {
            Ok(Some(Event::Apply(item) | Event::InitApply(item))) => {
                shared.change(|state| put(state, at, item));
            }
            Ok(Some(Event::Delete(item))) => shared.change(|state| gone(state, &item.name_any())),
            Ok(Some(Event::Init | Event::InitDone)) => {}
            Ok(None) => return,
            Err(error) => {
                shared.change(|state| state.broken = Some(error.to_string()));
                return;
            }
        }
    }
}

impl State {
    fn pod(&mut self, at: Instant, pod: Pod) {
        let name = pod.name_any();
        let version = view::version(pod.spec.as_ref()).unwrap_or_default().to_owned();
        let named = Named { name: name.clone(), version };
        let before = self.view.pods.get(&name);
        let was_ready = before.is_some_and(view::is_ready);
        if before.is_none() {
            self.arrivals.push(Arrival { at, news: News::Created(named.clone()) });
        }
        if view::is_ready(&pod) && !was_ready {
            self.arrivals.push(Arrival { at, news: News::Ready(named) });
        }
        self.view.pods.insert(name, pod);
    }

    fn pod_gone(&mut self, name: &str) {
        self.view.pods.remove(name);
    }

    fn deployment(&mut self, at: Instant, deployment: Deployment) {
        let news = News::Deployment {
            version: version(&deployment).to_owned(),
            batch: batch(&deployment),
            complete: is_complete(&deployment),
        };
        self.arrivals.push(Arrival { at, news });
        self.view.deployments.insert(deployment.name_any(), deployment);
    }

    fn rollout(&mut self, _: Instant, rollout: Rollout) {
        self.view.rollouts.insert(rollout.name_any(), rollout);
    }

    fn ignore(&mut self, _: &str) {}
}

/// The version in a Deployment's template.
#[must_use]
pub fn version(deployment: &Deployment) -> &str {
    let template = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    view::version(template).unwrap_or_default()
}

/// The batch that the hold of a Deployment has let through, 0 before the first; None without one.
#[must_use]
pub fn batch(deployment: &Deployment) -> Option<u32> {
    let annotations = json!({"metadata": {"annotations": deployment.annotations()}});
    match Hold::of(&annotations) {
        Reading::Hold(hold) => hold.as_fenced().map(|held| held.batch),
        Reading::None | Reading::Newer(_) | Reading::Malformed(_) => None,
    }
}

/// The condition at which `kubectl rollout status` ends, written down from kubectl's own source:
/// the stock controller has seen the spec, and all pods are of the template and available.
#[must_use]
pub fn is_complete(deployment: &Deployment) -> bool {
    let Some(status) = &deployment.status else { return false };
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let updated = status.updated_replicas.unwrap_or(0);
    status.observed_generation >= deployment.metadata.generation
        && updated >= wanted
        && status.replicas.unwrap_or(0) <= updated
        && status.available_replicas.unwrap_or(0) >= updated
}
