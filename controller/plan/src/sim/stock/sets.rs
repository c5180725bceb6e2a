//! A model of the stock ReplicaSet controller (Kubernetes 1.34): pods up and down to spec.replicas
//! from caches that trail, guarded by expectations; the choice of pods to delete; the status.
//!
//! Not modelled: adoption by labels, nodes (all pods are on one), deletion cost.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::sim::cluster::objects::{Pod, ReplicaSet, SetStatus};
use crate::sim::cluster::table::{News, View};
use crate::sim::cluster::{Cluster, Refused};
use crate::sim::moment::Moment;
use crate::sim::random::Random;

/// The controller: its caches, and the pod events that it still expects of its own writes.
pub struct SetController {
    pub sets: View<ReplicaSet>,
    pub pods: View<Pod>,
    expected: BTreeMap<Rc<str>, Expected>,
    random: Random,
}

#[derive(Default)]
struct Expected {
    creations: usize,
    deletions: BTreeSet<Rc<str>>,
}

impl SetController {
    /// A controller that has listed nothing yet; `random` names pods.
    pub fn new(random: Random) -> Self {
        Self { sets: View::default(), pods: View::default(), expected: BTreeMap::new(), random }
    }

    /// Takes note of a pod event: the name of the ReplicaSet to sync.
    pub fn note_pod(&mut self, news: &News<Pod>) -> Option<Rc<str>> {
        let pod = news.after.as_ref().or(news.before.as_ref())?;
        let expected = self.expected.entry(Rc::clone(&pod.set)).or_default();
        if news.before.is_none() && news.after.is_some() {
            expected.creations = expected.creations.saturating_sub(1);
        }
        if news.after.as_ref().is_none_or(|pod| pod.meta.deleting) {
            expected.deletions.remove(&pod.meta.name);
        }
        Some(Rc::clone(&pod.set))
    }

    /// A restart: expectations are memory.
    pub fn forget(&mut self) {
        self.expected.clear();
    }

    /// Syncs a ReplicaSet; answers when it must be synced again although nothing happens.
    pub fn sync(&mut self, cluster: &mut Cluster, name: &str) -> Result<Option<Moment>, Refused> {
        let Some(set) = self.sets.get(name).filter(|set| !set.sizeless).cloned() else {
            self.expected.remove(name);
            return Ok(None);
        };
        let active: Vec<_> = self
            .pods
            .iter()
            .filter(|pod| pod.owner == set.meta.uid && pod.is_active())
            .cloned()
            .collect();
        let satisfied = self
            .expected
            .get(name)
            .is_none_or(|expected| expected.creations == 0 && expected.deletions.is_empty());
        if satisfied {
            self.manage(cluster, &set, &active);
        }
        report(cluster, &set, &active)?;
        Ok(next_check(&set, &active, cluster.now))
    }

    fn manage(&mut self, cluster: &mut Cluster, set: &ReplicaSet, active: &[Rc<Pod>]) {
        let wanted = usize::try_from(set.replicas).unwrap_or(0);
        let expected = self.expected.entry(Rc::clone(&set.meta.name)).or_default();
        for _ in active.len()..wanted {
            let name = format!("{}-{:05x}", set.meta.name, self.random.below(1 << 20)).into();
            expected.creations += 1;
            cluster.create_pod(&name, set);
        }
        let excess = active.len().saturating_sub(wanted);
        if excess > 0 {
            let mut ranked = active.to_vec();
            ranked.sort_by(|a, b| compare_for_deletion(a, b, cluster.now));
            for pod in ranked.iter().take(excess) {
                // One that is gone already brings no event any more.
                if cluster.update_pod(&pod.meta.name, |pod| pod.meta.deleting = true) {
                    expected.deletions.insert(Rc::clone(&pod.meta.name));
                }
            }
        }
    }
}

/// Writes the status that the cache justifies, even over a newer object.
fn report(cluster: &mut Cluster, set: &ReplicaSet, active: &[Rc<Pod>]) -> Result<(), Refused> {
    let count = |pods: usize| i32::try_from(pods).unwrap_or(i32::MAX);
    let available = |pod: &&Rc<Pod>| pod.is_available(set.min_ready_seconds, cluster.now);
    let mut status = SetStatus {
        observed_generation: set.status.observed_generation,
        replicas: count(active.len()),
        ready: count(active.iter().filter(|pod| pod.is_ready()).count()),
        available: count(active.iter().filter(available).count()),
    };
    if status == set.status && set.meta.generation == set.status.observed_generation {
        return Ok(());
    }
    status.observed_generation = set.meta.generation;
    cluster.update_set_status(&set.meta.name, status)
}

fn next_check(set: &ReplicaSet, active: &[Rc<Pod>], now: Moment) -> Option<Moment> {
    let moments = active.iter().filter_map(|pod| pod.available_at(set.min_ready_seconds));
    moments.filter(|moment| *moment > now).min()
}

/// Less: deleted first. Pending, not ready, ready for a shorter time (on a logarithmic scale),
/// more restarts, younger; pods that are alike go by uid.
fn compare_for_deletion(a: &Pod, b: &Pod, now: Moment) -> std::cmp::Ordering {
    let state = |pod: &Pod| (pod.running, pod.is_ready());
    let rank = |pod: &Pod| {
        let ready = pod.ready_since.map_or(0, |since| logarithm(now, since));
        (ready, std::cmp::Reverse(pod.restarts), logarithm(now, pod.meta.created))
    };
    state(a)
        .cmp(&state(b))
        .then_with(|| rank(a).cmp(&rank(b)))
        .then_with(|| a.meta.uid.cmp(&b.meta.uid))
}

fn logarithm(now: Moment, then: Moment) -> u32 {
    (now - then).as_millis().max(1).ilog2()
}
