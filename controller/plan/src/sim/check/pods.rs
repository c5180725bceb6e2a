//! The pods as the checks see them: active or not, ready since when, and which of the unready ones
//! nobody but themselves (or a user's eviction) is to blame for. Of a StatefulSet the pods below
//! the user's own partition serve like all others, but are of no revision that matters.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crds::Revision;

use crate::sim::cluster::Cluster;
use crate::sim::cluster::objects::{Pod, ordinal};
use crate::sim::moment::Moment;

/// All pods.
#[derive(Default)]
pub struct Pods {
    pods: BTreeMap<Rc<str>, Seen>,
    /// Evicted pods that have not been replaced yet, by revision; a StatefulSet's by name,
    /// a DaemonSet's by node, because its replacement may be of another revision.
    missing: BTreeMap<Rc<str>, i32>,
    /// They are a StatefulSet's.
    pub stateful: bool,
    /// A StatefulSet's pods below this one are never updated.
    pub partition: i32,
    /// Nodes that are open.
    nodes: BTreeSet<Rc<str>>,
}

struct Seen {
    revision: Revision,
    /// A StatefulSet's: its ordinal.
    index: Option<i32>,
    active: bool,
    /// A DaemonSet's: the node is not there any more, or closed.
    away: bool,
    node: Option<Rc<str>>,
    ready_since: Option<Moment>,
    /// Lost readiness by itself, or replaces an evicted one, and is not ready (again) yet.
    excused: bool,
}

/// What a change of a pod was.
pub enum Turn {
    /// It is new.
    Created(Revision),
    /// It is going.
    Gone {
        revision: Revision,
        /// It was excused for not being ready.
        excused: bool,
        ready_since: Option<Moment>,
    },
    /// Anything else.
    Other,
}

impl Pods {
    /// Takes a change in.
    pub fn see(&mut self, name: &Rc<str>, pod: Option<&Pod>) -> Turn {
        let Some(pod) = pod else {
            let gone = self.pods.remove(name);
            return gone.filter(|seen| seen.active).map_or(Turn::Other, |seen| seen.going());
        };
        let Some(seen) = self.pods.get_mut(name) else { return self.created(name, pod) };
        if seen.active && !pod.is_active() {
            seen.active = false;
            return seen.going();
        }
        match (seen.ready_since, pod.ready_since) {
            (Some(_), None) => seen.excused = true,
            (None, Some(_)) => seen.excused = false,
            _ => {}
        }
        seen.ready_since = pod.ready_since;
        Turn::Other
    }

    fn created(&mut self, name: &Rc<str>, pod: &Pod) -> Turn {
        let key = self.key(name, &pod.revision, pod.node.as_ref());
        let missing = self.missing.entry(key).or_default();
        let excused = *missing > 0;
        *missing -= i32::from(excused);
        let seen = Seen {
            revision: pod.revision.clone(),
            index: ordinal(name).filter(|_| self.stateful),
            active: true,
            away: pod.node.as_ref().is_some_and(|node| !self.nodes.contains(node)),
            node: pod.node.clone(),
            ready_since: pod.ready_since,
            excused,
        };
        self.pods.insert(Rc::clone(name), seen);
        Turn::Created(pod.revision.clone())
    }

    fn key(&self, name: &Rc<str>, revision: &Revision, node: Option<&Rc<str>>) -> Rc<str> {
        match node {
            Some(node) => Rc::clone(node),
            None if self.stateful => Rc::clone(name),
            None => revision.as_str().into(),
        }
    }

    /// This one was seen before.
    pub fn knows(&self, name: &str) -> bool {
        self.pods.contains_key(name)
    }

    /// Their workload is gone: they are nobody's any more.
    pub fn forget(&mut self) {
        let nodes = std::mem::take(&mut self.nodes);
        *self = Self { partition: self.partition, nodes, ..Self::default() };
    }

    /// What happened to the nodes: those that are open for the first time, or again and have no
    /// pod.
    pub fn on_nodes(&mut self, open: impl Fn(&str) -> bool, cluster: &Cluster) -> Vec<Rc<str>> {
        for seen in self.pods.values_mut() {
            seen.away = seen.node.as_ref().is_some_and(|node| !open(node));
        }
        let has = |name: &Rc<str>| {
            self.active().any(|seen| seen.node.as_ref() == Some(name)) || self.nodes.contains(name)
        };
        let there = cluster.nodes.iter().filter(|node| open(&node.meta.name));
        let there: BTreeSet<_> = there.map(|node| Rc::clone(&node.meta.name)).collect();
        let new = there.iter().filter(|name| !has(name)).cloned().collect();
        for gone in self.nodes.difference(&there) {
            self.missing.remove(gone);
        }
        self.nodes = there;
        new
    }

    /// Its node is gone, or closed.
    pub fn is_away(&self, name: &str) -> bool {
        self.pods.get(name).is_some_and(|seen| seen.away)
    }

    /// It was evicted.
    pub fn is_missed(&self, name: &Rc<str>) -> bool {
        let seen = self.pods.get(name);
        let key = seen.map(|seen| self.key(name, &seen.revision, seen.node.as_ref()));
        key.is_some_and(|key| self.missing.get(&key) > Some(&0))
    }

    /// A user evicted this pod.
    pub fn evicted(&mut self, name: &Rc<str>) {
        if let Some(seen) = self.pods.get(name).filter(|seen| seen.active) {
            let key = self.key(name, &seen.revision, seen.node.as_ref());
            *self.missing.entry(key).or_default() += 1;
        }
    }

    /// Another template overtakes an update, and the stock controller does not wait for pods below
    /// the one that it replaces: those of its names that are not ready now are on nobody's account.
    pub fn overtaken(&mut self, names: impl Iterator<Item = Rc<str>>) {
        for name in names {
            if let Some(seen) = self.pods.get_mut(&name).filter(|seen| seen.active) {
                seen.excused |= seen.ready_since.is_none();
            } else {
                self.missing.insert(name, 1);
            }
        }
    }

    /// Active pods.
    pub fn total(&self) -> i32 {
        count(self.active().filter(|seen| !seen.away))
    }

    /// Nodes with active pods.
    pub fn occupied(&self) -> i32 {
        places(self.active().filter(|seen| !seen.away))
    }

    /// Active pods on nodes that are gone: they look as they did.
    pub fn ghosts(&self, cluster: &Cluster) -> i32 {
        let gone = |node: &Rc<str>| cluster.nodes.get(node).is_none();
        count(self.active().filter(|seen| seen.node.as_ref().is_some_and(gone)))
    }

    /// The highest ordinal of a StatefulSet's active pods, and one: lower ones may be missing.
    pub fn span(&self) -> i32 {
        self.active().filter_map(|seen| seen.index).max().map_or(0, |index| index + 1)
    }

    /// Active pods of a revision.
    pub fn of(&self, revision: &Revision) -> i32 {
        count(self.reached().filter(|seen| seen.revision == *revision))
    }

    /// Active pods of a revision that are ready.
    pub fn ready(&self, revision: &Revision) -> i32 {
        let ready = |seen: &&Seen| seen.revision == *revision && seen.ready_since.is_some();
        count(self.reached().filter(ready))
    }

    /// Active pods that are ready, or would be but for something that is not our doing.
    pub fn serving(&self) -> i32 {
        let missing: i32 = self.missing.values().sum();
        let here = self.active().filter(|seen| !seen.away);
        let serves = here.filter(|seen| seen.ready_since.is_some() || seen.excused);
        if self.nodes.is_empty() { missing + count(serves) } else { missing + places(serves) }
    }

    /// Active pods of a revision that have been ready for so many seconds.
    pub fn available(&self, revision: &Revision, min_ready_seconds: i32, now: Moment) -> i32 {
        let span = std::time::Duration::from_secs(u64::try_from(min_ready_seconds).unwrap_or(0));
        let counts = |seen: &&Seen| {
            seen.revision == *revision && seen.ready_since.is_some_and(|since| since + span <= now)
        };
        count(self.reached().filter(counts))
    }

    /// Revisions that have active pods.
    pub fn revisions(&self) -> Vec<(Revision, i32)> {
        let mut counts: BTreeMap<&Revision, i32> = BTreeMap::new();
        for seen in self.reached() {
            *counts.entry(&seen.revision).or_default() += 1;
        }
        counts.into_iter().map(|(revision, count)| (revision.clone(), count)).collect()
    }

    /// Active pods that an update may reach.
    fn reached(&self) -> impl Iterator<Item = &Seen> {
        self.active().filter(|seen| seen.index.is_none_or(|index| index >= self.partition))
    }

    fn active(&self) -> impl Iterator<Item = &Seen> {
        self.pods.values().filter(|seen| seen.active)
    }
}

impl Seen {
    fn going(&self) -> Turn {
        let (revision, excused) = (self.revision.clone(), self.excused);
        Turn::Gone { revision, excused, ready_since: self.ready_since }
    }
}

/// Nodes that have some of these; two on one of them serve once.
fn places<'a>(pods: impl Iterator<Item = &'a Seen>) -> i32 {
    let nodes: BTreeSet<_> = pods.filter_map(|seen| seen.node.as_ref()).collect();
    count(nodes.iter())
}

fn count<T>(items: impl Iterator<Item = T>) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}
