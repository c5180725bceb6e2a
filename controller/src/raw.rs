//! A cluster object exactly as the apiserver serves it. Typed structs would drop fields they do
//! not know, and with them change the revision of a template. Owns reading, not meaning.

use std::borrow::Cow;

use crds::{RouteRef, WorkloadKind};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{
    ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet,
};
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{ApiResource, DynamicResourceScope, GroupVersionKind};
use kube::{Api, Client, Resource};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::key::Key;

/// An object as JSON, with its metadata read once.
#[derive(Clone, Debug)]
pub struct Raw {
    metadata: ObjectMeta,
    value: Value,
}

/// A resourceVersion that can be compared, where the server's are numbers (etcd's always are).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version(Option<u64>);

/// The kinds of objects that the controller reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Our own.
    Rollout,
    /// A workload of this kind.
    Workload(WorkloadKind),
    /// Of a Deployment in a release.
    ReplicaSet,
    /// Of a workload in a release.
    Pod,
    /// A kept template, or a revision of a StatefulSet, CloneSet or DaemonSet.
    ControllerRevision,
    /// Of a Rollout with routes in a release: the user's, and ours.
    Service,
    /// Of a Service of ours.
    EndpointSlice,
    /// Of a Rollout with routes in a release: the user's, and canary Ingresses of ours.
    Route(RouteKind),
}

/// The kinds of routes, which the cluster may not have all of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteKind {
    /// HTTPRoute.
    Http,
    /// GRPCRoute.
    Grpc,
    /// Ingress.
    Ingress,
}

impl RouteKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Http, Self::Grpc, Self::Ingress];

    /// What a Rollout names.
    pub fn of(route: &RouteRef) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == route.kind)
    }

    /// Its kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTPRoute",
            Self::Grpc => "GRPCRoute",
            Self::Ingress => "Ingress",
        }
    }

    /// What a Rollout names one with.
    pub fn reference(self, name: &str) -> RouteRef {
        let api_version = self.resource().api_version;
        RouteRef { api_version, kind: self.name().to_owned(), name: name.to_owned() }
    }

    fn resource(self) -> ApiResource {
        match self {
            Self::Http | Self::Grpc => ApiResource::from_gvk(&GroupVersionKind::gvk(
                "gateway.networking.k8s.io",
                "v1",
                self.name(),
            )),
            Self::Ingress => ApiResource::erase::<Ingress>(&()),
        }
    }
}

/// A kind that k8s-openapi does not know.
fn of_crd(kind: WorkloadKind) -> ApiResource {
    let (group, version) = kind.api_version().split_once('/').unwrap_or_default();
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind.as_str()))
}

impl Kind {
    /// The kind's API.
    pub fn resource(self) -> ApiResource {
        match self {
            Self::Rollout => ApiResource::erase::<crds::Rollout>(&()),
            Self::Workload(WorkloadKind::Deployment) => ApiResource::erase::<Deployment>(&()),
            Self::Workload(WorkloadKind::StatefulSet) => ApiResource::erase::<StatefulSet>(&()),
            Self::Workload(WorkloadKind::DaemonSet) => ApiResource::erase::<DaemonSet>(&()),
            Self::Workload(kind @ WorkloadKind::CloneSet) => of_crd(kind),
            Self::ReplicaSet => ApiResource::erase::<ReplicaSet>(&()),
            Self::Pod => ApiResource::erase::<Pod>(&()),
            Self::ControllerRevision => ApiResource::erase::<ControllerRevision>(&()),
            Self::Service => ApiResource::erase::<Service>(&()),
            Self::EndpointSlice => ApiResource::erase::<EndpointSlice>(&()),
            Self::Route(kind) => kind.resource(),
        }
    }

    /// What the pods of a workload of this kind are of: each has the template of one revision.
    pub fn of_revisions(workload: WorkloadKind) -> Self {
        match workload {
            WorkloadKind::Deployment => Self::ReplicaSet,
            WorkloadKind::StatefulSet | WorkloadKind::CloneSet | WorkloadKind::DaemonSet => {
                Self::ControllerRevision
            }
        }
    }

    /// The kind in all namespaces.
    pub fn all(self, client: Client) -> Api<Raw> {
        Api::all_with(client, &self.resource())
    }

    /// The kind in one namespace.
    pub fn within(self, client: Client, namespace: &str) -> Api<Raw> {
        Api::namespaced_with(client, namespace, &self.resource())
    }
}

impl Raw {
    /// An object from its JSON.
    pub fn new(mut value: Value) -> Result<Self, serde_json::Error> {
        // The largest part of the metadata, and nothing here reads it typed.
        let managed = value.pointer_mut("/metadata/managedFields").map(Value::take);
        let metadata = match value.get("metadata") {
            Some(metadata) => ObjectMeta::deserialize(metadata)?,
            None => ObjectMeta::default(),
        };
        if let (Some(place), Some(managed)) =
            (value.pointer_mut("/metadata/managedFields"), managed)
        {
            *place = managed;
        }
        Ok(Self { metadata, value })
    }

    /// All of it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Namespace and name.
    pub fn key(&self) -> Key {
        Key::new(
            self.metadata.namespace.as_deref().unwrap_or_default(),
            self.metadata.name.as_deref().unwrap_or_default(),
        )
    }

    /// metadata.uid.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// metadata.resourceVersion as text, for preconditions.
    pub fn resource_version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }

    /// metadata.resourceVersion, for comparisons.
    pub fn version(&self) -> Version {
        Version(self.resource_version().parse().ok())
    }

    /// metadata.creationTimestamp.
    pub fn created(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.metadata.labels.as_ref()?.get(name).map(String::as_str)
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// The uid of the owner that controls it.
    pub fn controller_uid(&self) -> Option<&str> {
        let owners = self.metadata.owner_references.as_ref()?;
        owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str())
    }
}

impl Version {
    /// This one is older than `other`. Versions that are no numbers have no order.
    pub fn is_before(self, other: Self) -> bool {
        matches!((self.0, other.0), (Some(this), Some(other)) if this < other)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl Resource for Raw {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
