//! What is watched for one Rollout alone: its workload while that is not armed, ReplicaSets and
//! pods while a plan asks for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crds::WorkloadKind;
use jiff::Timestamp;
use plan::observed::{Answered, Fact, Live, NumberedRevision, Pod, Set, Sets};

use super::traffic::OwnTraffic;
use super::{Demand, Entry, Mirror, Read, Scope, Source};
use crate::key::{Key, Target};
use crate::observe::{PodSeen, SetSeen, Unreadable, WorkloadSeen};
use crate::raw::RouteKind;

/// The mirrors of one Rollout.
#[derive(Debug, Default)]
pub struct Own {
    /// The workload, watched by its name.
    pub workload: Option<Mirror<Read<WorkloadSeen>>>,
    /// Its kind.
    kind: Option<WorkloadKind>,
    /// The plan asks for ReplicaSets and pods.
    pub wants_sets: bool,
    /// ReplicaSets and pods.
    pub sets: Option<OwnSets>,
    /// Routes and Services.
    pub traffic: Option<OwnTraffic>,
    /// Since when a fact has been missing that normally comes within moments.
    pub unsettled_since: Option<Timestamp>,
    /// Gates whose questions are being asked.
    pub asking: BTreeSet<String>,
    /// The last answer of each gate.
    pub answers: BTreeMap<String, Answered>,
}

/// The revisions of a workload and their pods.
#[derive(Debug)]
pub struct OwnSets {
    kind: WorkloadKind,
    scope: Scope,
    /// ReplicaSets, or ControllerRevisions.
    pub sets: Mirror<Read<Option<SetSeen>>>,
    /// Pods.
    pub pods: Mirror<Read<Option<PodSeen>>>,
}

impl Own {
    /// Brings the watches in line: `alone` is the workload if it has to be watched by its name,
    /// `scope` where its ReplicaSets and pods are, if anybody can say.
    pub fn refresh(
        &mut self,
        key: &Key,
        alone: Option<Target>,
        scope: Option<(WorkloadKind, Scope)>,
        demands: &mut Vec<Demand>,
    ) {
        match (alone, self.workload.is_some()) {
            (Some(workload), false) => {
                self.workload = Some(Mirror::default());
                self.kind = Some(workload.kind);
                let source = Source::Workload(workload.kind, key.clone());
                demands.push(Demand::Start(source, Scope::Named(workload.key)));
            }
            (None, true) => self.stop_workload(key, demands),
            (Some(_), true) | (None, false) => {}
        }
        let held = self.sets.as_ref().map(|own| (own.kind, own.scope.clone()));
        // A workload that cannot be seen for a moment keeps its watches.
        let wanted = if self.wants_sets { scope.or_else(|| held.clone()) } else { None };
        if held == wanted {
            return;
        }
        self.stop_sets(key, demands);
        self.sets = wanted.map(|(kind, scope)| {
            for source in [Source::Sets(kind, key.clone()), Source::Pods(key.clone())] {
                demands.push(Demand::Start(source, scope.clone()));
            }
            OwnSets { kind, scope, sets: Mirror::default(), pods: Mirror::default() }
        });
    }

    /// Brings the watches of routes in line: of these kinds, or none.
    pub fn refresh_traffic(
        &mut self,
        key: &Key,
        kinds: Option<&BTreeSet<RouteKind>>,
        demands: &mut Vec<Demand>,
    ) {
        match kinds {
            Some(kinds) => {
                let own = self.traffic.get_or_insert_with(|| OwnTraffic::start(key, demands));
                own.watch(key, kinds, demands);
            }
            None => {
                if let Some(own) = self.traffic.take() {
                    own.stop(key, demands);
                }
            }
        }
    }

    /// Stops all watches: the Rollout is gone.
    pub fn stop(mut self, key: &Key, demands: &mut Vec<Demand>) {
        self.refresh_traffic(key, None, demands);
        self.stop_workload(key, demands);
        self.stop_sets(key, demands);
    }

    fn stop_workload(&mut self, key: &Key, demands: &mut Vec<Demand>) {
        if let (Some(_), Some(kind)) = (self.workload.take(), self.kind.take()) {
            demands.push(Demand::Stop(Source::Workload(kind, key.clone())));
        }
    }

    fn stop_sets(&mut self, key: &Key, demands: &mut Vec<Demand>) {
        if let Some(own) = self.sets.take() {
            demands.push(Demand::Stop(Source::Sets(own.kind, key.clone())));
            demands.push(Demand::Stop(Source::Pods(key.clone())));
        }
    }
}

impl OwnSets {
    /// The pods of this workload, split by revision.
    pub fn of(&self, workload: &WorkloadSeen) -> Fact<Sets> {
        if !self.sets.is_synced() || !self.pods.is_synced() {
            return Fact::Unknown("ReplicaSets and pods have not been read yet".into());
        }
        let split = match &workload.fields {
            Live::Deployment(_) => self.split(workload).map(Fact::Known),
            numbered => self.numbered(workload, numbered),
        };
        match split {
            Ok(sets) => sets,
            Err(Unreadable(why)) => Fact::Unknown(why),
        }
    }

    fn split(&self, workload: &WorkloadSeen) -> Read<Sets> {
        let mut pods = self.pods_by_owner()?;
        let mut mine: Vec<(&SetSeen, &Entry<_>)> = Vec::new();
        for (_, entry) in self.sets.iter() {
            if let Some(seen) = entry.value.as_ref().map_err(Clone::clone)?
                && seen.owner == workload.uid
            {
                mine.push((seen, entry));
            }
        }
        mine.sort_by(|(a, _), (b, _)| {
            (b.number, b.created, &b.name).cmp(&(a.number, a.created, &a.name))
        });
        // Of several sets with the live template the stock controller takes the oldest.
        let update = mine
            .iter()
            .map(|(seen, _)| *seen)
            .filter(|seen| seen.revision == workload.revision)
            .min_by_key(|seen| (seen.created, &seen.name))
            .map(|seen| seen.uid.clone());
        let mut sets = Sets::default();
        for (seen, entry) in mine {
            let pods = pods.remove(seen.uid.as_str()).unwrap_or_default();
            let set: Set = seen.set(&entry.resource_version, pods);
            if update.as_ref() == Some(&set.uid) {
                sets.update = Some(set);
            } else {
                sets.old.push(set);
            }
        }
        Ok(sets)
    }

    fn numbered(&self, workload: &WorkloadSeen, live: &Live) -> Read<Fact<Sets>> {
        let mut revisions = Vec::new();
        for (_, entry) in self.sets.iter() {
            if let Some(seen) = entry.value.as_ref().map_err(Clone::clone)?
                && seen.owner == workload.uid
            {
                revisions.push(NumberedRevision {
                    name: seen.name.clone(),
                    uid: seen.uid.clone(),
                    resource_version: entry.resource_version.clone(),
                    number: i64::try_from(seen.number).unwrap_or(i64::MAX),
                    revision: seen.revision.clone(),
                });
            }
        }
        let mut pods = Vec::new();
        for (_, entry) in self.pods.iter() {
            if let Some(seen) = entry.value.as_ref().map_err(Clone::clone)?
                && seen.owner == workload.uid
            {
                pods.push((seen.revision.clone().unwrap_or_default(), seen.pod.clone()));
            }
        }
        Ok(live.sets(&workload.hold, &workload.revision, revisions, pods))
    }

    fn pods_by_owner(&self) -> Read<HashMap<&str, Vec<Pod>>> {
        let mut pods: HashMap<&str, Vec<Pod>> = HashMap::new();
        for (_, entry) in self.pods.iter() {
            if let Some(seen) = entry.value.as_ref().map_err(Clone::clone)? {
                pods.entry(seen.owner.as_str()).or_default().push(seen.pod.clone());
            }
        }
        for pods in pods.values_mut() {
            pods.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok(pods)
    }
}
