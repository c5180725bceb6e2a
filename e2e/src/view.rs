//! The live objects of one namespace, as watches show them. Data and reading only.

use std::collections::BTreeMap;
use std::fmt;

use crds::Rollout;
use crds::contract::HOLD_ANNOTATION;
use k8s_openapi::api::apps::v1::{
    DaemonSet, Deployment, DeploymentSpec, DeploymentStatus, ReplicaSet, StatefulSet,
};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use kube::ResourceExt;

use crate::crd::{CloneSet, HttpRoute};

/// The objects, by name.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Deployments, and the other kinds in the shape of one: so far they are alike here.
    pub deployments: BTreeMap<String, Deployment>,
    /// StatefulSets.
    pub stateful: BTreeMap<String, StatefulSet>,
    /// CloneSets.
    pub clonesets: BTreeMap<String, CloneSet>,
    /// Routes of the Gateway API.
    pub routes: BTreeMap<String, HttpRoute>,
    /// Ingresses.
    pub ingresses: BTreeMap<String, Ingress>,
    /// EndpointSlices.
    pub slices: BTreeMap<String, EndpointSlice>,
    /// DaemonSets.
    pub daemonsets: BTreeMap<String, DaemonSet>,
    /// ReplicaSets.
    pub sets: BTreeMap<String, ReplicaSet>,
    /// Pods.
    pub pods: BTreeMap<String, Pod>,
    /// Rollouts.
    pub rollouts: BTreeMap<String, Rollout>,
}

impl View {
    /// A Deployment that the stock controllers have caught up with: its own, and that of the
    /// ReplicaSets.
    #[must_use]
    pub fn settled(&self, name: &str) -> Option<&Deployment> {
        let deployment = self.deployments.get(name)?;
        let seen = deployment.status.as_ref()?.observed_generation?;
        let all = Some(seen) == deployment.metadata.generation && self.sets.values().all(is_filled);
        all.then_some(deployment)
    }

    /// Names of the live pods that `wanted` says yes to.
    pub fn live(&self, wanted: impl Fn(&Pod) -> bool) -> Vec<String> {
        let pods = self.pods.values().filter(|pod| is_live(pod) && wanted(pod));
        pods.map(ResourceExt::name_any).collect()
    }
}

/// What of a StatefulSet the waits of a test look at.
#[must_use]
pub fn as_deployment(set: &StatefulSet) -> Deployment {
    let spec = set.spec.clone().map(|spec| DeploymentSpec {
        replicas: spec.replicas,
        selector: spec.selector,
        template: spec.template,
        ..DeploymentSpec::default()
    });
    let seen = set.status.as_ref().and_then(|status| status.observed_generation);
    let status = DeploymentStatus { observed_generation: seen, ..DeploymentStatus::default() };
    Deployment { metadata: set.metadata.clone(), spec, status: Some(status) }
}

/// What of a DaemonSet the waits of a test look at.
#[must_use]
pub fn daemon_as_deployment(set: &DaemonSet) -> Deployment {
    let wanted = set.status.as_ref().map(|status| status.desired_number_scheduled);
    let spec = set.spec.clone().map(|spec| DeploymentSpec {
        replicas: wanted,
        selector: spec.selector,
        template: spec.template,
        ..DeploymentSpec::default()
    });
    let seen = set.status.as_ref().and_then(|status| status.observed_generation);
    let status = DeploymentStatus { observed_generation: seen, ..DeploymentStatus::default() };
    Deployment { metadata: set.metadata.clone(), spec, status: Some(status) }
}

/// The ReplicaSet has as many pods as it wants.
fn is_filled(set: &ReplicaSet) -> bool {
    let wanted = set.spec.as_ref().and_then(|spec| spec.replicas);
    let status = set.status.as_ref();
    status.and_then(|status| status.observed_generation) == set.metadata.generation
        && status.map(|status| status.replicas) == wanted
}

/// The pod is neither being deleted nor over.
#[must_use]
pub fn is_live(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    pod.metadata.deletion_timestamp.is_none() && !matches!(phase, Some("Failed" | "Succeeded"))
}

/// The pod's Ready condition is True.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
}

/// The value of VERSION in a pod template's first container.
#[must_use]
pub fn version(spec: Option<&k8s_openapi::api::core::v1::PodSpec>) -> Option<&str> {
    let env = spec?.containers.first()?.env.as_ref()?;
    env.iter().find(|var| var.name == "VERSION")?.value.as_deref()
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, rollout) in &self.rollouts {
            let status = serde_json::to_string(&rollout.status).unwrap_or_default();
            writeln!(f, "  rollout {name}: {status}")?;
        }
        for (name, deployment) in &self.deployments {
            let spec = deployment.spec.as_ref();
            let hold = deployment.annotations().get(HOLD_ANNOTATION);
            writeln!(
                f,
                "  deployment {name}: version {:?} generation {:?} seen {:?} hold {}",
                version(spec.and_then(|spec| spec.template.spec.as_ref())),
                deployment.metadata.generation,
                deployment.status.as_ref().and_then(|status| status.observed_generation),
                hold.map_or("none", String::as_str),
            )?;
        }
        for (name, pod) in &self.pods {
            let (live, ready) = (is_live(pod), is_ready(pod));
            let version = version(pod.spec.as_ref());
            writeln!(f, "  pod {name}: version {version:?} live {live} ready {ready}")?;
        }
        Ok(())
    }
}
