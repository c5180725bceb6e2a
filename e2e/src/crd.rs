//! Kinds that come with CRDs, as the observer reads them. Reading only.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;
use serde_json::Value;

/// A CloneSet of OpenKruise.
#[derive(Clone, Debug, Deserialize)]
pub struct CloneSet {
    /// metadata.
    pub metadata: ObjectMeta,
    /// spec.
    #[serde(default)]
    pub spec: Value,
    /// status.
    #[serde(default)]
    pub status: Value,
}

impl CloneSet {
    /// What the waits of a test look at.
    #[must_use]
    pub fn as_deployment(&self) -> Deployment {
        fn field<T: serde::de::DeserializeOwned + Default>(spec: &Value, name: &str) -> T {
            serde_json::from_value(spec[name].clone()).unwrap_or_default()
        }
        let spec = DeploymentSpec {
            replicas: field(&self.spec, "replicas"),
            selector: field(&self.spec, "selector"),
            template: field(&self.spec, "template"),
            ..DeploymentSpec::default()
        };
        let observed_generation = self.status["observedGeneration"].as_i64();
        let status = DeploymentStatus { observed_generation, ..DeploymentStatus::default() };
        Deployment { metadata: self.metadata.clone(), spec: Some(spec), status: Some(status) }
    }
}

/// A route of the Gateway API.
#[derive(Clone, Debug, Deserialize)]
pub struct HttpRoute {
    /// metadata.
    pub metadata: ObjectMeta,
    /// spec.
    #[serde(default)]
    pub spec: Value,
}

macro_rules! resource {
    ($type:ty, $group:literal, $version:literal, $kind:literal, $plural:literal) => {
        impl Resource for $type {
            type DynamicType = ();
            type Scope = NamespaceResourceScope;

            fn kind((): &()) -> Cow<'_, str> {
                $kind.into()
            }

            fn group((): &()) -> Cow<'_, str> {
                $group.into()
            }

            fn version((): &()) -> Cow<'_, str> {
                $version.into()
            }

            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

resource!(CloneSet, "apps.kruise.io", "v1alpha1", "CloneSet", "clonesets");
resource!(HttpRoute, "gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes");
