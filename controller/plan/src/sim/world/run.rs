//! The loop: takes the next event, lets it happen, shows what it wrote.

use std::rc::Rc;
use std::time::Duration;

use super::queue::Event;
use super::{When, World};
use crate::action::Ask;
use crate::sim::cluster::Refused;
use crate::sim::moment::Moment;
use crate::sim::shell::{Failure, Known, Next, Request};
use crate::sim::stock::kubelet;

/// After this many events without an end something turns in circles.
const EVENTS_MAX: u32 = 400_000;

/// Longer than anything that a user asks for takes to show.
const A_WHILE: Duration = Duration::from_secs(120);

impl World {
    /// Runs all that is due up to `until`; false if a check failed on the way.
    pub fn run_until(&mut self, until: Moment) -> bool {
        while let Some(at) = self.queue.next_at()
            && at <= until
        {
            if !self.step() {
                return false;
            }
        }
        self.cluster.now = self.cluster.now.max(until);
        self.checks.violation().is_none()
    }

    /// Runs until nothing more will happen (but for a moment in which nothing does), at most
    /// `span`; false if a check failed on the way.
    pub fn run_for(&mut self, span: Duration) -> bool {
        let begun = self.cluster.now;
        let until = begun + span;
        while let Some(at) = self.queue.next_at()
            && at <= until
            && !(self.cluster.now >= begun + A_WHILE && self.only_measures())
        {
            if !self.step() {
                return false;
            }
        }
        self.checks.tick(&self.cluster, EVENTS_MAX);
        self.cluster.now = self.cluster.now + Duration::from_secs(5);
        self.checks.tick(&self.cluster, EVENTS_MAX);
        self.checks.violation().is_none()
    }

    /// A gate that cannot be judged is measured for ever: after a while that is as good as rest.
    fn only_measures(&self) -> bool {
        let waiting = self.cluster.rollouts.get(super::NAME).and_then(|rollout| {
            rollout.status.waiting_for.as_ref().filter(|waits| waits.reason == "GateUnknown")
        });
        waiting
            .is_some_and(|waits| Moment::at_or_after(waits.since.0) + A_WHILE <= self.cluster.now)
    }

    /// Lets one event happen; false once a check has failed.
    fn step(&mut self) -> bool {
        let Some((at, event)) = self.queue.pop() else { return false };
        self.cluster.now = self.cluster.now.max(at);
        self.happen(event);
        self.show();
        self.checks.tick(&self.cluster, EVENTS_MAX);
        self.checks.violation().is_none()
    }

    /// A write from outside (a user's) has been done: shows it.
    pub fn settle_write(&mut self) {
        self.show();
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver(client, kind, upto) => self.deliver(client, kind, upto),
            Event::SyncDeployment => self.sync_deployment(),
            Event::SyncSet(name) => self.sync_set(&name),
            Event::Pod(pod, turn) => {
                if let Some((at, turn)) = self.kubelet.act(&mut self.cluster, &pod, &turn) {
                    self.queue.add(at, Event::Pod(pod, turn));
                }
            }
            Event::Recover(pod) => {
                if pod.is_there(&self.cluster) {
                    kubelet::set_ready(&mut self.cluster, &pod.name, true);
                }
            }
            Event::Collect => self.collect(),
            Event::Orphans(node) => self.collect_from(&node),
            Event::Plan(wake) => self.plan(wake),
            Event::Write(epoch) => self.write(epoch),
            Event::ListSets(epoch) => {
                if let Some(shell) = self.shell.as_mut().filter(|_| epoch == self.epoch) {
                    shell.caches.list_sets(&self.cluster);
                    shell.notice();
                    self.ask_for_plan(Duration::ZERO);
                }
            }
            Event::Answer(epoch, ask) => self.answer(epoch, *ask),
            Event::Restart => self.restart(),
            Event::Late(request) => {
                self.timeline.note(self.cluster.now, "fault", || format!("late: {request}"));
                // Nobody is left to read the answer.
                drop(self.carry_out(&request));
            }
            Event::Reapply(turn) => self.reapply_turn(turn),
        }
    }

    fn sync_deployment(&mut self) {
        self.pending.deployment = false;
        if self.faults.stock_down {
            return;
        }
        let unlucky = self.random.chance(self.faults.stock_conflicts);
        let synced = self.deployments.sync(&mut self.cluster, super::NAME);
        if let Ok(Some(at)) = synced {
            self.ask_for_sync(at);
        }
        if synced.is_err() || unlucky {
            self.pending.deployment_failures += 1;
            let exponent = self.pending.deployment_failures.saturating_sub(1).min(10);
            if !std::mem::replace(&mut self.pending.deployment, true) {
                // What the calls before took delays it, too.
                let wait = Duration::from_millis(5 << exponent) + self.random.millis(0, 15);
                self.schedule(wait, Event::SyncDeployment);
            }
        } else {
            self.pending.deployment_failures = 0;
        }
    }

    fn sync_set(&mut self, name: &Rc<str>) {
        let now = self.cluster.now;
        self.pending.sets.remove(name);
        self.pending.checks.retain(|(_, at)| *at > now);
        if self.faults.stock_down {
            return;
        }
        match self.sets.sync(&mut self.cluster, name) {
            Ok(Some(at)) => self.ask_for_check(name, at),
            Ok(None) => {}
            Err(_) => self.ask_for_set(Rc::clone(name)),
        }
    }

    /// Pods whose node is gone follow it.
    fn collect_from(&mut self, node: &Rc<str>) {
        let cluster = &mut self.cluster;
        let orphans = cluster.pods.iter().filter(|pod| pod.node.as_ref() == Some(node));
        let orphans: Vec<_> = orphans.map(|pod| Rc::clone(&pod.meta.name)).collect();
        orphans.iter().for_each(|name| cluster.remove_pod(name));
    }

    /// Objects whose owner is gone follow it.
    fn collect(&mut self) {
        let cluster = &mut self.cluster;
        let deployed = |uid: &Rc<str>| cluster.deployments.iter().any(|d| d.meta.uid == *uid);
        let orphans: Vec<_> = cluster.sets.iter().filter(|set| !deployed(&set.owner)).collect();
        let orphans: Vec<_> = orphans.iter().map(|set| Rc::clone(&set.meta.name)).collect();
        orphans.iter().for_each(|name| cluster.delete_set(name));
        let owned = |uid: &Rc<str>| cluster.is_owner_of_pods(uid);
        let alone = cluster.pods.iter().filter(|pod| pod.is_active() && !owned(&pod.owner));
        let alone: Vec<_> = alone.map(|pod| Rc::clone(&pod.meta.name)).collect();
        for name in alone {
            cluster.update_pod(&name, |pod| pod.meta.deleting = true);
        }
        let alive = |uid: &Rc<str>| cluster.rollouts.iter().any(|r| r.meta.uid == *uid);
        let kept = cluster.kept.iter().filter(|kept| !alive(&kept.owner));
        let kept: Vec<_> = kept.map(|kept| Rc::clone(&kept.meta.name)).collect();
        for name in kept {
            // Found a moment ago: it is there.
            drop(cluster.delete_kept(&name));
        }
    }

    fn plan(&mut self, wake: Option<u64>) {
        match wake {
            None => self.pending.plan = false,
            Some(wake) if wake != self.wakes => return,
            Some(_) => {}
        }
        let Some(shell) = self.shell.as_mut().filter(|_| self.alive) else { return };
        let planned = shell.plan(&self.cluster);
        let now = self.cluster.now;
        for turn in &planned.turns {
            self.timeline.note(now, "event", || format!("{}: {}", turn.reason, turn.message));
        }
        for ask in planned.asks {
            let at = self.after(2, 50);
            self.queue.add(at, Event::Answer(self.epoch, Box::new(ask)));
        }
        if planned.list_sets {
            let at = self.after(2, 20);
            self.queue.add(at, Event::ListSets(self.epoch));
        }
        self.follow(planned.next);
    }

    /// The answer reaches our controller, if that is still the one that asked.
    fn answer(&mut self, epoch: u64, ask: Ask) {
        let now = self.cluster.now;
        let Some(shell) = self.shell.as_mut().filter(|_| epoch == self.epoch && self.alive) else {
            return;
        };
        let health = self.prometheus.health(&ask);
        let answered = self.prometheus.answer(ask, now.timestamp());
        self.checks.answered(&answered, health, now);
        let (gate, batch) = (&answered.ask.gate, answered.ask.batch);
        self.timeline.note(now, "metrics", || format!("gate {gate}, batch {batch}: {health:?}"));
        shell.caches.take_metric(answered);
        shell.notice();
        self.ask_for_plan(Duration::ZERO);
    }

    fn follow(&mut self, next: Next) {
        match next {
            Next::Rest(wake) => {
                self.wakes += 1;
                if let Some(at) = wake {
                    let at = at.max(self.cluster.now + Duration::from_millis(1));
                    self.queue.add(at, Event::Plan(Some(self.wakes)));
                }
            }
            Next::Write => {
                let (low, high) = self.faults.latency;
                let at = self.after(low, high);
                self.queue.add(at, Event::Write(self.epoch));
            }
            Next::Plan => self.ask_for_plan(Duration::ZERO),
            Next::Retry(failures) => {
                let most = (100_u64 << failures.min(8)).min(15_000);
                let wait = self.random.millis(most / 2, most);
                self.wakes += 1;
                self.schedule(wait, Event::Plan(Some(self.wakes)));
            }
        }
    }

    fn write(&mut self, epoch: u64) {
        if epoch != self.epoch || !self.alive {
            return;
        }
        let Some(shell) = &mut self.shell else { return };
        let Some(request) = shell.pending() else {
            let next = shell.leave();
            return self.follow(next);
        };
        self.writes += 1;
        let crash = self.crash_at(self.writes);
        let number = self.writes;
        match crash {
            Some(When::Before) => return self.crash(&format!("before write {number}")),
            Some(When::Late) => {
                self.send_late(request);
                return self.crash(&format!("in write {number}, which is late"));
            }
            Some(When::After) | None => {}
        }
        let answer = self.send_request(&request);
        self.show();
        if let Some(span) = self.freeze_at(number) {
            self.freeze_all(span);
        }
        if crash == Some(When::After) {
            return self.crash(&format!("after write {number}"));
        }
        if let Some(shell) = &mut self.shell {
            let next = shell.answered(&self.cluster, &request, &answer);
            self.follow(next);
        }
    }

    fn carry_out(&mut self, request: &Request) -> Result<(), Failure> {
        self.carry_out_knowing(request, None)
    }

    /// A write that was planned from what the controller knew; None: nobody can say any more.
    fn carry_out_knowing(
        &mut self,
        request: &Request,
        known: Option<&Known>,
    ) -> Result<(), Failure> {
        if let Request::DeletePod { pod, .. } = request {
            self.checks.cleared(&self.cluster, pod, known);
        }
        request.run(&mut self.cluster)
    }

    fn send_request(&mut self, request: &Request) -> Result<(), Failure> {
        let lost = self.random.chance(self.faults.unanswered);
        let done = !lost || self.random.chance(50);
        let known = self.shell.as_ref().map(|shell| shell.known.clone());
        let answer = if done { self.carry_out_knowing(request, known.as_ref()) } else { Ok(()) };
        self.written += u32::from(done && answer.is_ok());
        let (now, shown) = (self.cluster.now, answer.clone());
        self.timeline.note(now, "sluice", || match shown {
            Ok(()) => format!("{request}"),
            Err(failure) => format!("{request}: {failure:?}"),
        });
        if lost { Err(Failure::Refused(Refused::Unreachable)) } else { answer }
    }

    fn restart(&mut self) {
        if self.faults.ours_down || self.alive {
            return;
        }
        let Some(shell) = &mut self.shell else { return };
        self.alive = true;
        shell.restart(&self.cluster);
        self.epoch += 1;
        self.timeline.note(self.cluster.now, "fault", || "controller starts".to_owned());
        self.pending.plan = false;
        self.ask_for_plan(Duration::from_millis(1));
    }
}
