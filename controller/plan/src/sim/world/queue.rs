//! What will happen, in order of virtual time; what is due at the same moment happens in the order
//! in which it was asked for.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::action::Ask;
use crate::sim::cluster::Kind;
use crate::sim::moment::Moment;
use crate::sim::shell::Request;
use crate::sim::stock::kubelet;

/// A client of the apiserver that watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// The stock Deployment controller.
    Deployments,
    /// The stock ReplicaSet controller.
    Sets,
    /// Our controller.
    Ours,
}

/// Something that will happen.
#[derive(Clone, Debug)]
pub enum Event {
    /// A watch delivers all changes before this number.
    Deliver(Client, Kind, usize),
    /// The stock Deployment controller syncs.
    SyncDeployment,
    /// The stock ReplicaSet controller syncs one.
    SyncSet(Rc<str>),
    /// The kubelet does something to a pod.
    Pod(kubelet::Target, kubelet::Turn),
    /// A pod that was made unready gets ready again.
    Recover(kubelet::Target),
    /// The garbage collector looks for objects without owner.
    Collect,
    /// It has noticed that a node is gone, and removes its pods.
    Orphans(Rc<str>),
    /// Our controller observes and plans; of wakes with a number only the last counts.
    Plan(Option<u64>),
    /// Our controller does its next write.
    Write(u64),
    /// Our controller's watches of ReplicaSets and pods have listed.
    ListSets(u64),
    /// A metric provider answers our controller.
    Answer(u64, Box<Ask>),
    /// Our controller starts again.
    Restart,
    /// A write of a controller that is dead already arrives.
    Late(Box<Request>),
    /// The user re-applies the manifest, and will again.
    Reapply(u64),
}

/// The events to come.
#[derive(Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

struct Entry {
    at: Moment,
    sequence: u64,
    event: Event,
}

impl Queue {
    /// Adds an event.
    pub fn add(&mut self, at: Moment, event: Event) {
        self.sequence += 1;
        self.heap.push(Reverse(Entry { at, sequence: self.sequence, event }));
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(Moment, Event)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}
