//! Our controller in memory: observe, plan, execute, publish, exactly as the real shell does it,
//! one write at a time so that anything can happen between two of them. It keeps nothing over a
//! crash.

mod act;
mod request;
mod view;
mod words;

use std::collections::VecDeque;
use std::rc::Rc;

use crds::RolloutStatus;

pub use request::{Failure, HoldRequest, Request, SetChange, on_the_wire};
pub use view::{Caches, Known};

use super::bug::Saboteur;
use super::cluster::{Cluster, Refused};
use super::moment::Moment;
use crate::{Ask, Observed, Plan};

/// The planner under test.
pub type Planner = fn(&Observed, jiff::Timestamp) -> Plan;

/// The controller.
pub struct Shell {
    pub caches: Caches,
    pub saboteur: Saboteur,
    /// As it was when the last plan was made.
    pub known: Known,
    rollout: Rc<str>,
    planner: Planner,
    stage: Stage,
    /// Something happened since the last plan was made.
    dirty: bool,
    /// The plan asks for ReplicaSets and pods.
    wants_sets: bool,
    failures: u32,
    /// Plans in a row that wrote something.
    rounds: u32,
}

/// More rounds than this in a row mean that a plan does not see what it did.
const ROUNDS_MAX: u32 = 12;

enum Stage {
    Idle,
    Writing(Box<Writing>),
}

/// A plan that is being carried out.
struct Writing {
    requests: VecDeque<Request>,
    status: Option<RolloutStatus>,
    wake: Option<Moment>,
    wrote: bool,
    failed: bool,
}

/// What the world has to do for the shell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Nothing before something happens, or before this moment.
    Rest(Option<Moment>),
    /// Give it its turn for a write.
    Write,
    /// Plan again at once.
    Plan,
    /// Plan again after a wait that grows with each failure.
    Retry(u32),
}

/// What came of a plan.
pub struct Planned {
    /// What to do next.
    pub next: Next,
    /// Watches of ReplicaSets and pods have to be started.
    pub list_sets: bool,
    /// Questions to metric providers, none of which is being asked already.
    pub asks: Vec<Ask>,
    /// Turns of the release worth an Event.
    pub turns: Vec<crate::Turn>,
}

impl Shell {
    /// A controller for one Rollout.
    pub fn new(rollout: &str, planner: Planner, saboteur: Saboteur) -> Self {
        Self {
            caches: Caches::default(),
            saboteur,
            known: Known::default(),
            rollout: rollout.into(),
            planner,
            stage: Stage::Idle,
            dirty: true,
            wants_sets: false,
            failures: 0,
            rounds: 0,
        }
    }

    /// Starts with nothing but what it lists.
    pub fn restart(&mut self, cluster: &Cluster) {
        self.caches = Caches::list(cluster);
        self.stage = Stage::Idle;
        self.dirty = true;
        self.wants_sets = false;
        self.failures = 0;
    }

    /// Takes note of news; true if there is none at work who will see it.
    pub fn notice(&mut self) -> bool {
        self.dirty = true;
        matches!(self.stage, Stage::Idle)
    }

    /// Observes and plans, unless a plan is being carried out.
    pub fn plan(&mut self, cluster: &Cluster) -> Planned {
        let rest = |next| {
            let (asks, turns) = (Vec::new(), Vec::new());
            Planned { next, list_sets: false, asks, turns }
        };
        if !matches!(self.stage, Stage::Idle) {
            return rest(Next::Rest(None));
        }
        self.dirty = false;
        let Some(mut seen) = self.caches.observe(cluster, &self.rollout) else {
            return rest(Next::Rest(None));
        };
        self.known = self.caches.known(&seen);
        let now = cluster.now.timestamp();
        let since = self.caches.unsettled_since.unwrap_or(now);
        seen.unsettled_since = seen.is_unsettled().then_some(since);
        self.caches.unsettled_since = seen.unsettled_since;
        self.saboteur.distort_seen(&mut seen);
        let mut plan = (self.planner)(&seen, cluster.now.timestamp());
        self.saboteur.distort_plan(&seen, &mut plan, cluster.now);
        let list_sets = plan.watch_sets && !self.wants_sets;
        self.wants_sets = plan.watch_sets;
        if !plan.watch_sets {
            self.caches.sets_synced = false;
        }
        let asks = self.caches.new_asks(plan.asks.clone());
        let (requests, failed) = self.requests(cluster, &seen, &plan);
        let differs =
            plan.status != seen.rollout.status && on_the_wire(&plan.status) != seen.rollout.status;
        let writing = Writing {
            requests,
            status: differs.then_some(plan.status),
            wake: plan.wake.map(Moment::at_or_after),
            wrote: false,
            failed,
        };
        self.stage = Stage::Writing(Box::new(writing));
        Planned { next: self.next(), list_sets, asks, turns: plan.events }
    }

    /// The write that is next, if a plan is being carried out.
    pub fn pending(&self) -> Option<Request> {
        let Stage::Writing(writing) = &self.stage else { return None };
        if let Some(request) = writing.requests.front() {
            return Some(request.clone());
        }
        let status = writing.status.clone()?;
        let version = self.caches.rollouts.get(&self.rollout)?.meta.version;
        let rollout = Rc::clone(&self.rollout);
        Some(Request::Status { rollout, version, status: Box::new(status) })
    }

    /// The Rollout went before its status was written: nobody is left to be told.
    pub fn leave(&mut self) -> Next {
        if let Stage::Writing(writing) = &mut self.stage {
            writing.status = None;
        }
        self.next()
    }

    /// Takes the answer to the write that was pending.
    pub fn answered(
        &mut self,
        cluster: &Cluster,
        request: &Request,
        answer: &Result<(), Failure>,
    ) -> Next {
        self.caches.take_answer(cluster, request, answer);
        let gone = self.caches.rollouts.get(&self.rollout).is_none();
        let Stage::Writing(writing) = &mut self.stage else { return Next::Rest(None) };
        if gone {
            // Without its finalizer it goes, and nobody is left to be told.
            writing.status = None;
        }
        match request {
            Request::Status { .. } => writing.status = None,
            _ => drop(writing.requests.pop_front()),
        }
        match answer {
            Ok(()) => writing.wrote = true,
            Err(failure) => {
                let past_webhook = matches!(
                    failure,
                    Failure::WebhookAbsent | Failure::Refused(Refused::Denied(_))
                );
                match request {
                    Request::Hold(hold) if past_webhook && hold.may_write_fields => {
                        writing.requests.push_front(Request::Retreat(hold.clone()));
                    }
                    _ => {
                        writing.requests.clear();
                        writing.wrote = true;
                        writing.failed |= !failure.is_stale();
                    }
                }
            }
        }
        self.next()
    }

    fn next(&mut self) -> Next {
        let Stage::Writing(writing) = &self.stage else { return Next::Rest(None) };
        if !writing.requests.is_empty() || writing.status.is_some() {
            return Next::Write;
        }
        let (failed, wrote, wake) = (writing.failed, writing.wrote, writing.wake);
        self.stage = Stage::Idle;
        self.rounds = if wrote { self.rounds + 1 } else { 0 };
        if failed || self.rounds > ROUNDS_MAX {
            self.rounds = 0;
            self.failures += 1;
            return Next::Retry(self.failures);
        }
        if !wrote {
            self.failures = 0;
        }
        if wrote || self.dirty { Next::Plan } else { Next::Rest(wake) }
    }
}
