//! The invariants of the design, checked on every event. What is allowed follows from the user's
//! own commands and from what the pods did, never from what Sluice says of itself, but for two
//! things a human reads there: the answer to a request, and that a release was announced.
//!
//! ```text
//!   pods:     who is there, ready, excused          limits:   invariant 2 (surge, unavailable)
//!   release:  which batch may be reached by now     end:      invariants 4, 7 and 8, at rest
//! ```

mod end;
mod gates;
mod limits;
mod pods;
mod release;

use std::fmt;

use crds::contract::{FENCE_MIN_READY_SECONDS, FENCE_PARTITION};
use crds::hold::Reading;
use crds::{Hold, HoldState, Kept, Revision, RolloutSpec};

pub use end::Summary;
use limits::{Limits, Rounding};
use pods::Pods;
use release::Releases;

use super::cluster::objects::{Deployment, Pod};
use super::cluster::{Cluster, Kind, admission};
use super::metrics::Health;
use super::moment::Moment;
use super::shell::Known;
use super::user::Own;
use crate::observed::Answered;

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Moment,
    /// Number of the invariant in the design.
    pub invariant: u8,
    /// What was seen, and what is allowed.
    pub what: String,
}

/// All checks, and what they remember.
#[derive(Default)]
pub struct Checks {
    pods: Pods,
    limits: Limits,
    releases: Releases,
    /// The Deployment as it was last stored.
    workload: Option<std::rc::Rc<Deployment>>,
    violation: Option<Violation>,
    /// The generation with which a template overtook an update under Parallel.
    overtaking: Option<i64>,
    /// There is no controller of ours: nothing is promised.
    off: bool,
    events: u32,
    /// The user's pause was written while no webhook answered; and the fields were at that time
    /// what the hold projects.
    unseen_pause: Option<bool>,
    /// The uid of the pod that our controller deleted last.
    taken: Option<std::rc::Rc<str>>,
}

impl Checks {
    /// Checks of a world where our controller is at work, or not.
    pub fn new(on: bool) -> Self {
        Self { off: !on, ..Self::default() }
    }

    /// What went wrong first, if anything did.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Says that something is wrong.
    pub fn fail(&mut self, at: Moment, invariant: u8, what: impl Into<String>) {
        if self.violation.is_none() && !self.off {
            self.violation = Some(Violation { at, invariant, what: what.into() });
        }
    }

    /// A write was stored.
    pub fn see(&mut self, cluster: &Cluster, kind: Kind, number: usize) {
        let verdict = match kind {
            Kind::Deployment => self.see_deployment(cluster, number),
            Kind::Pod => self.see_pod(cluster, number),
            Kind::Rollout => {
                self.releases.see_rollout(cluster);
                self.see_gates(cluster)
            }
            Kind::Node => {
                self.see_nodes(cluster);
                Ok(())
            }
            Kind::ReplicaSet | Kind::ControllerRevision => Ok(()),
        };
        if let Err((invariant, what)) = verdict {
            self.fail(cluster.now, invariant, what);
        }
    }

    /// An event is over: the picture as a whole.
    pub fn tick(&mut self, cluster: &Cluster, events_max: u32) {
        self.events += 1;
        if self.events > events_max {
            self.fail(cluster.now, 8, "too many events: something turns in circles");
        }
        let Some(workload) = self.workload.clone() else { return };
        if let Some(generation) = self.overtaking {
            // Until it has seen the other template it goes on with the one before.
            let name = |index| format!("{}-{index}", workload.meta.name).into();
            self.pods.overtaken((0..workload.spec.replicas).map(name));
            let seen = workload.status.observed_generation >= generation;
            self.overtaking = self.overtaking.filter(|_| !seen);
        }
        self.releases.advance(&self.pods, &workload, cluster);
        if let Err(what) = self.limits.check(&self.pods, &workload, cluster, &self.releases) {
            self.fail(cluster.now, 2, what);
        }
    }

    /// The user's own fields from now on.
    pub fn user_fields(&mut self, own: Own) {
        let fields = own.fields;
        self.pods.partition = match own.partition {
            Kept::Pods(pods) => pods,
            Kept::Percent(_) => 0,
        };
        self.releases.partition = Some(own.partition);
        if self.limits.fields != Some(fields) {
            let replicas = self.workload.as_ref().map_or(0, |workload| workload.spec.replicas);
            self.limits.edited(fields, replicas);
            self.releases.edited(fields, replicas);
        }
    }

    /// The user pauses or resumes, and the webhook sees it or not.
    pub fn user_pause(&mut self, seen: bool, projected: bool) {
        self.unseen_pause = (!seen).then_some(projected);
    }

    /// The user's own fields.
    pub fn fields(&self) -> Option<Own> {
        let partition = self.releases.partition.unwrap_or(Kept::Pods(0));
        self.limits.fields.map(|fields| Own { fields, partition })
    }

    /// The user's Rollout from now on; None: deleted.
    pub fn user_rollout(&mut self, spec: Option<RolloutSpec>) {
        self.releases.user_rollout(spec, self.workload.as_deref());
    }

    /// The user asked for something.
    pub fn user_request(&mut self, request: &crds::Request) {
        self.releases.user_request(request);
    }

    /// The model Prometheus answered a gate.
    pub fn answered(&mut self, answered: &Answered, health: Health, at: Moment) {
        self.releases.gates.answered(&answered.ask, health, at);
    }

    /// The user evicted a pod of this name.
    pub fn user_evicted(&mut self, name: &std::rc::Rc<str>) {
        self.pods.evicted(name);
    }

    /// Our controller deletes a pod, and knew this when it planned to.
    pub fn cleared(&mut self, cluster: &Cluster, name: &str, known: Option<&Known>) {
        self.limits.cleared();
        let Some(workload) = self.workload.clone().filter(|it| it.daemon.is_some()) else { return };
        let Some(pod) = cluster.pods.get(name).filter(|pod| pod.is_active()) else { return };
        if known.is_none() {
            self.pods.evicted(&pod.meta.name);
        }
        self.taken = Some(std::rc::Rc::clone(&pod.meta.uid));
        // No other comes in its place.
        if self.pods.is_away(name) {
            return;
        }
        let verdict = self.releases.takes(&self.pods, (&workload, cluster), pod, known);
        if let Err((invariant, what)) = verdict {
            self.fail(cluster.now, invariant, what);
        }
    }

    /// The stable revision as the checks have it.
    pub fn stable(&self) -> Option<&Revision> {
        self.releases.stable.as_ref()
    }

    fn see_deployment(&mut self, cluster: &Cluster, number: usize) -> Verdict {
        let change = cluster.deployments.change(number);
        let stored = change.and_then(|change| change.object.clone());
        let stored = stored.map(|stored| on_nodes(cluster, &stored));
        let before = std::mem::replace(&mut self.workload, stored.clone());
        let Some(now) = stored else {
            self.pods.forget();
            self.limits.forget();
            self.releases.forget();
            return Ok(());
        };
        let Some(before) = before else {
            self.releases.stable = Some(now.revision.clone());
            self.pods.stateful = now.stateful.is_some();
            self.limits.rounding = Rounding::of(&now);
            self.releases.rounding = Rounding::of(&now);
            return Ok(());
        };
        if before.spec.replicas != now.spec.replicas {
            self.limits.scaled(&self.pods, before.spec.replicas, now.spec.replicas);
            self.releases.scaled(&self.pods, cluster, &now, &before);
        }
        if before.revision != now.revision {
            if now.stateful.is_some_and(|stateful| !stateful.ordered) {
                self.overtaking = Some(now.meta.generation);
            }
            return self.releases.template_changed(&self.pods, cluster, &before, &now);
        }
        let lifted = is_fenced(&before) && !is_fenced(&now);
        if lifted { self.releases.lifted(&self.pods, cluster, &now) } else { Ok(()) }
    }

    /// The nodes are a DaemonSet's replicas, whatever its status says.
    fn see_nodes(&mut self, cluster: &Cluster) {
        let open = |name: &str| cluster.nodes.get(name).is_some_and(|node| !node.closed);
        let opened = self.pods.on_nodes(open, cluster);
        let Some(before) = self.workload.clone().filter(|it| it.daemon.is_some()) else { return };
        let now = on_nodes(cluster, &before);
        opened.iter().for_each(|node| self.releases.opened(node));
        self.workload = Some(std::rc::Rc::clone(&now));
        if before.spec.replicas != now.spec.replicas {
            self.limits.scaled(&self.pods, before.spec.replicas, now.spec.replicas);
            self.releases.scaled(&self.pods, cluster, &now, &before);
        }
    }

    fn see_gates(&self, cluster: &Cluster) -> Verdict {
        let gates = cluster.rollouts.iter().flat_map(|rollout| &rollout.status.gates);
        let mut twice = gates.filter(|said| !self.releases.gates.is_counted_once(said));
        match twice.next() {
            Some(said) => Err((6, format!("gate {} counts requests twice", said.name))),
            None => Ok(()),
        }
    }

    fn see_pod(&mut self, cluster: &Cluster, number: usize) -> Verdict {
        let Some(change) = cluster.pods.change(number) else { return Ok(()) };
        if !self.pods.knows(&change.name) && !self.is_ours(cluster, change.object.as_deref()) {
            return Ok(());
        }
        let turn = self.pods.see(&change.name, change.object.as_deref());
        let Some(workload) = self.workload.clone() else { return Ok(()) };
        match turn {
            pods::Turn::Created(revision) => {
                self.releases.pod_created(&self.pods, &revision, &workload, cluster)
            }
            pods::Turn::Gone { revision, excused, ready_since } => {
                if workload.daemon.is_some() {
                    self.see_loss(cluster, number);
                }
                if excused || self.is_unripe(&workload, ready_since, cluster.now) {
                    self.limits.lost();
                }
                self.releases.pod_gone(&revision, ready_since, cluster.now);
                Ok(())
            }
            pods::Turn::Other => Ok(()),
        }
    }

    /// Pods of a DaemonSet that have not been ready for as long as the user asks serve nobody in
    /// the eyes of its controller: it takes them all at once.
    fn is_unripe(&self, workload: &Deployment, ready_since: Option<Moment>, now: Moment) -> bool {
        let seconds = u64::try_from(workload.spec.min_ready_seconds).unwrap_or(0);
        let ripe = |since: Moment| since + std::time::Duration::from_secs(seconds) <= now;
        workload.daemon.is_some() && ready_since.is_some_and(|since| !ripe(since))
    }

    /// A pod of a DaemonSet has gone: taken by us, or by its controller, which under a hold that it
    /// has seen takes only what is surplus, or lost.
    fn see_loss(&mut self, cluster: &Cluster, number: usize) {
        let Some(workload) = self.workload.clone() else { return };
        let Some(change) = cluster.pods.change(number) else { return };
        let Some(pod) = &change.object else { return };
        let beside = |other: &&std::rc::Rc<Pod>| other.is_active() && other.node == pod.node;
        let sees = workload.status.observed_generation >= workload.meta.generation;
        let surplus = cluster.pods.iter().any(|other| beside(&other));
        let asked = self.taken.as_ref() == Some(&pod.meta.uid);
        if !asked && (!sees || surplus || self.pods.is_missed(&change.name)) {
            self.releases.lost(cluster, pod);
        }
    }

    /// It is of the workload that is there now.
    fn is_ours(&self, cluster: &Cluster, pod: Option<&Pod>) -> bool {
        let set = pod.and_then(|pod| cluster.sets.iter().find(|set| set.meta.uid == pod.owner));
        let workload = self.workload.as_ref().map(|workload| &workload.meta.uid);
        set.is_some_and(|set| Some(&set.owner) == workload)
            || pod.is_some_and(|pod| Some(&pod.owner) == workload)
    }
}

/// A DaemonSet with its open nodes as replicas.
fn on_nodes(cluster: &Cluster, workload: &std::rc::Rc<Deployment>) -> std::rc::Rc<Deployment> {
    if workload.daemon.is_none() {
        return std::rc::Rc::clone(workload);
    }
    let mut workload = Deployment::clone(workload);
    let open = cluster.nodes.iter().filter(|node| !node.closed).count();
    workload.spec.replicas = i32::try_from(open).unwrap_or(i32::MAX);
    std::rc::Rc::new(workload)
}

/// Number of the invariant, and what is wrong.
type Verdict = Result<(), (u8, String)>;

/// The fence is on. A StatefulSet's or CloneSet's partition may be anything in a batch: it is held
/// as long as it has its hold.
pub fn is_fenced(workload: &Deployment) -> bool {
    if !workload.is_numbered() {
        return workload.spec.min_ready_seconds == FENCE_MIN_READY_SECONDS;
    }
    let Reading::Hold(hold) = Hold::of(&workload.raw) else { return false };
    matches!(
        hold.state,
        HoldState::Partitioned(_) | HoldState::Portioned(_) | HoldState::Withheld(_)
    )
}

/// No update of this StatefulSet or CloneSet reaches any pod, at any scale.
fn is_shut(workload: &Deployment) -> bool {
    let shut = if workload.cloneset.is_some() { Kept::ALL } else { Kept::Pods(FENCE_PARTITION) };
    workload.partition() == shut
}

fn is_armed(deployment: &Deployment) -> bool {
    admission::is_armed(&deployment.raw)
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} invariant {}: {}", self.at, self.invariant, self.what)
    }
}
