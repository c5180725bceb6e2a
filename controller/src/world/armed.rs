//! The armed workloads, by kind, and which kinds the cluster has. Bookkeeping only: what becomes of
//! a Rollout whose kind is missing is the planner's business.

use std::collections::BTreeSet;

use crds::WorkloadKind;
use crds::contract::{ARMED_LABEL, ARMED_VALUE};

use super::{Demand, Entry, Mirror, Read, Scope, Source};
use crate::key::Target;
use crate::observe::WorkloadSeen;

/// One mirror a kind.
#[derive(Debug, Default)]
pub struct Armed {
    deployments: Mirror<Read<WorkloadSeen>>,
    stateful: Mirror<Read<WorkloadSeen>>,
    clonesets: Mirror<Read<WorkloadSeen>>,
    daemonsets: Mirror<Read<WorkloadSeen>>,
    /// Kinds that are watched no more: the cluster does not have them, and no Rollout names one.
    unwatched: BTreeSet<WorkloadKind>,
    /// Kinds whose CRD is not installed.
    missing: BTreeSet<WorkloadKind>,
}

/// The watch of all armed workloads of a kind.
pub fn standing(kind: WorkloadKind) -> (Source, Scope) {
    (Source::Armed(kind), Scope::Labelled(format!("{ARMED_LABEL}={ARMED_VALUE}")))
}

impl Armed {
    /// Those of one kind.
    pub fn of(&self, kind: WorkloadKind) -> &Mirror<Read<WorkloadSeen>> {
        match kind {
            WorkloadKind::Deployment => &self.deployments,
            WorkloadKind::StatefulSet => &self.stateful,
            WorkloadKind::CloneSet => &self.clonesets,
            WorkloadKind::DaemonSet => &self.daemonsets,
        }
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, kind: WorkloadKind) -> &mut Mirror<Read<WorkloadSeen>> {
        match kind {
            WorkloadKind::Deployment => &mut self.deployments,
            WorkloadKind::StatefulSet => &mut self.stateful,
            WorkloadKind::CloneSet => &mut self.clonesets,
            WorkloadKind::DaemonSet => &mut self.daemonsets,
        }
    }

    /// One of them.
    pub fn get(&self, target: &Target) -> Option<&Entry<Read<WorkloadSeen>>> {
        self.of(target.kind).get(&target.key)
    }

    /// The first list of a kind is complete, or there is nothing to list.
    pub fn is_listed(&self, kind: WorkloadKind) -> bool {
        self.of(kind).is_synced() || self.missing.contains(&kind)
    }

    /// The first lists of all kinds are complete.
    pub fn is_synced(&self) -> bool {
        WorkloadKind::ALL.into_iter().all(|kind| self.is_listed(kind))
    }

    /// A Rollout names the kind: it is watched again.
    pub fn want(&mut self, kind: WorkloadKind, demands: &mut Vec<Demand>) {
        if self.unwatched.remove(&kind) {
            let (source, scope) = standing(kind);
            demands.push(Demand::Start(source, scope));
        }
    }

    /// Kinds that are missing and asked for again and again.
    pub fn waited_for(&self) -> Vec<WorkloadKind> {
        self.missing.difference(&self.unwatched).copied().collect()
    }

    /// No Rollout names a kind that is missing: it is asked for no more.
    pub fn unwatch(&mut self, kind: WorkloadKind, demands: &mut Vec<Demand>) {
        if self.unwatched.insert(kind) {
            demands.push(Demand::Stop(Source::Armed(kind)));
        }
    }

    /// The cluster has no such kind; true if that is news.
    pub fn note_missing(&mut self, kind: WorkloadKind) -> bool {
        !kind.is_built_in() && self.missing.insert(kind)
    }

    /// The cluster has the kind; true if that is news.
    pub fn note_there(&mut self, kind: WorkloadKind) -> bool {
        self.missing.remove(&kind)
    }

    /// The cluster is known not to have the kind.
    pub fn is_missing(&self, kind: WorkloadKind) -> bool {
        self.missing.contains(&kind)
    }
}
