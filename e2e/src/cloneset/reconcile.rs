//! One pass over one set, in the controller's order: scale, and only if nothing was to scale,
//! update; then the status, from the pods as they were before. What is to be done is decided
//! elsewhere; this only does it.

use std::time::Duration;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::core::{Selector, SelectorExt};
use serde_json::json;

use super::act::{Act, Active, Seen};
use super::calls::{Called, Cluster};
use super::decide::Revisions;
use super::member::{Member, is_active, short};
use super::progress;
use super::queue::Key;
use super::revisions::{self, Place, is_owned};
use super::spec::CloneSet;
use super::status::{self, Pass, Status};
use crate::clock;

/// One pass. The answer is when to look again, should nothing happen until then.
pub async fn reconcile(cluster: &Cluster, key: &Key) -> Called<Option<Duration>> {
    let Some(set) = cluster.set(key).await? else { return Ok(None) };
    let Some(selector) = status::selector(&set) else {
        tracing::warn!(set = %key, "the selector is none");
        return Ok(None);
    };
    let labels = selector.to_string();
    let (pods, mut history) =
        tokio::try_join!(claim(cluster, key, &set, &selector), cluster.revisions(key, &labels))?;
    history.retain(|entry| is_owned(&entry.metadata, uid(&set)));
    revisions::sort(&mut history);
    let active = active(cluster, key, &set, &history).await?;
    let names = &set.spec.scale_strategy.pods_to_delete;
    let members: Vec<Member> = pods.iter().map(|pod| Member::read(pod, names)).collect();
    let seen = Seen { set: &set, pods: &pods, members: &members, history: &history };
    pass(cluster, key, &seen, &active).await
}

/// Acts, and then says how it was before.
async fn pass(
    cluster: &Cluster,
    key: &Key,
    seen: &Seen<'_>,
    active: &Active,
) -> Called<Option<Duration>> {
    let (set, now) = (seen.set, clock::now());
    let (current, update) = (active.current.name_any(), active.update.name_any());
    let revisions = Revisions { current: short(&current), update: short(&update) };
    let mut act = Act::new(cluster, key, seen, active, revisions, now);
    let acted = if set.metadata.deletion_timestamp.is_none() { act.act().await } else { Ok(()) };
    let (failures, notes, wait) = (act.failures, act.notes, act.wait);
    let pass = Pass {
        current_revision: current.clone(),
        update_revision: update.clone(),
        collisions: active.collisions,
        failures,
    };
    let status = status::status(set, seen.members, pass, now);
    if status::differs(&set.status, &status) {
        tell(key, &status);
        cluster.write_status(key, &status).await?;
    }
    cluster.note(set, &notes, now).await;
    truncate_names(cluster, key, seen).await;
    truncate_history(cluster, key, seen, [&current, &update]).await;
    acted?;
    let waits = [wait, min_ready(set, &status), progress::next_look(set, &status, now)];
    Ok(waits.into_iter().flatten().min())
}

fn tell(key: &Key, status: &Status) {
    tracing::info!(
        set = %key,
        generation = status.observed_generation,
        replicas = status.replicas,
        ready = status.ready_replicas,
        available = status.available_replicas,
        updated = status.updated_replicas,
        updated_ready = status.updated_ready_replicas,
        current = status.current_revision,
        update = status.update_revision,
        "status"
    );
}

fn uid(set: &CloneSet) -> &str {
    set.metadata.uid.as_deref().unwrap_or_default()
}

/// The active pods of the set; those that its selector does not mean any more are let go.
async fn claim(
    cluster: &Cluster,
    key: &Key,
    set: &CloneSet,
    selector: &Selector,
) -> Called<Vec<Pod>> {
    let mut claimed = Vec::new();
    for pod in cluster.all_pods(&key.namespace).await? {
        if !is_active(&pod) || !is_owned(&pod.metadata, uid(set)) {
            continue;
        }
        if selector.matches(pod.labels()) {
            claimed.push(pod);
            continue;
        }
        let name = pod.name_any();
        tracing::info!(set = %key, pod = name, "released");
        let patch = json!({ "metadata": {
            "uid": pod.metadata.uid,
            "ownerReferences": [{ "$patch": "delete", "uid": uid(set) }],
        } });
        cluster.patch_pod(key, &name, &patch).await?;
    }
    Ok(claimed)
}

/// The revision of the template, made or brought back where needed, and the current one.
async fn active(
    cluster: &Cluster,
    key: &Key,
    set: &CloneSet,
    history: &[ControllerRevision],
) -> Called<Active> {
    let data = revisions::snapshot(&set.spec.template);
    let mut collisions = set.status.collision_count.unwrap_or(0);
    let newest = history.last().cloned();
    let update = match (revisions::place(history, &data), newest) {
        (Place::Newest, Some(newest)) => newest,
        (Place::Again { name, number }, _) => {
            tracing::info!(set = %key, revision = name, number, "an old revision is new again");
            cluster.renumber_revision(key, &name, number).await?
        }
        (Place::Missing(number), _) => create(cluster, key, set, number, &mut collisions).await?,
        (Place::Newest, None) => create(cluster, key, set, 1, &mut collisions).await?,
    };
    let is_current = |entry: &&ControllerRevision| entry.name_any() == set.status.current_revision;
    let current = history.iter().find(is_current).unwrap_or(&update).clone();
    Ok(Active { current, update, collisions })
}

async fn create(
    cluster: &Cluster,
    key: &Key,
    set: &CloneSet,
    number: i64,
    collisions: &mut i32,
) -> Called<ControllerRevision> {
    let data = revisions::snapshot(&set.spec.template);
    loop {
        let entry = revisions::entry(set, data.clone(), number, *collisions);
        match cluster.create_revision(key, &entry).await {
            Err(error) if error.is_taken() => {
                let there = cluster.revision(key, &entry.name_any()).await?;
                if there.data.as_ref().is_some_and(|held| held.0 == data) {
                    return Ok(there);
                }
                *collisions += 1;
            }
            created => {
                tracing::info!(set = %key, revision = entry.name_any(), number, "new revision");
                return created;
            }
        }
    }
}

/// Names of pods that are gone leave podsToDelete. What fails is tried again in the next pass.
async fn truncate_names(cluster: &Cluster, key: &Key, seen: &Seen<'_>) {
    let names = &seen.set.spec.scale_strategy.pods_to_delete;
    let lives = |name: &&str| seen.members.iter().any(|member| member.name == *name);
    let kept: Vec<&str> = names.iter().map(String::as_str).filter(lives).collect();
    if kept.len() == names.len() {
        return;
    }
    match cluster.keep_names(key, &seen.set.metadata, &kept).await {
        Ok(()) => tracing::info!(set = %key, left = kept.len(), "podsToDelete rewritten"),
        Err(error) => tracing::warn!(set = %key, %error, "podsToDelete stays"),
    }
}

/// Old revisions go beyond the limit.
async fn truncate_history(cluster: &Cluster, key: &Key, seen: &Seen<'_>, in_use: [&str; 2]) {
    let limit = seen.set.spec.revision_history_limit;
    for name in revisions::superfluous(seen.history, seen.members, in_use, limit) {
        match cluster.delete_revision(key, &name).await {
            Ok(()) => tracing::info!(set = %key, revision = name, "revision deleted"),
            Err(error) => return tracing::warn!(set = %key, %error, "old revisions stay"),
        }
    }
}

/// Pods that are ready and not yet available become so without anybody's word.
fn min_ready(set: &CloneSet, status: &Status) -> Option<Duration> {
    let seconds = u64::try_from(set.spec.min_ready_seconds).unwrap_or(0);
    let waits = seconds > 0 && status.available_replicas != status.ready_replicas;
    waits.then(|| Duration::from_secs(seconds))
}
