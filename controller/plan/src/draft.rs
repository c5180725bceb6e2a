//! A plan in the making: collects what the machine decides and turns it into a [`Plan`]. Decides
//! nothing about a release.

use crds::status::{Phase, WaitingFor};
use crds::{RolloutStatus, WorkloadKind};
use jiff::{Timestamp, ToSpan};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::action::{Action, Ask, Plan, Turn};
use crate::conditions::{self, Armed};
use crate::observed::Observed;
use crate::turns;
use crate::waiting::Wait;

/// How long a wait that normally takes moments goes unsaid: saying it costs two status writes.
pub(crate) const PATIENCE_SECONDS: i64 = 5;

/// A plan in the making.
pub(crate) struct Draft<'a> {
    pub(crate) seen: &'a Observed,
    pub(crate) now: Timestamp,
    /// The status that is being planned; it starts as what was said last.
    pub(crate) status: RolloutStatus,
    pub(crate) armed: Armed,
    pub(crate) watch_sets: bool,
    pub(crate) watch_routes: bool,
    actions: Vec<Action>,
    asks: Vec<Ask>,
    turns: Vec<Turn>,
    wake: Option<Timestamp>,
    wait: Option<Wait>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(seen: &'a Observed, now: Timestamp) -> Self {
        let status = seen.rollout.status.clone();
        let armed = Armed::of(&status);
        Self {
            seen,
            now,
            status,
            armed,
            watch_sets: false,
            watch_routes: false,
            actions: Vec::new(),
            asks: Vec::new(),
            turns: Vec::new(),
            wake: None,
            wait: None,
        }
    }

    /// The kind of the workload; whatever is not known is spoken of as the first one.
    pub(crate) fn kind(&self) -> WorkloadKind {
        self.seen.rollout.spec.workload_ref.kind().unwrap_or(WorkloadKind::Deployment)
    }

    /// What was said last.
    pub(crate) fn before(&self) -> &'a RolloutStatus {
        &self.seen.rollout.status
    }

    /// The present as the status can carry it: whole seconds, as the API prints times.
    pub(crate) fn stamp(&self) -> Time {
        Time(whole_seconds(self.now))
    }

    /// The first moment that the status can carry and that is not before the present: what is
    /// measured from here never comes out too short.
    pub(crate) fn stamp_after(&self) -> Time {
        let floor = whole_seconds(self.now);
        if floor == self.now { Time(floor) } else { Time(later(floor, 1)) }
    }

    /// The batch's time begins now.
    pub(crate) fn restart_clock(&mut self) {
        let stamp = self.stamp_after();
        if let Some(batch) = &mut self.status.batch {
            batch.started_at = stamp;
        }
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Asks a gate's question.
    pub(crate) fn ask(&mut self, ask: Ask) {
        self.asks.push(ask);
    }

    /// Adds an Event that does not follow from two statuses.
    pub(crate) fn turn(&mut self, turn: Turn) {
        self.turns.push(turn);
    }

    /// Plans again at `moment`, if that is to come.
    pub(crate) fn wake_at(&mut self, moment: Timestamp) {
        if moment > self.now {
            self.wake = Some(self.wake.map_or(moment, |wake| wake.min(moment)));
        }
    }

    pub(crate) fn phase(&mut self, phase: Phase) {
        self.status.phase = phase;
    }

    /// Says what is waited for.
    pub(crate) fn wait(&mut self, wait: Wait) {
        self.wait = Some(wait);
    }

    /// Says nothing is waited for.
    pub(crate) fn wait_for_nothing(&mut self) {
        self.wait = None;
        self.status.waiting_for = None;
    }

    /// Says what is waited for instead of what was said so far, but only where that takes longer
    /// than it should.
    pub(crate) fn wait_quietly(&mut self, wait: Wait) {
        let said = match &self.wait {
            Some(wait) => Some(self.waiting_for(wait)),
            None => self.before().waiting_for.clone(),
        };
        let going_on = self
            .before()
            .waiting_for
            .as_ref()
            .is_some_and(|before| before.reason == wait.reason(self.kind()));
        let Some(said) = said.filter(|_| !going_on) else { return self.wait = Some(wait) };
        let since = self.seen.unsettled_since.map_or(said.since.0, |at| at.max(said.since.0));
        let patience = later(since, PATIENCE_SECONDS);
        if patience > self.now {
            self.wake_at(patience);
        } else {
            self.wait = Some(wait);
        }
    }

    pub(crate) fn finish(mut self) -> Plan {
        if let Some(wait) = self.wait.take() {
            self.status.waiting_for = Some(self.waiting_for(&wait));
        }
        self.say_deletion();
        self.status.observed_generation = Some(self.seen.rollout.generation);
        let stamp = self.stamp();
        conditions::set(&mut self.status, self.armed, self.seen.rollout.generation, &stamp);
        turns::between(self.before(), &self.status, &mut self.turns);
        let still_out = !self.status.routes.is_empty();
        Plan {
            actions: self.actions,
            asks: self.asks,
            status: self.status,
            events: self.turns,
            wake: self.wake,
            // What is not home yet has to be seen on the way.
            watch_routes: self.watch_routes || still_out,
            watch_sets: self.watch_sets,
        }
    }

    /// A Rollout that is deleted in a release goes after it, and whoever waits for that has to
    /// know.
    fn say_deletion(&mut self) {
        const SAID: &str = "; the Rollout is being deleted and goes when the release is over";
        let waits = self.seen.rollout.deleting && self.status.phase != Phase::Terminating;
        if let Some(waiting) = self.status.waiting_for.as_mut().filter(|_| waits)
            && !waiting.message.ends_with(SAID)
        {
            waiting.message.push_str(SAID);
        }
    }

    fn waiting_for(&self, wait: &Wait) -> WaitingFor {
        let batch = |status: &RolloutStatus| status.batch.as_ref().map(|batch| batch.index);
        let same_batch = batch(self.before()) == batch(&self.status)
            && self.before().update_revision == self.status.update_revision;
        let reason = wait.reason(self.kind());
        let since = self
            .before()
            .waiting_for
            .as_ref()
            .filter(|said| said.reason == reason && same_batch)
            .map_or_else(|| self.stamp(), |said| said.since.clone());
        WaitingFor { reason: reason.into(), message: wait.message(self.kind()), since }
    }
}

fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_millisecond().div_euclid(1000)).unwrap_or(moment)
}

/// `seconds` after `moment`; the end of time where that is beyond it.
pub(crate) fn later(moment: Timestamp, seconds: i64) -> Timestamp {
    moment.checked_add(seconds.seconds()).unwrap_or(Timestamp::MAX)
}
