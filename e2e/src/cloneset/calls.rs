//! Every call to the apiserver. Owns no decision; reads are live, so that nothing is ever done on
//! what a cache has not heard of yet.

use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{ApiResource, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{GroupVersionKind, ObjectMeta};
use kube::{Api, Client, Error, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::events::{Note, event};
use super::names::{GROUP, KIND, PLURAL, VERSION};
use super::queue::Key;
use super::spec::{CloneSet, Spec};
use super::status::Status;

/// How often a status is written anew when somebody else wrote meanwhile.
const ATTEMPTS: usize = 5;

/// An object whose fields are JSON.
pub type Object = kube::api::DynamicObject;

/// A call that failed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {}", words(.source))]
pub struct CallError {
    doing: &'static str,
    #[source]
    source: Box<Error>,
}

/// What the apiserver said, without the rest of its answer.
fn words(error: &Error) -> String {
    match error {
        Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

impl CallError {
    fn doing(doing: &'static str) -> impl FnOnce(Error) -> Self {
        move |source| Self { doing, source: Box::new(source) }
    }

    fn code(&self) -> u16 {
        if let Error::Api(status) = self.source.as_ref() { status.code } else { 0 }
    }

    /// Something of that name is there already.
    pub fn is_taken(&self) -> bool {
        self.code() == 409
    }
}

pub type Called<T = ()> = Result<T, CallError>;

/// The apiserver.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
}

impl Cluster {
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    pub fn resource() -> ApiResource {
        let kind = GroupVersionKind::gvk(GROUP, VERSION, KIND);
        ApiResource::from_gvk_with_plural(&kind, PLURAL)
    }

    fn sets(&self, namespace: &str) -> Api<Object> {
        Api::namespaced_with(self.client.clone(), namespace, &Self::resource())
    }

    fn pods(&self, namespace: &str) -> Api<Pod> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn history(&self, namespace: &str) -> Api<ControllerRevision> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The set, unless there is none, or no CRD.
    pub async fn set(&self, key: &Key) -> Called<Option<CloneSet>> {
        let doing = "reading the set";
        let found = self.sets(&key.namespace).get(&key.name).await;
        let object = match found.map_err(CallError::doing(doing)) {
            Ok(object) => object,
            Err(error) if error.code() == 404 => return Ok(None),
            Err(error) => return Err(error),
        };
        let spec: Spec = field(&object, "spec").map_err(CallError::doing(doing))?;
        let status: Status = field(&object, "status").map_err(CallError::doing(doing))?;
        Ok(Some(CloneSet { metadata: object.metadata, spec, status }))
    }

    /// All pods of a namespace.
    pub async fn all_pods(&self, namespace: &str) -> Called<Vec<Pod>> {
        let listed = self.pods(namespace).list(&ListParams::default()).await;
        Ok(listed.map_err(CallError::doing("listing pods"))?.items)
    }

    /// The revisions with these labels.
    pub async fn revisions(&self, key: &Key, labels: &str) -> Called<Vec<ControllerRevision>> {
        let params = ListParams::default().labels(labels);
        let listed = self.history(&key.namespace).list(&params).await;
        Ok(listed.map_err(CallError::doing("listing revisions"))?.items)
    }

    pub async fn revision(&self, key: &Key, name: &str) -> Called<ControllerRevision> {
        let found = self.history(&key.namespace).get(name).await;
        found.map_err(CallError::doing("reading a revision"))
    }

    pub async fn create_revision(
        &self,
        key: &Key,
        entry: &ControllerRevision,
    ) -> Called<ControllerRevision> {
        let created = self.history(&key.namespace).create(&PostParams::default(), entry).await;
        created.map_err(CallError::doing("creating a revision"))
    }

    pub async fn renumber_revision(
        &self,
        key: &Key,
        name: &str,
        number: i64,
    ) -> Called<ControllerRevision> {
        let patch = Patch::Merge(json!({ "revision": number }));
        let history = self.history(&key.namespace);
        let patched = history.patch(name, &PatchParams::default(), &patch).await;
        patched.map_err(CallError::doing("renumbering a revision"))
    }

    pub async fn delete_revision(&self, key: &Key, name: &str) -> Called {
        let deleted = self.history(&key.namespace).delete(name, &DeleteParams::default()).await;
        deleted.map(drop).map_err(CallError::doing("deleting a revision"))
    }

    /// A pod as JSON: its template may have fields that no type here knows.
    pub async fn create_pod(&self, key: &Key, pod: &Value) -> Called {
        let doing = "creating a pod";
        let resource = ApiResource::erase::<Pod>(&());
        let pods: Api<Object> =
            Api::namespaced_with(self.client.clone(), &key.namespace, &resource);
        let pod = serde_json::from_value(pod.clone()).map_err(Error::SerdeError);
        let pod = pod.map_err(CallError::doing(doing))?;
        let created = pods.create(&PostParams::default(), &pod).await;
        created.map(drop).map_err(CallError::doing(doing))
    }

    pub async fn delete_pod(&self, key: &Key, name: &str) -> Called {
        let deleted = self.pods(&key.namespace).delete(name, &DeleteParams::default()).await;
        deleted.map(drop).map_err(CallError::doing("deleting a pod"))
    }

    pub async fn patch_pod(&self, key: &Key, name: &str, patch: &Value) -> Called {
        let patch = Patch::Strategic(patch);
        let patched = self.pods(&key.namespace).patch(name, &PatchParams::default(), &patch).await;
        patched.map(drop).map_err(CallError::doing("patching a pod"))
    }

    pub async fn patch_pod_status(&self, key: &Key, name: &str, patch: &Value) -> Called<Pod> {
        let patch = Patch::Strategic(patch);
        let pods = self.pods(&key.namespace);
        let patched = pods.patch_status(name, &PatchParams::default(), &patch).await;
        patched.map_err(CallError::doing("patching a pod's status"))
    }

    /// Puts a whole status in the place of the old one.
    pub async fn write_status(&self, key: &Key, status: &Status) -> Called {
        let sets = self.sets(&key.namespace);
        let mut attempt = 1;
        loop {
            match replace_status(&sets, key, status).await {
                Err(error) if error.is_taken() && attempt < ATTEMPTS => attempt += 1,
                done => return done,
            }
        }
    }

    /// Leaves only these names in podsToDelete, unless the set has changed since it was read.
    pub async fn keep_names(&self, key: &Key, read: &ObjectMeta, names: &[&str]) -> Called {
        let names = if names.is_empty() { Value::Null } else { json!(names) };
        let patch = json!({
            "metadata": { "resourceVersion": read.resource_version },
            "spec": { "scaleStrategy": { "podsToDelete": names } },
        });
        let sets = self.sets(&key.namespace);
        let patched = sets.patch(&key.name, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.map(drop).map_err(CallError::doing("rewriting podsToDelete"))
    }

    /// Says it in the cluster's events. One that is lost is no loss.
    pub async fn note(&self, set: &CloneSet, notes: &[Note], now: Timestamp) {
        let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let params = PostParams::default();
        let made: Vec<Event> =
            notes.iter().enumerate().map(|(place, note)| event(set, note, place, now)).collect();
        join_all(made.iter().map(|event| events.create(&params, event))).await;
    }
}

async fn replace_status(sets: &Api<Object>, key: &Key, status: &Status) -> Called {
    let doing = "writing the status";
    let found = sets.get_opt(&key.name).await.map_err(CallError::doing(doing))?;
    let Some(mut object) = found else { return Ok(()) };
    object.data["status"] = as_json(status).map_err(CallError::doing(doing))?;
    let replaced = sets.replace_status(&object.name_any(), &PostParams::default(), &object).await;
    replaced.map(drop).map_err(CallError::doing(doing))
}

fn as_json(value: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(Error::SerdeError)
}

fn field<T: Default + DeserializeOwned>(object: &Object, name: &str) -> Result<T, Error> {
    let value = object.data.get(name).cloned();
    value
        .map_or_else(|| Ok(T::default()), |value| serde_json::from_value(value))
        .map_err(Error::SerdeError)
}
