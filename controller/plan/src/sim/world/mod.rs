//! The world: a cluster model, the stock controllers, our controller, time, and chance, all from
//! one seed. It moves one event at a time; after each, every write since is shown to the checks.

pub(in crate::sim) mod deliver;
mod faults;
pub mod queue;
mod run;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

pub use faults::{Fault, Faults, When};
use queue::{Client, Event, Queue};

use super::bug::{Bug, Saboteur};
use super::check::Checks;
use super::cluster::{Cluster, Kind};
use super::metrics::Prometheus;
use super::moment::Moment;
use super::random::Random;
use super::shell::{Planner, Shell};
use super::stock::{DeploymentController, Kubelet, SetController};
use super::timeline::Timeline;
use super::user::User;

/// The name of the Deployment and of the Rollout.
pub const NAME: &str = "web";

/// Everything.
pub struct World {
    pub cluster: Cluster,
    pub kubelet: Kubelet,
    pub faults: Faults,
    pub prometheus: Prometheus,
    pub checks: Checks,
    pub timeline: Timeline,
    queue: Queue,
    deployments: DeploymentController,
    sets: SetController,
    shell: Option<Shell>,
    random: Random,
    /// The journal has been shown to everybody up to here.
    shown: usize,
    pending: Pending,
    wakes: u64,
    /// Our controller runs.
    alive: bool,
    /// Turn of our controller's writes; those of a dead controller have an old one.
    epoch: u64,
    /// Writes that our controller has begun.
    writes: u32,
    /// Writes that our controller has done.
    pub written: u32,
    /// The user at work.
    pub user: User,
    /// The re-applying every second that is on; others have ended.
    pub(in crate::sim) reapply: u64,
    /// Nodes that there have been.
    pub(in crate::sim) nodes: u64,
}

/// What is scheduled already and need not be scheduled again.
#[derive(Default)]
struct Pending {
    deployment: bool,
    deployment_failures: u32,
    sets: BTreeSet<Rc<str>>,
    plan: bool,
    /// When the last delivery of each watch is due.
    deliveries: std::collections::BTreeMap<(Client, Kind), Moment>,
    /// Availability checks that are due.
    checks: BTreeSet<(Rc<str>, Moment)>,
}

/// What a world is made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Of everything random.
    pub seed: u64,
    /// The planner; none: no controller of ours.
    pub planner: Option<Planner>,
    /// A planted bug.
    pub bug: Option<Bug>,
    /// A fault.
    pub fault: Option<Fault>,
    /// Keep a timeline.
    pub record: bool,
}

/// Who watches what.
const WATCHES: [(Client, Kind); 11] = [
    (Client::Deployments, Kind::Deployment),
    (Client::Deployments, Kind::ReplicaSet),
    (Client::Deployments, Kind::Pod),
    (Client::Deployments, Kind::Node),
    (Client::Sets, Kind::ReplicaSet),
    (Client::Sets, Kind::Pod),
    (Client::Ours, Kind::Deployment),
    (Client::Ours, Kind::ReplicaSet),
    (Client::Ours, Kind::Pod),
    (Client::Ours, Kind::Rollout),
    (Client::Ours, Kind::ControllerRevision),
];

impl World {
    /// An empty cluster.
    pub fn new(options: &Options) -> Self {
        let stream = |name: &str| Random::stream(options.seed, name);
        let shell = options.planner.map(|planner| {
            let saboteur = Saboteur::new(options.bug, stream("bug"));
            Shell::new(NAME, planner, saboteur)
        });
        let mut world = Self {
            cluster: Cluster::default(),
            kubelet: Kubelet::new(stream("kubelet")),
            faults: Faults::default(),
            prometheus: Prometheus::default(),
            checks: Checks::new(options.planner.is_some()),
            timeline: Timeline::new(options.record),
            queue: Queue::default(),
            deployments: DeploymentController::new(stream("clones")),
            sets: SetController::new(stream("sets")),
            shell,
            random: stream("world"),
            shown: 0,
            pending: Pending::default(),
            wakes: 0,
            alive: true,
            epoch: 0,
            writes: 0,
            written: 0,
            user: User::default(),
            reapply: 0,
            nodes: 0,
        };
        world.cluster.admission.bug = options.bug;
        world.faults.at_writes.extend(options.fault);
        world.ask_for_plan(Duration::ZERO);
        world
    }

    /// Now.
    pub fn now(&self) -> Moment {
        self.cluster.now
    }

    /// Writes that our controller has begun so far.
    pub fn writes(&self) -> u32 {
        self.writes
    }

    fn after(&mut self, low: u64, high: u64) -> Moment {
        let span = self.random.millis(low, high);
        self.cluster.now + span
    }

    pub(in crate::sim) fn schedule(&mut self, after: Duration, event: Event) {
        self.queue.add(self.cluster.now + after, event);
    }
}
