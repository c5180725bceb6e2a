//! Everything that the watches and our own writes have shown, and which watches are needed. It
//! puts an [`Observed`] together; it decides nothing about releases and does no IO.
//!
//! ```text
//!   always:                Rollouts, armed workloads of each kind that the cluster has or a
//!                          Rollout names, kept templates (everywhere)
//!   a workload not armed:  that workload alone, by name
//!   the plan asks for it:  revisions and pods of the workload, by its selector; routes and
//!                          Services of the namespace
//! ```

mod armed;
mod mirror;
mod orphans;
mod own;
mod traffic;

use std::collections::{BTreeSet, HashMap};

use crds::WorkloadKind;
use crds::contract::{REVISION_LABEL, ROLLOUT_LABEL, SYSTEM_NAMESPACE};
use jiff::Timestamp;
use kube::runtime::watcher::Event;
use plan::Ask;
use plan::observed::{Answered, Fact, KeptTemplate, Observed, Sets};
use tokio::time::Instant;

use self::armed::Armed;
use self::mirror::{Entry, Mirror};
use self::orphans::Orphans;
use self::own::{Own, OwnSets};
use self::traffic::OwnTraffic;
use crate::key::{Key, Target};
use crate::observe::{self, KeptSeen, RolloutSeen, Unreadable, WorkloadSeen};
use crate::raw::{Raw, RouteKind};

/// A watch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// All Rollouts.
    Rollouts,
    /// All armed workloads of this kind.
    Armed(WorkloadKind),
    /// All ControllerRevisions of ours.
    Kept,
    /// The workload of this Rollout, while it is not armed.
    Workload(WorkloadKind, Key),
    /// The revisions of this Rollout's workload.
    Sets(WorkloadKind, Key),
    /// Its pods.
    Pods(Key),
    /// The Services of its namespace.
    Services(Key),
    /// The EndpointSlices of its own Services.
    Slices(Key),
    /// The routes of its namespace.
    Routes(RouteKind, Key),
}

/// A watch to start or to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Start it, on what [`World::scope`] says.
    Start(Source, Scope),
    /// Stop it.
    Stop(Source),
}

/// What a watch selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All namespaces.
    All,
    /// By labels in all namespaces.
    Labelled(String),
    /// One object.
    Named(Key),
    /// By labels in a namespace.
    Selected {
        /// The namespace.
        namespace: String,
        /// The labels.
        selector: String,
    },
}

type Read<T> = Result<T, Unreadable>;

/// All that is known.
#[derive(Debug, Default)]
pub struct World {
    rollouts: Mirror<Read<RolloutSeen>>,
    armed: Armed,
    kept: Mirror<Read<KeptSeen>>,
    own: HashMap<Key, Own>,
    /// Rollout -> workload, and back.
    references: HashMap<Key, Target>,
    by_workload: HashMap<Target, BTreeSet<Key>>,
    orphans: Orphans,
    demands: Vec<Demand>,
    questions: Vec<(Key, Ask)>,
    /// Sluice's own.
    namespace: String,
}

impl World {
    /// Nothing is known yet; Sluice itself is in `namespace`.
    pub fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }

    /// The first lists of the standing watches are complete: there is something to plan on.
    pub fn is_synced(&self) -> bool {
        self.rollouts.is_synced() && self.armed.is_synced() && self.kept.is_synced()
    }

    /// All Rollouts that can be read.
    pub fn rollouts(&self) -> impl Iterator<Item = &RolloutSeen> {
        self.rollouts.iter().filter_map(|(_, entry)| entry.value.as_ref().ok())
    }

    /// Keys of all Rollouts, and of those that only the label of an orphan names.
    pub fn keys(&self) -> Vec<Key> {
        let rollouts = self.rollouts.iter().map(|(key, _)| key);
        let keys: BTreeSet<&Key> = rollouts.chain(self.orphans.claims()).collect();
        keys.into_iter().cloned().collect()
    }

    /// A Rollout, and the resourceVersion that it was read at.
    pub fn rollout(&self, key: &Key) -> Option<(&Read<RolloutSeen>, &str)> {
        self.rollouts.get(key).map(|entry| (&entry.value, entry.resource_version.as_str()))
    }

    /// The workload of a Rollout: none while nobody can say.
    pub fn workload(&self, rollout: &Key) -> Option<&WorkloadSeen> {
        match self.workload_fact(rollout) {
            Fact::Known(seen) => Some(seen),
            Fact::Absent | Fact::Unknown(_) => None,
        }
    }

    /// The armed workloads that no Rollout names, of those that `rollout` has to look after; each
    /// with the moment before which it is not to be touched.
    pub fn orphans(&self, rollout: &Key) -> Vec<(Target, Option<Instant>)> {
        match self.rollouts.get(rollout).map(|entry| &entry.value) {
            // It may well name them.
            Some(Err(_)) => Vec::new(),
            Some(Ok(_)) | None => self.orphans.of(rollout),
        }
    }

    /// An armed workload, whoever names it.
    pub fn armed(&self, workload: &Target) -> Option<&WorkloadSeen> {
        self.armed.get(workload)?.value.as_ref().ok().filter(|seen| seen.armed)
    }

    /// An orphan is not to be touched before `until`.
    pub fn rest_orphan(&mut self, workload: &Target, until: Instant) {
        self.orphans.rest(workload, until);
    }

    /// uid of a kept template's ControllerRevision.
    pub fn kept_uid(&self, key: &Key) -> Option<&str> {
        self.kept.get(key).map(|entry| entry.uid.as_str())
    }

    /// The complete picture of a Rollout; none if it is gone.
    pub fn observe(&self, key: &Key) -> Option<Read<Observed>> {
        let rollout = match &self.rollouts.get(key)?.value {
            Ok(rollout) => rollout,
            Err(unreadable) => return Some(Err(unreadable.clone())),
        };
        let workload = match self.workload_fact(key) {
            Fact::Known(seen) => Fact::Known(seen.workload(&key.name, self.sets(key, seen))),
            Fact::Absent => Fact::Absent,
            Fact::Unknown(why) => Fact::Unknown(why),
        };
        let exempt = [SYSTEM_NAMESPACE, &self.namespace].contains(&key.namespace.as_str());
        let uninstalled = rollout.workload().is_some_and(|one| self.armed.is_missing(one.kind));
        let rollout = rollout.facts(self.rival(rollout), exempt, uninstalled);
        let kept = self.kept_of(key, &rollout.uid);
        let own = self.own.get(key);
        let unsettled_since = own.and_then(|own| own.unsettled_since);
        let answers = own.map_or_else(Vec::new, |own| own.answers.values().cloned().collect());
        let traffic = match own.and_then(|own| own.traffic.as_ref()) {
            Some(traffic) => traffic.facts(key, &rollout.spec),
            None => Fact::Absent,
        };
        let seen = Observed { rollout, workload, kept, unsettled_since: None, traffic, answers };
        let unsettled_since = unsettled_since.filter(|_| seen.is_unsettled());
        Some(Ok(Observed { unsettled_since, ..seen }))
    }

    /// Remembers since when a Rollout has been unsettled.
    pub fn date(&mut self, key: &Key, seen: &mut Observed, now: Timestamp) {
        let since = seen.is_unsettled().then(|| seen.unsettled_since.unwrap_or(now));
        seen.unsettled_since = since;
        self.own.entry(key.clone()).or_default().unsettled_since = since;
    }

    /// There are demands or questions to be taken.
    pub fn has_demands(&self) -> bool {
        !self.demands.is_empty() || !self.questions.is_empty()
    }

    /// A plan wants to know this; what is being asked already is not asked twice. Of gates that
    /// ask no more, the answers are forgotten.
    pub fn want_answers(&mut self, key: &Key, asks: Vec<Ask>, gates: &BTreeSet<&str>) {
        let Some(own) = self.own.get_mut(key) else { return };
        own.answers.retain(|gate, _| gates.contains(gate.as_str()));
        for ask in asks {
            if own.asking.insert(ask.gate.clone()) {
                self.questions.push((key.clone(), ask));
            }
        }
    }

    /// The questions since the last call.
    pub fn take_questions(&mut self) -> Vec<(Key, Ask)> {
        std::mem::take(&mut self.questions)
    }

    /// A question was answered.
    pub fn answered(&mut self, key: &Key, answered: Answered) {
        if let Some(own) = self.own.get_mut(key) {
            own.asking.remove(&answered.ask.gate);
            own.answers.insert(answered.ask.gate.clone(), answered);
        }
    }

    /// The demands since the last call.
    pub fn take_demands(&mut self) -> Vec<Demand> {
        std::mem::take(&mut self.demands)
    }

    /// A plan wants ReplicaSets and pods watched, or no more.
    pub fn want_sets(&mut self, key: &Key, wanted: bool) {
        if self.rollouts.get(key).is_some() {
            self.own.entry(key.clone()).or_default().wants_sets = wanted;
        }
        self.refresh(key);
    }

    /// A plan wants routes and Services watched, or no more.
    pub fn want_routes(&mut self, key: &Key, wanted: bool) {
        let kinds = match self.rollouts.get(key).map(|entry| &entry.value) {
            Some(Ok(seen)) if wanted => Some(traffic::kinds_of(&seen.spec)),
            _ => None,
        };
        if let Some(own) = self.own.get_mut(key) {
            own.refresh_traffic(key, kinds.as_ref(), &mut self.demands);
        }
    }

    /// The watch of these is refused because there is no such kind; returns the Rollouts that it
    /// matters to.
    pub fn lost_kind(&mut self, source: &Source) -> Vec<Key> {
        let (Source::Armed(kind) | Source::Workload(kind, _)) = source else { return Vec::new() };
        let news = self.armed.note_missing(*kind);
        self.unwatch_idle();
        if news { self.rollouts_of(*kind) } else { Vec::new() }
    }

    /// Once all Rollouts are known, kinds that are missing are waited for only where one is named.
    fn unwatch_idle(&mut self) {
        if self.rollouts.is_synced() {
            for kind in self.armed.waited_for() {
                if !self.references.values().any(|target| target.kind == kind) {
                    self.armed.unwatch(kind, &mut self.demands);
                }
            }
        }
    }

    fn rollouts_of(&self, kind: WorkloadKind) -> Vec<Key> {
        let of_kind = |(_, target): &(&Key, &Target)| target.kind == kind;
        self.references.iter().filter(of_kind).map(|(key, _)| key.clone()).collect()
    }

    /// The standing watches, for a start.
    pub fn standing() -> impl Iterator<Item = (Source, Scope)> {
        let kept = Scope::Labelled(format!("{ROLLOUT_LABEL},{REVISION_LABEL}"));
        [(Source::Rollouts, Scope::All), (Source::Kept, kept)]
            .into_iter()
            .chain(WorkloadKind::ALL.map(armed::standing))
    }

    /// Takes an event in; returns the Rollouts that it matters to.
    pub fn apply(&mut self, source: &Source, event: &Event<Raw>) -> Vec<Key> {
        match source {
            Source::Rollouts => {
                let keys = feed(&mut self.rollouts, event, observe::rollout);
                let touched = keys.iter().flat_map(|key| self.reindex(key)).collect();
                self.unwatch_idle();
                touched
            }
            Source::Armed(kind) => {
                let appeared = matches!(event, Event::InitDone) && self.armed.note_there(*kind);
                let mirror = self.armed.of_mut(*kind);
                let first = !mirror.is_synced();
                let keys = feed(mirror, event, observe::workload_of(*kind));
                let first = (first && mirror.is_synced()) || appeared;
                let targets = keys.into_iter().map(|key| Target::new(*kind, key));
                let changed = targets.flat_map(|target| self.concerned(&target)).collect();
                // Before the first list nobody could say what is not armed.
                let all = if first { self.keys() } else { changed };
                all.iter().for_each(|key| self.refresh(key));
                all
            }
            Source::Kept => {
                let keys = feed(&mut self.kept, event, observe::kept);
                keys.iter().filter_map(|key| self.kept_rollout(key)).collect()
            }
            Source::Workload(kind, key) => {
                let Some(mirror) = self.own.get_mut(key).and_then(|own| own.workload.as_mut())
                else {
                    return Vec::new();
                };
                let was = mirror.is_synced();
                let changed = !feed(mirror, event, observe::workload_of(*kind)).is_empty();
                let there = matches!(event, Event::InitDone) && self.armed.note_there(*kind);
                let news = changed || there || was != mirror.is_synced();
                self.refresh(key);
                news.then(|| key.clone()).into_iter().collect()
            }
            Source::Sets(kind, key) => self.feed_sets(key, |own| {
                let was = own.sets.is_synced();
                !feed(&mut own.sets, event, observe::revision_of(*kind)).is_empty()
                    || was != own.sets.is_synced()
            }),
            Source::Pods(key) => self.feed_sets(key, |own| {
                let was = own.pods.is_synced();
                !feed(&mut own.pods, event, observe::pod).is_empty() || was != own.pods.is_synced()
            }),
            Source::Services(key) | Source::Slices(key) | Source::Routes(_, key) => {
                let own = self.own.get_mut(key).and_then(|own| own.traffic.as_mut());
                let news = own.is_some_and(|own| own.take_in(source, event));
                news.then(|| key.clone()).into_iter().collect()
            }
        }
    }

    /// What a write of ours to a Rollout returned.
    pub fn wrote_rollout(&mut self, raw: &Raw) {
        let key = raw.key();
        if self.rollouts.get(&key).is_some() {
            self.rollouts.put(&key, Entry::new(raw, observe::rollout(raw)));
            self.reindex(&key);
        }
    }

    /// What a write of ours to the workload of a Rollout returned.
    pub fn wrote_workload(&mut self, rollout: &Key, kind: WorkloadKind, raw: &Raw) {
        let target = Target::new(kind, raw.key());
        let entry = || Entry::new(raw, observe::workload_of(kind)(raw));
        if self.armed.get(&target).is_some() {
            self.armed.of_mut(kind).put(&target.key, entry());
            self.note_orphan(&target);
        }
        let mine = self.references.get(rollout) == Some(&target);
        let own = self.own.get_mut(rollout).and_then(|own| own.workload.as_mut());
        if let Some(mirror) = own.filter(|_| mine) {
            mirror.put(&target.key, entry());
        }
    }

    /// What a write of ours to a revision of a Rollout's workload returned.
    pub fn wrote_set(&mut self, rollout: &Key, kind: WorkloadKind, raw: &Raw) {
        if let Some(own) = self.own.get_mut(rollout).and_then(|own| own.sets.as_mut())
            && own.sets.get(&raw.key()).is_some()
        {
            own.sets.put(&raw.key(), Entry::new(raw, observe::revision_of(kind)(raw)));
        }
    }

    /// What a write of ours to a Service returned.
    pub fn wrote_service(&mut self, rollout: &Key, raw: &Raw) {
        self.with_traffic(rollout, |own| own.put_service(raw));
    }

    /// A Service is not there, or was deleted by us.
    pub fn lost_service(&mut self, rollout: &Key, key: &Key) {
        self.with_traffic(rollout, |own| own.drop_service(key));
    }

    /// What a write of ours to a route returned.
    pub fn wrote_route(&mut self, rollout: &Key, kind: RouteKind, raw: &Raw) {
        self.with_traffic(rollout, |own| own.put_route(kind, raw));
    }

    /// A live read said that a route is not there.
    pub fn lost_route(&mut self, rollout: &Key, kind: RouteKind, key: &Key) {
        self.with_traffic(rollout, |own| own.drop_route(kind, key));
    }

    /// A patch of the route may name its annotations.
    pub fn is_annotated(&self, rollout: &Key, kind: RouteKind, key: &Key) -> bool {
        let own = self.own.get(rollout).and_then(|own| own.traffic.as_ref());
        own.is_some_and(|own| own.is_annotated(kind, key))
    }

    fn with_traffic(&mut self, rollout: &Key, change: impl FnOnce(&mut OwnTraffic)) {
        if let Some(own) = self.own.get_mut(rollout).and_then(|own| own.traffic.as_mut()) {
            change(own);
        }
    }

    /// A template that we kept.
    pub fn wrote_kept(&mut self, raw: &Raw) {
        self.kept.put(&raw.key(), Entry::new(raw, observe::kept(raw)));
    }

    /// A template that we dropped.
    pub fn dropped_kept(&mut self, key: &Key) {
        self.kept.remove_own(key);
    }

    /// A live read said that the workload of a Rollout is not there: the watch has yet to say so.
    pub fn lost_workload(&mut self, rollout: &Key, workload: &Target) {
        self.armed.of_mut(workload.kind).remove_own(&workload.key);
        self.note_orphan(workload);
        if let Some(own) = self.own.get_mut(rollout)
            && let Some(mirror) = &mut own.workload
        {
            mirror.remove_own(&workload.key);
        }
        self.refresh(rollout);
    }

    /// A pod of a Rollout's workload that we deleted.
    pub fn dropped_pod(&mut self, rollout: &Key, key: &Key) {
        if let Some(own) = self.own.get_mut(rollout).and_then(|own| own.sets.as_mut()) {
            own.pods.remove_own(key);
        }
    }

    /// A live read said that a revision is not there.
    pub fn lost_set(&mut self, rollout: &Key, key: &Key) {
        if let Some(own) = self.own.get_mut(rollout).and_then(|own| own.sets.as_mut()) {
            own.sets.remove_own(key);
        }
    }

    fn workload_fact(&self, rollout: &Key) -> Fact<&WorkloadSeen> {
        let Some(Ok(seen)) = self.rollouts.get(rollout).map(|entry| &entry.value) else {
            return Fact::Unknown("the Rollout cannot be read".into());
        };
        let reference = &seen.spec.workload_ref;
        let Some(target) = seen.workload() else {
            let what = format!("{} {} is not supported", reference.api_version, reference.kind);
            return Fact::Unknown(what);
        };
        if self.armed.is_missing(target.kind) {
            return Fact::Absent;
        }
        let key = &target.key;
        let alone = self.own.get(rollout).and_then(|own| own.workload.as_ref());
        let newest = [self.armed.get(&target), alone.and_then(|mirror| mirror.get(key))]
            .into_iter()
            .flatten()
            .reduce(|a, b| if a.version.is_before(b.version) { b } else { a });
        match newest.map(|entry| &entry.value) {
            Some(Ok(seen)) => Fact::Known(seen),
            Some(Err(unreadable)) => Fact::Unknown(unreadable.to_string()),
            // Not being armed says nothing; only a look at the object itself does.
            None if alone.is_some_and(Mirror::is_synced) => Fact::Absent,
            None => Fact::Unknown("the workload has not been read yet".into()),
        }
    }

    fn sets(&self, rollout: &Key, workload: &WorkloadSeen) -> Fact<Sets> {
        match self.own.get(rollout).and_then(|own| own.sets.as_ref()) {
            Some(own) => own.of(workload),
            None => Fact::Unknown("ReplicaSets and pods are not watched".into()),
        }
    }

    fn kept_of(&self, key: &Key, uid: &str) -> Fact<Vec<KeptTemplate>> {
        if !self.kept.is_synced() {
            return Fact::Unknown("kept templates have not been read yet".into());
        }
        let seen = self.kept.iter().filter_map(|(_, entry)| entry.value.as_ref().ok());
        let mine = seen.filter(|seen| seen.rollout == *key && seen.owner == uid);
        let mut kept: Vec<KeptTemplate> = mine.map(|seen| seen.template.clone()).collect();
        kept.sort_by(|a, b| a.name.cmp(&b.name));
        Fact::Known(kept)
    }

    fn rival(&self, rollout: &RolloutSeen) -> Option<String> {
        let others = self.by_workload.get(&rollout.workload()?)?;
        let others = others.iter().filter_map(|key| self.rollouts.get(key)?.value.as_ref().ok());
        let older = others.filter(|other| {
            other.spec.workload_ref == rollout.spec.workload_ref && other.is_older_than(rollout)
        });
        older.min_by_key(|other| (other.created, &other.key)).map(|other| other.key.name.clone())
    }

    /// The Rollouts that name a workload; where there is none, the one that looks after it.
    fn concerned(&mut self, workload: &Target) -> Vec<Key> {
        let orphan = self.note_orphan(workload);
        self.by_workload.get(workload).into_iter().flatten().cloned().chain(orphan).collect()
    }

    fn note_orphan(&mut self, workload: &Target) -> Option<Key> {
        let named = self.by_workload.contains_key(workload);
        let seen = self.armed.get(workload).and_then(|entry| entry.value.as_ref().ok());
        self.orphans.note(workload, seen.filter(|seen| seen.armed && !named))
    }

    fn kept_rollout(&self, key: &Key) -> Option<Key> {
        Some(self.kept.get(key)?.value.as_ref().ok()?.rollout.clone())
    }

    /// A Rollout came, changed or went; returns it and all others that this concerns.
    fn reindex(&mut self, key: &Key) -> Vec<Key> {
        let rollout = self.rollouts.get(key).and_then(|entry| entry.value.as_ref().ok());
        let workload = rollout.and_then(RolloutSeen::workload);
        let before = match &workload {
            Some(workload) => self.references.insert(key.clone(), workload.clone()),
            None => self.references.remove(key),
        };
        // workloadRef is immutable, but a Rollout can be deleted and made again between two lists.
        if let Some(before) = before.as_ref().filter(|before| Some(*before) != workload.as_ref())
            && let Some(rollouts) = self.by_workload.get_mut(before)
        {
            rollouts.remove(key);
            if rollouts.is_empty() {
                self.by_workload.remove(before);
            }
        }
        if let Some(workload) = &workload {
            self.armed.want(workload.kind, &mut self.demands);
            self.by_workload.entry(workload.clone()).or_default().insert(key.clone());
        }
        let mut touched = BTreeSet::from([key.clone()]);
        for workload in before.iter().chain(&workload) {
            touched.extend(self.concerned(workload));
        }
        self.refresh(key);
        touched.into_iter().collect()
    }

    fn feed_sets(&mut self, key: &Key, news: impl FnOnce(&mut OwnSets) -> bool) -> Vec<Key> {
        let own = self.own.get_mut(key).and_then(|own| own.sets.as_mut());
        own.is_some_and(news).then(|| key.clone()).into_iter().collect()
    }

    /// Brings the watches of one Rollout in line with what is known of it.
    fn refresh(&mut self, key: &Key) {
        if self.rollouts.get(key).is_none() {
            if let Some(own) = self.own.remove(key) {
                own.stop(key, &mut self.demands);
            }
            return;
        }
        let alone = self
            .references
            .get(key)
            .filter(|workload| {
                self.armed.is_listed(workload.kind) && self.armed.get(workload).is_none()
            })
            .cloned();
        let kind = self.references.get(key).map(|workload| workload.kind);
        let scope = self.workload(key).zip(kind).map(|(seen, kind)| {
            let (namespace, selector) = (key.namespace.clone(), seen.selector.clone());
            (kind, Scope::Selected { namespace, selector })
        });
        let own = self.own.entry(key.clone()).or_default();
        own.refresh(key, alone, scope, &mut self.demands);
    }
}

/// Takes an event into a mirror; returns what changed.
fn feed<T: PartialEq>(
    mirror: &mut Mirror<Read<T>>,
    event: &Event<Raw>,
    read: fn(&Raw) -> Read<T>,
) -> Vec<Key> {
    match event {
        Event::Init => {
            mirror.list_begins();
            Vec::new()
        }
        Event::InitDone => mirror.list_ends(),
        Event::InitApply(raw) | Event::Apply(raw) => {
            let key = raw.key();
            let changed = mirror.put(&key, Entry::new(raw, read(raw)));
            changed.then_some(key).into_iter().collect()
        }
        Event::Delete(raw) => {
            let key = raw.key();
            let changed = mirror.remove(&key, raw.uid(), raw.version());
            changed.then_some(key).into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests;
