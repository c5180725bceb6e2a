//! The armed workloads that no Rollout names, each under the Rollout that its label names: that
//! one's turns look after it, so that no two ever do. Bookkeeping only.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::key::{Key, Target};
use crate::observe::WorkloadSeen;

/// By workload.
#[derive(Debug, Default)]
pub struct Orphans(HashMap<Target, Orphan>);

#[derive(Debug)]
struct Orphan {
    /// The Rollout of its label, which may or may not exist.
    claim: Key,
    /// Not to be touched before.
    rests_until: Option<Instant>,
}

impl Orphans {
    /// Says what `workload` is now: `seen` if it is armed and no Rollout names it. Returns whose
    /// turns look after it.
    pub fn note(&mut self, workload: &Target, seen: Option<&WorkloadSeen>) -> Option<Key> {
        let Some(seen) = seen else {
            self.0.remove(workload);
            return None;
        };
        let name = seen.rollout.as_deref().unwrap_or_default();
        let claim = Key::new(&workload.key.namespace, name);
        let orphan = Orphan { claim: claim.clone(), rests_until: None };
        self.0.entry(workload.clone()).or_insert(orphan).claim = claim.clone();
        Some(claim)
    }

    /// Whose turns look after any.
    pub fn claims(&self) -> impl Iterator<Item = &Key> {
        self.0.values().map(|orphan| &orphan.claim)
    }

    /// Those that this one's turns look after, and until when each has to rest.
    pub fn of(&self, claim: &Key) -> Vec<(Target, Option<Instant>)> {
        let mine = self.0.iter().filter(|(_, orphan)| orphan.claim == *claim);
        mine.map(|(key, orphan)| (key.clone(), orphan.rests_until)).collect()
    }

    /// It is not to be touched before.
    pub fn rest(&mut self, workload: &Target, until: Instant) {
        if let Some(orphan) = self.0.get_mut(workload) {
            orphan.rests_until = Some(until);
        }
    }
}
