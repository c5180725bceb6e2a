//! How changes reach those who watch: each watch trails by a delay of its own, in order, and what
//! it shows makes its client look again.

use std::rc::Rc;
use std::time::Duration;

use super::queue::{Client, Event};
use super::{WATCHES, World};
use crate::sim::cluster::Kind;
use crate::sim::moment::Moment;
use crate::sim::stock::kubelet;

/// Later checks of availability are never reached: that is what the fence is.
const HORIZON: Duration = Duration::from_secs(10 * 24 * 3600);

/// So long the pods of a node that is gone look as they did.
pub const UNNOTICED: Duration = Duration::from_secs(4);

impl World {
    /// Shows every write since the last call: to the kubelet, the checks, the timeline, and, after
    /// a while, to whoever watches.
    pub(super) fn show(&mut self) {
        let from = self.shown;
        let mut kinds: [bool; 6] = [false; 6];
        while let Some((kind, number)) = self.cluster.journal().get(self.shown).copied() {
            self.shown += 1;
            kinds[kind as usize] = true;
            if kind == Kind::Pod {
                self.show_pod(number);
            }
            self.checks.see(&self.cluster, kind, number);
            self.timeline.see(&self.cluster, kind, number);
        }
        if self.shown == from {
            return;
        }
        if [Kind::Deployment, Kind::ReplicaSet, Kind::Rollout].iter().any(|k| kinds[*k as usize]) {
            self.schedule(Duration::from_millis(50), Event::Collect);
        }
        for (client, kind) in WATCHES {
            if kinds[kind as usize] {
                self.send(client, kind);
            }
        }
    }

    fn show_pod(&mut self, number: usize) {
        let Some(change) = self.cluster.pods.change(number) else { return };
        let Some(pod) = change.object.clone() else { return };
        // Created by a controller that did not know yet that its ReplicaSet is gone.
        if !self.cluster.is_owner_of_pods(&pod.owner) {
            self.schedule(Duration::from_millis(50), Event::Collect);
        }
        if let Some(node) = pod.node.as_ref().filter(|name| self.cluster.nodes.get(name).is_none())
        {
            self.schedule(UNNOTICED, Event::Orphans(Rc::clone(node)));
        }
        let turn = self.kubelet.note(&pod, self.cluster.now);
        if let Some((at, turn)) = turn {
            self.queue.add(at, Event::Pod(kubelet::Target::of(&pod), turn));
        }
    }

    fn send(&mut self, client: Client, kind: Kind) {
        if client == Client::Ours && self.shell.is_none() {
            return;
        }
        let (low, high) = self.faults.lag;
        let at = self.after(low, high);
        let due = self.pending.deliveries.entry((client, kind)).or_default();
        *due = at.max(*due);
        self.queue.add(*due, Event::Deliver(client, kind, self.cluster.changes(kind)));
    }

    /// A watch delivers all changes before `upto`.
    pub(super) fn deliver(&mut self, client: Client, kind: Kind, upto: usize) {
        if let Some(until) = self.faults.frozen_until(client, kind)
            && until > self.cluster.now
        {
            self.queue.add(until, Event::Deliver(client, kind, upto));
            return;
        }
        match client {
            Client::Ours => self.deliver_ours(kind, upto),
            _ if self.faults.stock_down => {}
            Client::Deployments => self.deliver_deployments(kind, upto),
            Client::Sets => self.deliver_sets(kind, upto),
        }
    }

    fn deliver_ours(&mut self, kind: Kind, upto: usize) {
        let Some(shell) = &mut self.shell else { return };
        if shell.caches.catch_up(&self.cluster, kind, upto) && shell.notice() {
            self.ask_for_plan(Duration::ZERO);
        }
    }

    fn deliver_deployments(&mut self, kind: Kind, upto: usize) {
        let controller = &mut self.deployments;
        let cluster = &self.cluster;
        let wakes = match kind {
            Kind::Deployment => {
                !controller.deployments.catch_up(&cluster.deployments, upto).is_empty()
            }
            Kind::ReplicaSet => !controller.sets.catch_up(&cluster.sets, upto).is_empty(),
            Kind::Node => !controller.nodes.catch_up(&cluster.nodes, upto).is_empty(),
            // To a Deployment only a pod that is gone matters, and to Recreate only.
            _ => {
                let news = controller.pods.catch_up(&cluster.pods, upto);
                let all = controller.watches_pods();
                news.iter().any(|news| all || news.after.is_none())
            }
        };
        if wakes {
            self.ask_for_deployment();
        }
    }

    fn deliver_sets(&mut self, kind: Kind, upto: usize) {
        let names: Vec<Rc<str>> = match kind {
            Kind::ReplicaSet => {
                let news = self.sets.sets.catch_up(&self.cluster.sets, upto);
                news.into_iter().map(|news| news.name).collect()
            }
            _ => {
                let news = self.sets.pods.catch_up(&self.cluster.pods, upto);
                news.iter().filter_map(|news| self.sets.note_pod(news)).collect()
            }
        };
        names.into_iter().for_each(|name| self.ask_for_set(name));
    }

    pub(super) fn ask_for_deployment(&mut self) {
        if !std::mem::replace(&mut self.pending.deployment, true) {
            let at = self.after(0, 3);
            self.queue.add(at, Event::SyncDeployment);
        }
    }

    pub(super) fn ask_for_set(&mut self, name: Rc<str>) {
        if self.pending.sets.insert(Rc::clone(&name)) {
            let at = self.after(0, 3);
            self.queue.add(at, Event::SyncSet(name));
        }
    }

    pub(super) fn ask_for_check(&mut self, name: &Rc<str>, at: Moment) {
        if at - self.cluster.now < HORIZON && self.pending.checks.insert((Rc::clone(name), at)) {
            self.queue.add(at, Event::SyncSet(Rc::clone(name)));
        }
    }

    /// The same of a workload that makes its pods itself.
    pub(super) fn ask_for_sync(&mut self, at: Moment) {
        if at - self.cluster.now < HORIZON && self.pending.checks.insert((super::NAME.into(), at)) {
            self.queue.add(at, Event::SyncDeployment);
        }
    }

    pub(super) fn ask_for_plan(&mut self, after: Duration) {
        if self.shell.is_some() && !std::mem::replace(&mut self.pending.plan, true) {
            self.schedule(after, Event::Plan(None));
        }
    }
}
