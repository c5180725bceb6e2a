//! What invariant 1 is for a DaemonSet where it is not what it is for a Deployment: whatever is
//! lost, and whatever comes to a new node, is of the new version without being asked. So it is
//! about the pods that our controller takes away: none before the status speaks of the release,
//! none of the new version, and no more than the batch is short of by what it could know. Nobody
//! else takes any.

use std::rc::Rc;

use crds::Revision;

use super::{Release, Releases};
use crate::sim::check::Verdict;
use crate::sim::check::pods::Pods;
use crate::sim::cluster::Cluster;
use crate::sim::cluster::objects::{Deployment, Pod};
use crate::sim::shell::Known;

/// A pod that comes up new without being asked.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The change of pods that shows it; none yet of a new node.
    shown: Option<usize>,
    node: Rc<str>,
}

impl Releases {
    /// Our controller takes a pod away from a node that is to have one.
    pub fn takes(
        &mut self,
        pods: &Pods,
        (workload, cluster): (&Deployment, &Cluster),
        pod: &Pod,
        known: Option<&Known>,
    ) -> Verdict {
        let Some(release) = &self.current else {
            if self.native {
                return Ok(());
            }
            return Err((1, format!("pod {} taken away outside a release", pod.meta.name)));
        };
        // Planned before anybody could know what is live now.
        let Some(known) = known.filter(|it| it.revision.as_ref() == Some(&workload.revision))
        else {
            self.lost(cluster, pod);
            return Ok(());
        };
        if pod.revision == release.revision {
            return Err((1, format!("pod {} of the update taken away", pod.meta.name)));
        }
        let unseen = |loss: &&Loss| loss.shown.is_none_or(|number| number >= known.pods);
        let unseen = count(self.losses.iter().filter(unseen));
        // A pod whose node is gone hides one that is missing.
        let unseen = unseen + pods.ghosts(cluster);
        let missing = (workload.spec.replicas - pods.occupied()).max(0);
        let new = pods.of(&release.revision) + missing + 1;
        let allowed = self
            .allowed(release, workload.spec.replicas)
            .max(self.allowed(release, known.replicas));
        if new > allowed + unseen {
            let batch = release.batch;
            let what =
                format!("a pod taken for {new} new ones, {allowed} allowed in batch {batch}");
            return Err((1, what));
        }
        let revision = release.revision.clone();
        self.announce(&revision, cluster)
    }

    /// An old pod is gone that nobody took for the release.
    pub fn lost(&mut self, cluster: &Cluster, pod: &Pod) {
        let node = pod.node.clone().unwrap_or_default();
        self.note(Loss { shown: Some(cluster.pods.changes()), node });
    }

    /// A node is there that was not.
    pub fn opened(&mut self, node: &Rc<str>) {
        self.note(Loss { shown: None, node: Rc::clone(node) });
    }

    fn note(&mut self, loss: Loss) {
        self.losses.push(loss);
        if let Some(release) = &mut self.current {
            release.unasked += 1;
        }
    }

    /// The pod of a node has come up.
    pub(super) fn came_up(
        &mut self,
        pods: &Pods,
        revision: &Revision,
        workload: &Deployment,
        cluster: &Cluster,
    ) -> Verdict {
        let open = |loss: &&mut Loss| {
            loss.shown.is_none()
                && cluster.pods.iter().any(|pod| pod.node.as_ref() == Some(&loss.node))
        };
        let shown = cluster.pods.changes().saturating_sub(1);
        self.losses.iter_mut().filter(open).for_each(|loss| loss.shown = Some(shown));
        let Some(release) = self.current.as_ref().filter(|it| it.revision == *revision) else {
            return Ok(());
        };
        let allowed = self.allowed(release, workload.spec.replicas).max(release.before);
        let (count, most) = (pods.of(revision), allowed.saturating_add(release.unasked));
        if count > most {
            let batch = release.batch;
            return Err((
                1,
                format!("{count} pods of {revision}, at most {most} in batch {batch}"),
            ));
        }
        Ok(())
    }

    /// What is missing when a release begins comes up in it.
    pub(super) fn begins(
        &self,
        mut release: Release,
        pods: &Pods,
        workload: &Deployment,
    ) -> Release {
        release.loose = None;
        release.was_loose = false;
        release.unasked = (workload.spec.replicas - pods.occupied()).max(0);
        release
    }

    /// There were more nodes, and the pods of that time stay.
    pub(super) fn scaled_daemonset(&mut self, pods: &Pods, now: &Deployment, before: &Deployment) {
        let Some(release) = &self.current else { return };
        let had = self.allowed(release, before.spec.replicas);
        let had = had.max(pods.of(&release.revision));
        let missing = (now.spec.replicas - pods.occupied()).max(0);
        let Some(release) = &mut self.current else { return };
        release.before = release.before.max(had + missing);
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}
