//! What a gate's question is about, from the cluster as it is: the release if there is one,
//! otherwise the pods that run. Reads, and decides nothing.

use std::time::Duration;

use crds::{HoldState, Rollout, WorkloadKind, contract};
use gate::query::Values;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use plan::Trial;

use crate::cluster::Cluster;
use crate::error::{Error, call};
use crate::{numbered, tree};

/// At rest a window may look back to before anybody asked.
const AT_REST: SignedDuration = SignedDuration::from_hours(720);

/// What the Rollout's gates are tried on.
pub(crate) async fn of(
    cluster: &Cluster,
    rollout: &Rollout,
    now: Timestamp,
) -> Result<Trial, Error> {
    let workload = cluster.workload(rollout).await?.ok_or_else(|| Error::NoWorkload {
        name: rollout.spec.workload_ref.name.clone(),
        namespace: cluster.namespace.clone(),
    })?;
    let kind = rollout.spec.workload_ref.kind().unwrap_or(WorkloadKind::Deployment);
    let sets = cluster.revisions(rollout, &workload).await?;
    let (update, stable) = versions(&workload, &sets);
    let hash = |set: Option<&ReplicaSet>| set.map(|set| hash_of(kind, set));
    let revision = hash(update).unwrap_or_default();
    let values = Values {
        namespace: cluster.namespace.clone(),
        workload: workload.name_any(),
        stable_revision: hash(stable).unwrap_or_else(|| revision.clone()),
        revision,
        pods: pods(cluster, kind, update).await?,
        window: Duration::ZERO,
    };
    let since = stable.and_then(|_| rollout.status.as_ref()?.batch.as_ref()?.ready_at.clone());
    let at_rest = || now.checked_sub(AT_REST).unwrap_or(Timestamp::MIN);
    let since = since.map_or_else(at_rest, |ready| ready.0);
    Ok(Trial { values, stable_pods: pods(cluster, kind, stable).await?, since, now })
}

/// The new version and, in a release, the stable one: the newest set and the one before it.
fn versions<'a>(
    workload: &Deployment,
    sets: &'a [ReplicaSet],
) -> (Option<&'a ReplicaSet>, Option<&'a ReplicaSet>) {
    let hold = tree::hold_of(workload).map(|hold| hold.state);
    let released = match hold {
        Some(HoldState::Fenced(held)) => held.batch > 0,
        Some(HoldState::Partitioned(held)) => held.batch > 0,
        Some(HoldState::Portioned(held)) => held.batch > 0,
        Some(HoldState::Withheld(held)) => held.batch > 0,
        Some(HoldState::Barred(_)) | None => false,
    };
    match sets {
        [.., stable, update] if released => (Some(update), Some(stable)),
        [.., running] => (Some(running), None),
        [] => (None, None),
    }
}

/// What the stock controller labels the pods of a revision with.
fn hash_of(kind: WorkloadKind, set: &ReplicaSet) -> String {
    match kind {
        WorkloadKind::Deployment => {
            set.labels().get(contract::POD_TEMPLATE_HASH_LABEL).cloned().unwrap_or_default()
        }
        WorkloadKind::StatefulSet | WorkloadKind::CloneSet => set.name_any(),
        WorkloadKind::DaemonSet => numbered::hash_of(&set.name_any()).to_owned(),
    }
}

/// Names of the pods of a revision that are neither over nor on their way out.
async fn pods(
    cluster: &Cluster,
    kind: WorkloadKind,
    set: Option<&ReplicaSet>,
) -> Result<Vec<String>, Error> {
    let Some(set) = set else { return Ok(Vec::new()) };
    let label = match kind {
        WorkloadKind::Deployment => contract::POD_TEMPLATE_HASH_LABEL,
        WorkloadKind::StatefulSet | WorkloadKind::CloneSet | WorkloadKind::DaemonSet => {
            contract::CONTROLLER_REVISION_LABEL
        }
    };
    let selector = format!("{label}={}", hash_of(kind, set));
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let listed = api.list(&ListParams::default().labels(&selector)).await;
    let listed = listed.map_err(call("list the Pods"))?;
    let over = |pod: &Pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        matches!(phase, Some("Succeeded" | "Failed"))
    };
    // Of another workload only if its template is the same, labels and all.
    let active = |pod: &Pod| pod.metadata.deletion_timestamp.is_none() && !over(pod);
    Ok(listed.items.iter().filter(|pod| active(pod)).map(ResourceExt::name_any).collect())
}
