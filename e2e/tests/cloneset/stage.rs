//! A namespace with one CloneSet, and waits for what it comes to.

use std::collections::BTreeMap;
use std::pin::pin;

use e2e::app::App;
use e2e::cluster;
use e2e::failure::{Failure, Outcome};
use e2e::kubectl::{Kubectl, Said};
use e2e::scenario::{PATIENCE, create_namespace};
use e2e::view::{is_live, is_ready};
use futures::{StreamExt, stream};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::runtime::watcher::Config;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tokio::time::timeout;

pub struct Stage {
    pub kubectl: Kubectl,
    pods: Api<Pod>,
    sets: Api<DynamicObject>,
    history: Api<ControllerRevision>,
}

/// The set and its live pods at one moment.
pub struct Sight {
    pub set: Value,
    pub pods: Vec<Pod>,
}

/// Plays a test in a namespace of its own that goes afterwards.
pub async fn play(name: &str, body: impl AsyncFnOnce(&Stage) -> Outcome) -> Outcome {
    let client = cluster::connect().await?;
    let namespace = create_namespace(&client, name).await?;
    let stage = Stage::new(&client, &namespace);
    let played = body(&stage).await;
    let namespaces: Api<Namespace> = Api::all(client);
    // A namespace that stays behind is untidy, not wrong.
    let _ = namespaces.delete(&namespace, &DeleteParams::default()).await;
    played
}

/// The CloneSet of an application, with this update strategy.
pub fn clone_set(app: &App, strategy: &Value) -> Value {
    let mut manifest = app.manifest();
    manifest["apiVersion"] = json!("apps.kruise.io/v1alpha1");
    manifest["kind"] = json!("CloneSet");
    manifest["spec"]["updateStrategy"] = strategy.clone();
    manifest
}

impl Stage {
    fn new(client: &Client, namespace: &str) -> Self {
        let kind = GroupVersionKind::gvk("apps.kruise.io", "v1alpha1", "CloneSet");
        let resource = ApiResource::from_gvk(&kind);
        Self {
            kubectl: Kubectl::new(namespace),
            pods: Api::namespaced(client.clone(), namespace),
            sets: Api::namespaced_with(client.clone(), namespace, &resource),
            history: Api::namespaced(client.clone(), namespace),
        }
    }

    pub async fn apply(&self, manifest: &Value) -> Outcome {
        self.kubectl.feed(&["apply", "-f", "-"], manifest).await.map(drop)
    }

    /// A merge patch of the spec.
    pub async fn patch(&self, spec: &Value) -> Outcome {
        self.try_patch(spec).await?.fine().map(drop)
    }

    pub async fn try_patch(&self, spec: &Value) -> Outcome<Said> {
        let patch = json!({ "spec": spec }).to_string();
        let args = ["patch", "clonesets/web", "--type", "merge", "--patch", &patch];
        self.kubectl.try_run(&args, None).await
    }

    pub async fn scale(&self, replicas: usize) -> Outcome {
        let replicas = format!("--replicas={replicas}");
        self.kubectl.run(&["scale", "clonesets/web", &replicas]).await.map(drop)
    }

    /// As many ready pods of the versions as are named, and a status that knows it.
    pub async fn settles(&self, versions: &[(&str, usize)]) -> Outcome<Sight> {
        let wanted: BTreeMap<String, usize> =
            versions.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let what = format!("a settled {wanted:?}");
        self.until(&what, |sight| sight.is_settled() && sight.versions() == wanted).await
    }

    /// Waits until the set and its pods are as they have to be.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Sight) -> bool) -> Outcome<Sight> {
        let sets = watcher(self.sets.clone(), Config::default()).default_backoff().map(drop);
        let pods = watcher(self.pods.clone(), Config::default()).default_backoff().map(drop);
        let mut changes = pin!(stream::select(sets, pods));
        let mut last = String::new();
        let seen = async {
            loop {
                let sight = self.look().await?;
                if wanted(&sight) {
                    return Ok(sight);
                }
                last = sight.to_string();
                changes.next().await;
            }
        };
        match timeout(PATIENCE, seen).await {
            Ok(seen) => seen,
            Err(_) => Err(Failure::Deadline {
                what: what.to_owned(),
                seconds: PATIENCE.as_secs(),
                state: last,
            }),
        }
    }

    pub async fn look(&self) -> Outcome<Sight> {
        let set = self.sets.get("web").await.map_err(Failure::doing("reading the set"))?;
        let pods = self.pods.list(&ListParams::default()).await;
        let mut pods = pods.map_err(Failure::doing("listing pods"))?.items;
        pods.retain(is_live);
        let set = serde_json::to_value(set).map_err(|error| Failure::Wrong(error.to_string()))?;
        Ok(Sight { set, pods })
    }

    /// The names of the set's revisions.
    pub async fn revisions(&self) -> Outcome<Vec<String>> {
        let listed = self.history.list(&ListParams::default()).await;
        let listed = listed.map_err(Failure::doing("listing revisions"))?;
        Ok(listed.items.iter().map(ResourceExt::name_any).collect())
    }

    /// Some event of the set has this reason.
    pub async fn has_event(&self, reason: &str) -> Outcome<bool> {
        let selector = format!("involvedObject.kind=CloneSet,reason={reason}");
        let args = ["get", "events", "--field-selector", &selector];
        let events = self.kubectl.json(&args, None).await?;
        Ok(events["items"].as_array().is_some_and(|found| !found.is_empty()))
    }
}

impl Sight {
    pub fn status(&self, field: &str) -> &Value {
        &self.set["status"][field]
    }

    /// The controller has made its pass on this spec, and all pods that it wants are ready.
    pub fn is_settled(&self) -> bool {
        let wanted = &self.set["spec"]["replicas"];
        self.is_observed()
            && self.status("replicas") == wanted
            && self.status("availableReplicas") == wanted
            && self.pods.iter().all(is_ready)
            && json!(self.pods.len()) == *wanted
    }

    /// The status speaks of this spec.
    pub fn is_observed(&self) -> bool {
        *self.status("observedGeneration") == self.set["metadata"]["generation"]
    }

    /// How many pods of each version there are.
    pub fn versions(&self) -> BTreeMap<String, usize> {
        let mut versions = BTreeMap::new();
        for pod in &self.pods {
            *versions.entry(version(pod)).or_default() += 1;
        }
        versions
    }

    /// The names of the pods, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.pods.iter().map(ResourceExt::name_any).collect();
        names.sort();
        names
    }
}

impl std::fmt::Display for Sight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "generation {}, status {}",
            self.set["metadata"]["generation"], self.set["status"]
        )?;
        for pod in &self.pods {
            let (name, version) = (pod.name_any(), version(pod));
            writeln!(f, "  {name} {version} ready={} {:?}", is_ready(pod), pod.labels())?;
        }
        Ok(())
    }
}

/// The version that a pod was made with.
pub fn version(pod: &Pod) -> String {
    let containers = pod.spec.as_ref().map_or(&[][..], |spec| &spec.containers);
    let mut env = containers.iter().filter_map(|container| container.env.as_ref()).flatten();
    let version = env.find(|variable| variable.name == "VERSION");
    version.and_then(|variable| variable.value.clone()).unwrap_or_default()
}
