//! The connection and the few reads that all commands share. Writes are in the rooms that make
//! them.

use crds::{Rollout, WorkloadKind, contract};
use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Client, Config};

use crate::args::Connection;
use crate::error::{Error, call};
use crate::numbered;

/// A cluster and the namespace that is meant.
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

impl Cluster {
    /// Connects as kubectl would.
    pub(crate) async fn connect(connection: &Connection) -> Result<Self, Error> {
        let options =
            KubeConfigOptions { context: connection.context.clone(), ..Default::default() };
        let file = match &connection.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let config = match file {
            Ok(file) => Config::from_custom_kubeconfig(file, &options).await,
            Err(error) => Err(error),
        };
        let mut config = config.map_err(Error::Kubeconfig)?;
        if let Some(namespace) = &connection.namespace {
            config.default_namespace.clone_from(namespace);
        }
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(Error::Client)?;
        Ok(Self { client, namespace })
    }

    pub(crate) fn rollouts(&self) -> Api<Rollout> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(crate) fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The Rollout of that name. `rollout/NAME` is understood too, since kubectl prints it.
    pub(crate) async fn rollout(&self, name: &str) -> Result<Rollout, Error> {
        let name = plain_name(name);
        self.rollouts().get_opt(name).await.map_err(call("read the Rollout"))?.ok_or_else(|| {
            Error::NoRollout { name: name.to_owned(), namespace: self.namespace.clone() }
        })
    }

    /// The workload of a Rollout, if it exists.
    pub(crate) async fn workload(&self, rollout: &Rollout) -> Result<Option<Deployment>, Error> {
        let reference = &rollout.spec.workload_ref;
        match reference.kind() {
            Some(WorkloadKind::StatefulSet) => {
                let read = self.statefulsets().get_opt(&reference.name).await;
                Ok(read.map_err(call("read the StatefulSet"))?.map(numbered::as_deployment))
            }
            Some(kind @ (WorkloadKind::CloneSet | WorkloadKind::DaemonSet)) => {
                let read = self.of_kind(kind).get_opt(&reference.name).await;
                let read = read.map_err(call("read the workload"))?;
                Ok(read.and_then(|object| numbered::of_object(&object)))
            }
            Some(WorkloadKind::Deployment) | None => {
                let read = self.deployments().get_opt(&reference.name).await;
                read.map_err(call("read the Deployment"))
            }
        }
    }

    /// The workloads of a kind, whatever their fields.
    pub(crate) fn of_kind(&self, kind: WorkloadKind) -> Api<DynamicObject> {
        let (group, version) = kind.api_version().split_once('/').unwrap_or_default();
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind.as_str()));
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    fn statefulsets(&self) -> Api<StatefulSet> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The revisions of a Rollout's workload that have pods, oldest first.
    pub(crate) async fn revisions(
        &self,
        rollout: &Rollout,
        workload: &Deployment,
    ) -> Result<Vec<ReplicaSet>, Error> {
        if matches!(rollout.spec.workload_ref.kind(), None | Some(WorkloadKind::Deployment)) {
            return self.sets(workload).await;
        }
        let labels = ListParams::default().labels(&selector_of(workload));
        let revisions: Api<ControllerRevision> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let revisions = revisions.list(&labels).await;
        let revisions = revisions.map_err(call("list the ControllerRevisions"))?.items;
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let pods = pods.list(&labels).await.map_err(call("list the pods"))?.items;
        Ok(numbered::as_sets(workload.metadata.uid.as_deref(), revisions, &pods))
    }

    /// The ReplicaSets that a Deployment owns and that have pods, oldest first.
    async fn sets(&self, owner: &Deployment) -> Result<Vec<ReplicaSet>, Error> {
        let api: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &self.namespace);
        let listed = api
            .list(&ListParams::default().labels(&selector_of(owner)))
            .await
            .map_err(call("list the ReplicaSets"))?;
        let uid = owner.metadata.uid.as_deref();
        let mut sets: Vec<ReplicaSet> = listed
            .items
            .into_iter()
            .filter(|set| {
                let owners = set.metadata.owner_references.iter().flatten();
                owners.map(|owner| Some(owner.uid.as_str())).any(|owner| owner == uid)
            })
            .filter(|set| set.status.as_ref().is_some_and(|status| status.replicas > 0))
            .collect();
        sets.sort_by_key(revision_number);
        Ok(sets)
    }
}

fn selector_of(owner: &Deployment) -> String {
    let labels = owner.spec.as_ref().and_then(|spec| spec.selector.match_labels.as_ref());
    let pairs: Vec<String> =
        labels.into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}

/// The stock controller's revision number of a ReplicaSet.
pub(crate) fn revision_number(set: &ReplicaSet) -> u64 {
    let annotations = set.metadata.annotations.as_ref();
    annotations
        .and_then(|all| all.get(contract::DEPLOYMENT_REVISION_ANNOTATION))
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

fn plain_name(name: &str) -> &str {
    let kinds = ["rollout/", "rollouts/", "rollout.sluice.dev/", "rollouts.sluice.dev/"];
    kinds.iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name)
}
