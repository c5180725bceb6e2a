//! What happened, for people: kept only where somebody will read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use crds::Revision;

use super::cluster::{Cluster, Kind};
use super::moment::Moment;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Moment,
    /// Whose doing: `user`, `sluice`, `stock`, `pods`, `fault`, `event`.
    pub who: &'static str,
    /// What.
    pub what: String,
}

/// All that happened, in order.
#[derive(Debug, Default)]
pub struct Timeline {
    entries: Option<Vec<Entry>>,
    names: BTreeMap<Revision, String>,
    sizes: BTreeMap<Rc<str>, i32>,
    ready: BTreeMap<Revision, (i32, i32)>,
}

impl Timeline {
    /// A timeline, if anybody wants one.
    pub fn new(record: bool) -> Self {
        Self { entries: record.then(Vec::new), ..Self::default() }
    }

    /// What happened.
    pub fn entries(&self) -> &[Entry] {
        self.entries.as_deref().unwrap_or_default()
    }

    /// The name by which people know a revision.
    pub fn name(&mut self, revision: &Revision, name: &str) {
        self.names.entry(revision.clone()).or_insert_with(|| name.to_owned());
    }

    /// A revision's name, or the revision.
    pub fn name_of(&self, revision: &Revision) -> String {
        self.names.get(revision).cloned().unwrap_or_else(|| revision.to_string())
    }

    /// Text with revisions by their names.
    pub fn readable(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (revision, name) in &self.names {
            if text.contains(revision.as_str()) {
                text = text.replace(revision.as_str(), name);
            }
        }
        text
    }

    /// Notes something.
    pub fn note(&mut self, at: Moment, who: &'static str, what: impl FnOnce() -> String) {
        if self.entries.is_none() {
            return;
        }
        let what = self.readable(&what());
        if let Some(entries) = &mut self.entries {
            entries.push(Entry { at, who, what });
        }
    }

    /// A write was stored.
    pub fn see(&mut self, cluster: &Cluster, kind: Kind, number: usize) {
        if self.entries.is_none() {
            return;
        }
        match kind {
            Kind::ReplicaSet => self.see_set(cluster, number),
            Kind::Pod => self.see_pods(cluster),
            Kind::Deployment | Kind::Rollout | Kind::ControllerRevision | Kind::Node => {}
        }
    }

    fn see_set(&mut self, cluster: &Cluster, number: usize) {
        let Some(change) = cluster.sets.change(number) else { return };
        let Some(set) = &change.object else {
            let name = Rc::clone(&change.name);
            return self.note(cluster.now, "stock", || format!("{name} is deleted"));
        };
        let before = self.sizes.insert(Rc::clone(&change.name), set.replicas).unwrap_or(0);
        if before != set.replicas {
            let name = self.name_of(&set.revision);
            let after = set.replicas;
            self.note(cluster.now, "stock", || format!("{name} {before} -> {after}"));
        }
    }

    /// Pods of each revision, ready of all, whenever that changes.
    fn see_pods(&mut self, cluster: &Cluster) {
        let mut counts: BTreeMap<Revision, (i32, i32)> =
            self.ready.keys().map(|revision| (revision.clone(), (0, 0))).collect();
        for pod in cluster.pods.iter().filter(|pod| pod.is_active()) {
            let (ready, all) = counts.entry(pod.revision.clone()).or_default();
            *all += 1;
            *ready += i32::from(pod.is_ready());
        }
        if counts == self.ready {
            return;
        }
        let mut text = String::new();
        for (revision, (ready, all)) in counts.iter().filter(|(_, (_, all))| *all > 0) {
            let gap = if text.is_empty() { "" } else { ", " };
            // Writing to a String does not fail.
            let _ = write!(text, "{gap}{} {ready}/{all}", self.name_of(revision));
        }
        let pods = if text.is_empty() { "none".to_owned() } else { text };
        self.ready = counts;
        match self.entries.as_mut().and_then(|entries| entries.last_mut()) {
            Some(last) if last.who == "pods" && last.at == cluster.now => last.what = pods,
            _ => self.note(cluster.now, "pods", || pods),
        }
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>12}  {:<6}  {}", self.at.to_string(), self.who, self.what)
    }
}
