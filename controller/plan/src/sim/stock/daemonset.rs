//! A model of the stock DaemonSet controller (Kubernetes 1.34, `daemon_controller.go` and
//! `update.go`): one sync from caches that trail. It gives every open node a pod, always of the
//! live template, and takes surplus ones away; only in a sync in which there was nothing of that to
//! do it updates, and under OnDelete never. Until its caches show what it wrote it only counts, and
//! does not say that it has seen the generation.
//!
//! Not modelled: taints that pods do not survive, failed pods, node affinity.

use std::collections::BTreeMap;
use std::rc::Rc;

use crds::UpdateType;

use super::arithmetic::daemon_posts;
use super::revisions::{Caches, Revisions};
use crate::observed::Strategy;
use crate::sim::cluster::objects::{Deployment, DeploymentStatus, Node, Pod};
use crate::sim::cluster::table::View;
use crate::sim::cluster::{Cluster, Refused};
use crate::sim::moment::Moment;
use crate::sim::random::Random;

/// Syncs a DaemonSet; `settled` says that the caches show all that was written before. Answers when
/// it must be synced again although nothing happens.
pub fn sync(
    cluster: &mut Cluster,
    workload: &Rc<Deployment>,
    caches: &Caches<'_>,
    (nodes, settled): (&View<Node>, bool),
    names: &mut Random,
) -> Result<Option<Moment>, Refused> {
    let revisions = Revisions::of(cluster, workload, caches)?;
    let now = cluster.now;
    let pods: Vec<_> =
        caches.pods.iter().filter(|pod| pod.owner == workload.meta.uid).cloned().collect();
    let mut places: BTreeMap<Rc<str>, Place> = BTreeMap::new();
    for pod in &pods {
        let Some(node) = &pod.node else { continue };
        places.entry(Rc::clone(node)).or_default().pods.push(Rc::clone(pod));
    }
    for node in nodes.iter() {
        places.entry(Rc::clone(&node.meta.name)).or_default().node = Some(Rc::clone(node));
    }
    places.values_mut().for_each(|place| place.pods.sort_by_key(|pod| pod.meta.created));
    let sync = Sync { workload, revisions, places, now };
    let moved = if settled { sync.act(cluster, names) } else { Ok(()) };
    sync.report(cluster, settled)?;
    moved?;
    if settled {
        let update = Rc::clone(&sync.revisions.update.meta.name);
        sync.revisions.clean_up(cluster, workload, caches, &pods, &update);
    }
    Ok(sync.next_check(&pods))
}

/// A node, and the pods on it, the oldest first. A node that is gone may have some.
#[derive(Default)]
struct Place {
    node: Option<Rc<Node>>,
    pods: Vec<Rc<Pod>>,
}

impl Place {
    /// It is to have a pod.
    fn is_open(&self) -> bool {
        self.node.as_ref().is_some_and(|node| !node.closed)
    }

    fn active(&self) -> impl Iterator<Item = &Rc<Pod>> {
        self.pods.iter().filter(|pod| pod.is_active())
    }
}

/// The new and the old pod of a place; None where there are several of one sort.
type Pair<'a> = Option<(Option<&'a Rc<Pod>>, Option<&'a Rc<Pod>>)>;

/// One sync at work.
struct Sync<'a> {
    workload: &'a Rc<Deployment>,
    revisions: Revisions,
    places: BTreeMap<Rc<str>, Place>,
    now: Moment,
}

impl Sync<'_> {
    fn is_new(&self, pod: &Pod) -> bool {
        pod.set == self.revisions.update.meta.name
    }

    fn is_available(&self, pod: &Pod) -> bool {
        pod.is_available(self.workload.spec.min_ready_seconds, self.now)
    }

    /// Surge and unavailable in nodes; None under OnDelete.
    fn posts(&self) -> Option<(i32, i32)> {
        let rolls = self.workload.daemon.is_some_and(|it| it.by == UpdateType::RollingUpdate);
        match self.workload.spec.strategy {
            Strategy::RollingUpdate { max_surge, max_unavailable } if rolls => {
                let open = count(self.places.values().filter(|place| place.is_open()));
                Some(daemon_posts(max_surge, max_unavailable, open))
            }
            _ => None,
        }
    }

    fn act(&self, cluster: &mut Cluster, names: &mut Random) -> Result<(), Refused> {
        let before = cluster.pods.changes();
        self.manage(cluster, names);
        if cluster.pods.changes() > before {
            return Ok(());
        }
        match self.posts() {
            None => Ok(()),
            Some((0, unavailable)) => {
                self.roll(cluster, names, unavailable);
                Ok(())
            }
            Some((surge, _)) => self.roll_with_surge(cluster, names, surge),
        }
    }

    /// A pod for every open node, and no more than that.
    fn manage(&self, cluster: &mut Cluster, names: &mut Random) {
        let surges = self.posts().is_some_and(|(surge, _)| surge > 0);
        for (name, place) in &self.places {
            let active: Vec<_> = place.active().collect();
            let empty = if surges { active.is_empty() } else { place.pods.is_empty() };
            if place.is_open() && empty {
                self.create(cluster, name, names);
            }
            let surplus = match (place.node.is_some(), surges) {
                (false, _) => Vec::new(),
                (true, false) => active.into_iter().skip(1).collect(),
                (true, true) => self.surplus(&active),
            };
            surplus.iter().for_each(|pod| delete(cluster, pod));
        }
    }

    /// With a surge two pods may stand beside each other while the old one serves and the new one
    /// does not yet.
    fn surplus<'a>(&self, active: &[&'a Rc<Pod>]) -> Vec<&'a Rc<Pod>> {
        let of = |new: bool| active.iter().filter(move |pod| self.is_new(pod) == new).copied();
        let mut surplus: Vec<_> = of(true).skip(1).chain(of(false).skip(1)).collect();
        if let (Some(new), Some(old)) = (of(true).next(), of(false).next())
            && (!old.is_ready() || self.is_available(new))
        {
            surplus.push(old);
        }
        surplus
    }

    fn pair<'a>(&self, place: &'a Place) -> Pair<'a> {
        let of = |new: bool| place.active().filter(move |pod| self.is_new(pod) == new);
        let several = of(true).count() > 1 || of(false).count() > 1;
        (!several).then(|| (of(true).next(), of(false).next()))
    }

    /// In no order.
    fn in_turn(&self, names: &mut Random) -> Vec<(&Rc<str>, &Place)> {
        let mut places: Vec<_> = self.places.iter().filter(|(_, it)| !it.pods.is_empty()).collect();
        let first = names.below(places.len() as u64);
        places.rotate_left(usize::try_from(first).unwrap_or(0));
        places
    }

    /// Old pods that do not serve go, and others as long as few enough are away.
    fn roll(&self, cluster: &mut Cluster, names: &mut Random, unavailable: i32) {
        let (mut away, mut going, mut candidates) = (0, Vec::new(), Vec::new());
        for (_, place) in self.in_turn(names) {
            match self.pair(place) {
                Some((None, Some(old))) if !self.is_available(old) => {
                    going.push(old);
                    away += 1;
                }
                Some((None, Some(_))) if away >= unavailable => {}
                Some((None, Some(old))) => candidates.push(old),
                Some((Some(new), None)) => away += i32::from(!self.is_available(new)),
                _ => away += 1,
            }
        }
        let room = usize::try_from(unavailable - away).unwrap_or(0);
        going.extend(candidates.into_iter().take(room));
        going.iter().for_each(|pod| delete(cluster, pod));
    }

    /// New pods come beside old ones, which go once the new ones are there.
    fn roll_with_surge(
        &self,
        cluster: &mut Cluster,
        names: &mut Random,
        most: i32,
    ) -> Result<(), Refused> {
        let (mut surge, mut going) = (0, Vec::new());
        let (mut allowed, mut candidates, mut closed) = (Vec::new(), Vec::new(), Vec::new());
        let mut serving = 0;
        for (name, place) in self.in_turn(names) {
            let Some((new, old)) = self.pair(place) else {
                surge += 1;
                continue;
            };
            serving += i32::from(old.or(new).is_some_and(|pod| self.is_available(pod)));
            match (new, old) {
                (_, None) => {}
                (None, Some(old)) => {
                    // What it is to do with a node that is gone it does not know.
                    let node = place.node.as_ref().ok_or(Refused::NotFound)?;
                    match (self.is_available(old), node.closed) {
                        (false, true) => going.push(old),
                        (false, false) => allowed.push(name),
                        (true, true) => closed.push(old),
                        (true, false) if surge < most => candidates.push(name),
                        (true, false) => {}
                    }
                }
                (Some(new), Some(old)) if self.is_available(new) => going.push(old),
                (Some(_), Some(_)) => surge += 1,
            }
        }
        let open = count(self.places.values().filter(|place| place.is_open()));
        closed.truncate(usize::try_from(serving - open).unwrap_or(0));
        going.iter().chain(&closed).for_each(|pod| delete(cluster, pod));
        candidates.truncate(usize::try_from(most - surge).unwrap_or(0));
        allowed.into_iter().chain(candidates).for_each(|name| self.create(cluster, name, names));
        Ok(())
    }

    fn create(&self, cluster: &mut Cluster, node: &Rc<str>, names: &mut Random) {
        let name = format!("{}-{:05x}", self.workload.meta.name, names.below(1 << 20)).into();
        cluster.create_pod_on(Some(node), &name, &self.revisions.update);
    }

    /// Writes the status: the oldest pod of a node stands for it, going or not.
    fn report(&self, cluster: &mut Cluster, settled: bool) -> Result<(), Refused> {
        let open = || self.places.values().filter(|place| place.is_open());
        let of = |counts: &dyn Fn(&Pod) -> bool| {
            count(open().filter_map(|place| place.pods.first()).filter(|pod| counts(pod)))
        };
        let closed = |place: &&Place| place.node.as_ref().is_some_and(|node| node.closed);
        let occupied = self.places.values().filter(|place| !place.pods.is_empty());
        let seen = self.workload.status.observed_generation;
        let generation = self.workload.meta.generation;
        let status = DeploymentStatus {
            observed_generation: if settled { generation } else { seen },
            replicas: count(open()),
            updated: of(&|pod| self.is_new(pod)),
            ready: of(&Pod::is_ready),
            available: of(&|pod| self.is_available(pod)),
            misscheduled: count(occupied.filter(closed)),
        };
        cluster.update_numbered_status(self.workload, status, None)
    }

    fn next_check(&self, pods: &[Rc<Pod>]) -> Option<Moment> {
        let seconds = self.workload.spec.min_ready_seconds;
        let moments = pods.iter().filter_map(|pod| pod.available_at(seconds));
        moments.filter(|moment| *moment > self.now).min()
    }
}

fn delete(cluster: &mut Cluster, pod: &Pod) {
    cluster.update_pod(&pod.meta.name, |pod| pod.meta.deleting = true);
}

fn count<T>(items: impl Iterator<Item = T>) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
