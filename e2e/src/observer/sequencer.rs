//! Brings the events of several watches into the one order in which they happened. The watches of
//! pods, ReplicaSets and Deployments run apart, so an effect may arrive before its cause; all are
//! in one etcd, so their resource versions are one count. Events wait a moment for late ones.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Sighting;

/// How long an event waits for earlier ones that are still on their way.
const PATIENCE: Duration = Duration::from_millis(300);

/// Events on their way to the judge.
#[derive(Debug, Default)]
pub struct Sequencer {
    waiting: BTreeMap<(u64, u64), (Duration, Sighting)>,
    arrivals: u64,
}

impl Sequencer {
    /// Takes in an event that arrived `now`, of an object at `version`.
    pub fn arrive(&mut self, now: Duration, version: u64, sighting: Sighting) {
        self.arrivals += 1;
        self.waiting.insert((version, self.arrivals), (now, sighting));
    }

    /// Gives out, in order and with their moments, the events that have waited long enough and
    /// all that happened before them.
    pub fn due(&mut self, now: Duration) -> Vec<(Duration, Sighting)> {
        let ripe = |(at, _): &(Duration, Sighting)| *at + PATIENCE <= now;
        match self.waiting.iter().rev().find(|(_, entry)| ripe(entry)) {
            Some((&last, _)) => {
                let later = self.waiting.split_off(&(last.0, last.1 + 1));
                std::mem::replace(&mut self.waiting, later).into_values().collect()
            }
            None => Vec::new(),
        }
    }

    /// Gives out everything, in order.
    pub fn flush(&mut self) -> Vec<(Duration, Sighting)> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}
