//! A workload whose revisions are ControllerRevisions, in the shape of a Deployment and its
//! ReplicaSets, so that one picture serves both. Shapes only; nothing is read or written here.

use crds::contract::CONTROLLER_REVISION_LABEL;
use k8s_openapi::api::apps::v1::{
    ControllerRevision, Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec, ReplicaSetStatus,
    StatefulSet,
};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use kube::ResourceExt;
use kube::core::DynamicObject;

/// What of any other kind is shown; None where its spec has another shape.
pub(crate) fn of_object(workload: &DynamicObject) -> Option<Deployment> {
    let spec = workload.data.get("spec")?;
    let field = |name: &str| spec.get(name).cloned().unwrap_or_default();
    let spec = DeploymentSpec {
        replicas: serde_json::from_value(field("replicas")).ok()?,
        selector: serde_json::from_value(field("selector")).ok()?,
        template: serde_json::from_value(field("template")).ok()?,
        ..DeploymentSpec::default()
    };
    Some(Deployment { metadata: workload.metadata.clone(), spec: Some(spec), status: None })
}

/// What of it is shown: its metadata and its template.
pub(crate) fn as_deployment(workload: StatefulSet) -> Deployment {
    let spec = workload.spec.map(|spec| DeploymentSpec {
        replicas: spec.replicas,
        selector: spec.selector,
        template: spec.template,
        ..DeploymentSpec::default()
    });
    Deployment { metadata: workload.metadata, spec, status: None }
}

/// Those of its ControllerRevisions that have pods, oldest first.
pub(crate) fn as_sets(
    owner: Option<&str>,
    mut revisions: Vec<ControllerRevision>,
    pods: &[Pod],
) -> Vec<ReplicaSet> {
    revisions.retain(|revision| {
        let mut owners = revision.metadata.owner_references.iter().flatten();
        owners.any(|one| Some(one.uid.as_str()) == owner)
    });
    revisions.sort_by_key(|revision| revision.revision);
    revisions.into_iter().filter_map(|revision| as_set(revision, pods)).collect()
}

fn as_set(revision: ControllerRevision, pods: &[Pod]) -> Option<ReplicaSet> {
    let name = revision.name_any();
    let lives = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none();
    // A CloneSet may, and a DaemonSet does label its pods with the end of the name alone.
    let end = hash_of(&name);
    let is_of = |pod: &&Pod| {
        let label = pod.labels().get(CONTROLLER_REVISION_LABEL);
        label.is_some_and(|label| *label == name || label == end)
    };
    let mine: Vec<&Pod> = pods.iter().filter(lives).filter(is_of).collect();
    let all = i32::try_from(mine.len()).ok().filter(|all| *all > 0)?;
    let ready = i32::try_from(mine.iter().filter(|pod| is_ready(pod)).count()).ok()?;
    let template = template_of(&revision);
    let spec = ReplicaSetSpec { replicas: Some(all), template, ..ReplicaSetSpec::default() };
    let status = ReplicaSetStatus {
        replicas: all,
        ready_replicas: Some(ready),
        ..ReplicaSetStatus::default()
    };
    Some(ReplicaSet { metadata: revision.metadata, spec: Some(spec), status: Some(status) })
}

/// The end of a ControllerRevision's name, which tells it from the others of a workload.
pub(crate) fn hash_of(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(_, hash)| hash)
}

fn is_ready(pod: &Pod) -> bool {
    let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.any(|one| one.type_ == "Ready" && one.status == "True")
}

fn template_of(revision: &ControllerRevision) -> Option<PodTemplateSpec> {
    let template = revision.data.as_ref()?.0.get("spec")?.get("template")?.clone();
    serde_json::from_value(template).ok()
}
