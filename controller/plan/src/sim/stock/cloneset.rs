//! A model of the stock CloneSet controller of OpenKruise (`cloneset_controller.go`): one pass from
//! caches that trail. It scales, and updates only in a pass in which there was nothing to scale; an
//! update marks a pod, the next pass deletes it, the one after that makes another. The status comes
//! from the pods as they were before. Until its caches show what it wrote it does nothing at all.
//!
//! Not modelled: updates in place, hooks, claims, several nodes, scaleStrategy, the readiness gate
//! that it sets itself, priorities.

mod decide;

use std::cmp::Ordering;
use std::rc::Rc;

use decide::{Diff, Member, Wish};

use super::revisions::{Caches, Revisions};
use crate::sim::cluster::objects::{Deployment, DeploymentStatus, Pod};
use crate::sim::cluster::{Cluster, Refused};
use crate::sim::moment::Moment;
use crate::sim::random::Random;

/// One pass over a CloneSet; answers when there must be another although nothing happens.
pub fn sync(
    cluster: &mut Cluster,
    workload: &Rc<Deployment>,
    caches: &Caches<'_>,
    names: &mut Random,
) -> Result<Option<Moment>, Refused> {
    let revisions = Revisions::of(cluster, workload, caches)?;
    let mine = |pod: &&Rc<Pod>| pod.owner == workload.meta.uid && pod.is_active();
    let pods: Vec<_> = caches.pods.iter().filter(mine).cloned().collect();
    let wish = Wish::of(&workload.spec, workload.partition());
    let now = cluster.now;
    let mut pass = Pass { cluster, workload, revisions, pods, wish, now };
    pass.act(names);
    let current = pass.report()?;
    pass.revisions.clean_up(pass.cluster, workload, caches, &pass.pods, &current);
    Ok(pass.next_check())
}

/// One pass at work.
struct Pass<'a> {
    cluster: &'a mut Cluster,
    workload: &'a Rc<Deployment>,
    revisions: Revisions,
    /// As the cache has them; those that are going do not count.
    pods: Vec<Rc<Pod>>,
    wish: Wish,
    now: Moment,
}

impl Pass<'_> {
    fn is_new(&self, pod: &Pod) -> bool {
        pod.set == self.revisions.update.meta.name
    }

    fn is_available(&self, pod: &Pod) -> bool {
        pod.is_available(self.workload.spec.min_ready_seconds, self.now)
    }

    fn act(&mut self, names: &mut Random) {
        let member = |pod: &Rc<Pod>| Member {
            new: self.is_new(pod),
            doomed: pod.doomed,
            available: self.is_available(pod),
        };
        let members: Vec<_> = self.pods.iter().map(member).collect();
        let diff = decide::decide(&self.wish, &members);
        if !self.scale(&diff, names) && !self.workload.spec.paused {
            for pod in self.chosen(&diff) {
                self.cluster.update_pod(&pod.meta.name, |pod| pod.doomed = true);
            }
        }
    }

    /// Pods that are missing; else those that are to go; else those that are too many. True if
    /// there were any.
    fn scale(&mut self, diff: &Diff, names: &mut Random) -> bool {
        if diff.up > 0 {
            for index in 0..diff.up {
                self.create(index < diff.up_old, names);
            }
            return true;
        }
        let mut limit = diff.delete_ready_limit;
        let doomed: Vec<_> = self.pods.iter().filter(|pod| pod.doomed).cloned().collect();
        // One that still waits for its deletion keeps all others.
        let going = match doomed.is_empty() {
            true if diff.down > 0 => within(self.too_many(diff), &mut limit),
            _ => within(doomed, &mut limit),
        };
        for pod in &going {
            self.cluster.update_pod(&pod.meta.name, |pod| pod.meta.deleting = true);
        }
        !going.is_empty()
    }

    fn too_many(&self, diff: &Diff) -> Vec<Rc<Pod>> {
        let from_old = diff.down_old.min(diff.down);
        let first = |new: bool, count: i32| {
            let mut pods: Vec<_> =
                self.pods.iter().filter(|pod| self.is_new(pod) == new).cloned().collect();
            pods.sort_by(|a, b| {
                let available = || self.is_available(a).cmp(&self.is_available(b));
                a.running.cmp(&b.running).then_with(available).then_with(|| youngest(a, b))
            });
            pods.truncate(usize::try_from(count).unwrap_or(0));
            pods
        };
        let mut pods = first(false, from_old);
        pods.extend(first(true, diff.down - from_old));
        pods
    }

    /// The pods to update now: what serves nobody, then the most recently ready, and no more than
    /// may be unavailable.
    fn chosen(&self, diff: &Diff) -> Vec<Rc<Pod>> {
        let mut waiting: Vec<_> =
            self.pods.iter().filter(|pod| !self.is_new(pod)).cloned().collect();
        waiting.sort_by(|a, b| a.running.cmp(&b.running).then_with(|| youngest(a, b)));
        waiting.truncate(usize::try_from(diff.update).unwrap_or(0));
        let limit = diff.update_max_unavailable;
        let unavailable = |pod: &&Rc<Pod>| !self.is_available(pod);
        let mut missing = count(self.pods.iter().filter(unavailable));
        let new = |pod: &&Rc<Pod>| self.is_new(pod);
        let missing_new = count(self.pods.iter().filter(unavailable).filter(new));
        let mut chosen = 0;
        for pod in &waiting {
            let serves = self.is_available(pod);
            if missing_new + chosen >= limit || serves && missing >= limit {
                break;
            }
            missing += i32::from(serves);
            chosen += 1;
        }
        waiting.truncate(usize::try_from(chosen).unwrap_or(0));
        waiting
    }

    fn create(&mut self, old: bool, names: &mut Random) {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz";
        let of = if old { &self.revisions.current } else { &self.revisions.update };
        let mut letter = || names.pick(LETTERS).map_or('b', |letter| char::from(*letter));
        let id: String = (0..5).map(|_| letter()).collect();
        let name = format!("{}-{id}", self.workload.meta.name).into();
        self.cluster.create_pod(&name, of);
    }

    /// Writes the status. The current revision follows by counts alone: no pod need be ready.
    /// Answers which it is.
    fn report(&mut self) -> Result<Rc<str>, Refused> {
        let of = |wanted: &dyn Fn(&Pod) -> bool| count(self.pods.iter().filter(|pod| wanted(pod)));
        let status = DeploymentStatus {
            observed_generation: self.workload.meta.generation,
            replicas: count(self.pods.iter()),
            updated: of(&|pod| self.is_new(pod)),
            ready: of(&Pod::is_ready),
            available: of(&|pod| self.is_available(pod)),
            misscheduled: 0,
        };
        let done = [status.updated, status.replicas] == [self.wish.replicas; 2];
        let current = if done { &self.revisions.update } else { &self.revisions.current };
        let current = Rc::clone(&current.meta.name);
        self.cluster.update_numbered_status(self.workload, status, Some(&current))?;
        Ok(current)
    }

    fn next_check(&self) -> Option<Moment> {
        let seconds = self.workload.spec.min_ready_seconds;
        let moments = self.pods.iter().filter_map(|pod| pod.available_at(seconds));
        moments.filter(|moment| *moment > self.now).min()
    }
}

/// Pods that serve nobody go freely, others up to a limit.
fn within(pods: Vec<Rc<Pod>>, limit: &mut i32) -> Vec<Rc<Pod>> {
    let may_go = |pod: &Rc<Pod>| {
        if !pod.is_ready() {
            return true;
        }
        *limit -= 1;
        *limit >= 0
    };
    let mut pods = pods;
    pods.retain(may_go);
    pods
}

/// Less: not ready, ready for a shorter time, more restarts, younger.
fn youngest(a: &Pod, b: &Pod) -> Ordering {
    let ready = match (a.ready_since, b.ready_since) {
        (Some(a), Some(b)) => b.cmp(&a),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    ready
        .then_with(|| b.restarts.cmp(&a.restarts))
        .then_with(|| b.meta.created.cmp(&a.meta.created))
}

fn count<T>(items: impl Iterator<Item = T>) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
