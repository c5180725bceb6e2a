//! What goes wrong: crashes of our controller at a write, slow and frozen watches, stock
//! controllers that are down. Data, and how the world applies it.

use std::time::Duration;

use super::World;
use super::queue::{Client, Event};
use crate::sim::cluster::Kind;
use crate::sim::moment::Moment;
use crate::sim::shell::Request;

/// Where in a write our controller dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before it is sent.
    Before,
    /// After it was done, before its answer was seen.
    After,
    /// Before its answer; the write itself arrives when the next controller is at work.
    Late,
}

/// Something that goes wrong once, at a write of our controller (by its number, from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It dies, and is back a moment later.
    Crash {
        /// At this write.
        write: u32,
        /// Where in it.
        when: When,
    },
    /// All of its watches stand still.
    Freeze {
        /// After this write.
        write: u32,
        /// For so long.
        span: Duration,
    },
}

/// What is wrong now, and what will be.
#[derive(Clone, Debug)]
pub struct Faults {
    pub at_writes: Vec<Fault>,
    /// Our controller stays down this long after a crash.
    pub down: Duration,
    /// Watches deliver after at least and at most so many milliseconds.
    pub lag: (u64, u64),
    /// Our own watches, beyond that: of these kinds nothing is delivered until then.
    pub frozen: Vec<(Kind, Moment)>,
    /// Our API calls take at least and at most so many milliseconds.
    pub latency: (u64, u64),
    /// Of a hundred writes of ours, so many get no answer (and half of those are done).
    pub unanswered: u64,
    /// Of a hundred syncs of stock controllers, so many fail on an old cache.
    pub stock_conflicts: u64,
    /// The stock controllers are down.
    pub stock_down: bool,
    /// Our controller is down, and does not come back by itself.
    pub ours_down: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            at_writes: Vec::new(),
            down: Duration::from_millis(1500),
            lag: (1, 8),
            frozen: Vec::new(),
            latency: (1, 5),
            unanswered: 0,
            stock_conflicts: 0,
            stock_down: false,
            ours_down: false,
        }
    }
}

impl Faults {
    /// Until when a watch is frozen.
    pub fn frozen_until(&self, client: Client, kind: Kind) -> Option<Moment> {
        let of_ours = self.frozen.iter().filter(|(frozen, _)| *frozen == kind);
        of_ours.map(|(_, until)| *until).max().filter(|_| client == Client::Ours)
    }
}

impl World {
    /// All faults end, whatever is down comes back.
    pub fn heal(&mut self) {
        self.open_nodes();
        let was = std::mem::take(&mut self.faults);
        self.faults.at_writes = was.at_writes;
        self.cluster.admission.webhook = true;
        self.cluster.admission.policy = true;
        if was.stock_down {
            self.start_stock();
        }
        if was.ours_down {
            self.schedule(Duration::ZERO, Event::Restart);
        }
    }

    /// Our controller dies and comes back after a while, unless it is to stay down.
    pub fn crash(&mut self, note: &str) {
        self.epoch += 1;
        self.alive = false;
        self.timeline.note(self.cluster.now, "fault", || format!("controller killed {note}"));
        if !self.faults.ours_down {
            self.schedule(self.faults.down, Event::Restart);
        }
    }

    /// Our controller dies and stays down.
    pub fn stop_controller(&mut self) {
        self.faults.ours_down = true;
        self.crash("and stays down");
    }

    /// Our controller starts again.
    pub fn start_controller(&mut self) {
        self.faults.ours_down = false;
        self.schedule(Duration::ZERO, Event::Restart);
    }

    /// The stock controllers stop.
    pub fn stop_stock(&mut self) {
        self.faults.stock_down = true;
    }

    /// The stock controllers start with what they list.
    pub fn start_stock(&mut self) {
        self.faults.stock_down = false;
        self.deployments.deployments.list(&self.cluster.deployments);
        self.deployments.sets.list(&self.cluster.sets);
        self.deployments.pods.list(&self.cluster.pods);
        self.deployments.nodes.list(&self.cluster.nodes);
        self.sets.sets.list(&self.cluster.sets);
        self.sets.pods.list(&self.cluster.pods);
        self.sets.forget();
        self.ask_for_deployment();
        let names: Vec<_> = self.cluster.sets.iter().map(|set| set.meta.name.clone()).collect();
        names.into_iter().for_each(|name| self.ask_for_set(name));
    }

    /// A crash that is due at this write.
    pub(super) fn crash_at(&self, write: u32) -> Option<When> {
        self.faults.at_writes.iter().find_map(|fault| match fault {
            Fault::Crash { write: at, when } if *at == write => Some(*when),
            _ => None,
        })
    }

    /// A freeze that is due after this write.
    pub(super) fn freeze_at(&self, write: u32) -> Option<Duration> {
        self.faults.at_writes.iter().find_map(|fault| match fault {
            Fault::Freeze { write: at, span } if *at == write => Some(*span),
            _ => None,
        })
    }

    /// The write reaches the apiserver after its sender died.
    pub(super) fn send_late(&mut self, request: Request) {
        let delay = self.faults.down + self.random.millis(5, 400);
        self.schedule(delay, Event::Late(Box::new(request)));
    }

    /// Freezes all of our watches for a while.
    pub fn freeze_all(&mut self, span: Duration) {
        let kinds = [Kind::Deployment, Kind::ReplicaSet, Kind::Pod, Kind::Rollout];
        self.freeze(&kinds, span);
        self.freeze(&[Kind::ControllerRevision], span);
    }

    /// Freezes our watches of these kinds for a while.
    pub fn freeze(&mut self, kinds: &[Kind], span: Duration) {
        let until = self.cluster.now + span;
        self.faults.frozen.extend(kinds.iter().map(|kind| (*kind, until)));
    }
}
