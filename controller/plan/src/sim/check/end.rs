//! What has to hold when nothing happens any more: the user's fields are back, all pods are of one
//! revision, nothing of ours is left; or a release waits for something that it names.

use crds::contract::{HOLD_ANNOTATION, PREFIX};
use crds::hold::{Bar, Reading};
use crds::status::Phase;
use crds::{Hold, HoldState, Original, Revision};

use super::{Checks, is_fenced, is_shut};
use crate::observed::Strategy;
use crate::sim::cluster::Cluster;
use crate::sim::cluster::objects::Deployment;
use crate::sim::user::Own;

/// A world at rest, in what must not depend on crashes on the way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Phase of the Rollout, and what it waits for.
    pub phase: Option<(Phase, String)>,
    /// Revision of the live template.
    pub live: Option<Revision>,
    /// Active pods by revision.
    pub pods: Vec<(Revision, i32)>,
    /// The live fields, as text.
    pub fields: String,
    /// The hold's text, without what only tells writes apart.
    pub hold: String,
    /// Stable and rejected revision.
    pub revisions: (Option<Revision>, Option<Revision>),
    /// Names of kept templates.
    pub kept: Vec<String>,
}

impl Summary {
    /// Of a cluster.
    pub fn of(cluster: &Cluster, checks: &Checks) -> Self {
        let rollout = cluster.rollouts.iter().next();
        let workload = cluster.deployments.iter().next();
        let status = rollout.map(|rollout| &rollout.status);
        let waits = |status: &crds::RolloutStatus| {
            status.waiting_for.as_ref().map_or_else(String::new, |waits| waits.reason.clone())
        };
        Self {
            phase: status.map(|status| (status.phase, waits(status))),
            live: workload.map(|workload| workload.revision.clone()),
            pods: checks.pods.revisions(),
            fields: workload.map_or_else(String::new, |workload| fields_text(workload)),
            hold: workload
                .and_then(|workload| workload.annotations.get(HOLD_ANNOTATION))
                .map_or_else(String::new, |text| hold_text(text)),
            revisions: (
                status.and_then(|status| status.stable_revision.clone()),
                status.and_then(|status| status.rejected_revision.clone()),
            ),
            kept: cluster.kept.iter().map(|kept| kept.meta.name.to_string()).collect(),
        }
    }
}

fn fields_text(workload: &Deployment) -> String {
    let spec = &workload.spec;
    if workload.is_numbered() {
        return numbered_text(workload);
    }
    let strategy = match spec.strategy {
        Strategy::RollingUpdate { max_surge, max_unavailable } => {
            format!("surge {max_surge}, unavailable {max_unavailable}")
        }
        Strategy::Recreate => "recreate".to_owned(),
    };
    let fence = if is_fenced(workload) { "fenced, " } else { "" };
    let paused = if spec.paused { "paused, " } else { "" };
    let (ready, deadline) = (spec.min_ready_seconds, spec.progress_deadline_seconds);
    let own = if is_fenced(workload) {
        String::new()
    } else {
        format!(", min-ready {ready}, deadline {deadline}")
    };
    format!("{fence}{paused}{strategy}{own}")
}

fn numbered_text(workload: &Deployment) -> String {
    let ready = workload.spec.min_ready_seconds;
    if workload.daemon.is_some() {
        let strategy = &workload.raw["spec"]["updateStrategy"];
        return format!("{strategy}, min-ready {ready}");
    }
    let paused = if workload.spec.paused { "paused, " } else { "" };
    if is_shut(workload) {
        return format!("{paused}partition shut, min-ready {ready}");
    }
    format!("{paused}partition {}, min-ready {ready}", workload.partition())
}

fn hold_text(text: &str) -> String {
    match Hold::read(text) {
        Reading::Hold(hold) => match hold.state {
            HoldState::Fenced(fenced) => format!("batch {} of {}", fenced.batch, fenced.revision),
            HoldState::Partitioned(held) => format!("batch {} of {}", held.batch, held.revision),
            HoldState::Portioned(held) => format!("batch {} of {}", held.batch, held.revision),
            HoldState::Withheld(held) => format!("batch {} of {}", held.batch, held.revision),
            HoldState::Barred(barred) => format!("{:?} {}", barred.why, barred.revision),
        },
        _ => "unreadable".to_owned(),
    }
}

impl Checks {
    /// The world is at rest, no fault is on: says what is wrong with it.
    pub fn rest(&mut self, cluster: &Cluster) {
        let Some(workload) = self.workload.clone() else { return };
        let phase = cluster.rollouts.iter().next().map(|rollout| rollout.status.phase);
        match phase {
            Some(Phase::Ready | Phase::Rejected) => {
                self.restored(cluster, &workload);
                self.one_revision(cluster, &workload);
            }
            None => {
                self.restored(cluster, &workload);
                self.given_back(cluster, &workload);
            }
            Some(_) => self.waiting(cluster, &workload),
        }
    }

    /// Nothing happens for now, and our controller is at work: an abort has not waited for
    /// anything.
    pub fn quiet(&mut self, cluster: &Cluster) {
        let Some(workload) = cluster.deployments.iter().next() else { return };
        let reason = cluster.rollouts.iter().next().and_then(|r| r.status.waiting_for.as_ref());
        let lost = reason.is_some_and(|waits| waits.reason == "StableTemplateLost");
        if self.releases.is_rejected(&workload.revision) && is_fenced(workload) && !lost {
            let what = format!("{} was aborted, and is still in its release", workload.revision);
            self.fail(cluster.now, 4, what);
        }
        // Whoever scales it up now would get pods of the new version.
        let down = match workload.cloneset {
            Some(_) => self.releases.lets_more(workload),
            None => workload.stateful.is_some() && !is_shut(workload),
        };
        let waits = down && is_fenced(workload);
        if waits && self.releases.has_arrived(&self.pods, workload, cluster.now) {
            self.fail(cluster.now, 1, "the partition is left down between batches");
        }
    }

    /// Invariant 4.
    fn restored(&mut self, cluster: &Cluster, workload: &Deployment) {
        let now = cluster.now;
        if is_fenced(workload) {
            return self.fail(now, 4, "the fence is still on");
        }
        if let Some(Own { fields: wanted, partition }) = self.fields()
            && let Strategy::RollingUpdate { max_surge, max_unavailable } = workload.spec.strategy
        {
            let live = Original {
                paused: workload.spec.paused,
                min_ready_seconds: workload.spec.min_ready_seconds,
                progress_deadline_seconds: workload.spec.progress_deadline_seconds,
                max_surge,
                max_unavailable,
            };
            if workload.is_numbered() && workload.partition() != partition {
                let live = workload.partition();
                self.fail(now, 4, format!("partition is {live}, the user's is {partition}"));
            }
            // Paused while no webhook saw it: it is lost if the release was taken back before one
            // did, or if another write of ours had not been seen either.
            let rejected = cluster.rollouts.iter().any(|r| r.status.phase == Phase::Rejected);
            let lost = self.unseen_pause.is_some_and(|projected| rejected || !projected);
            let unseen = lost && !live.paused;
            if live != wanted && !(unseen && Original { paused: false, ..wanted } == live) {
                self.fail(now, 4, format!("fields are {live:?}, the user's are {wanted:?}"));
            }
        }
        let bar = match workload.annotations.get(HOLD_ANNOTATION).map(|text| Hold::read(text)) {
            None => None,
            Some(Reading::Hold(hold)) => match hold.state {
                HoldState::Barred(barred) if barred.why == Bar::Rejected => Some(barred.revision),
                _ => return self.fail(now, 4, "a hold is left behind"),
            },
            Some(_) => return self.fail(now, 4, "a hold is left behind that is none"),
        };
        if let Some(revision) = bar
            && !self.releases.is_rejected(&revision)
        {
            self.fail(now, 4, format!("{revision} is barred, which nobody rejected"));
        }
    }

    fn one_revision(&mut self, cluster: &Cluster, workload: &Deployment) {
        let (live, stable) = (&workload.revision, self.releases.stable.clone());
        if stable.as_ref() != Some(live) {
            let stable = stable.map_or_else(|| "none".to_owned(), |stable| stable.to_string());
            self.fail(cluster.now, 7, format!("{live} is live, {stable} is stable"));
        }
        let pods = self.pods.revisions();
        let wanted = self.releases.reachable(workload);
        let whole = match &pods[..] {
            _ if workload.cloneset.is_some() => self.is_whole(workload, &pods),
            [] => wanted == 0,
            [(revision, count)] => revision == live && *count == wanted,
            _ => false,
        };
        // Let out before it was armed, a broken version stays where it got stuck, as ever.
        // A StatefulSet of which one pod is broken gets no further, whoever is to blame.
        let broken = workload.stateful.is_some() && self.pods.of(live) > self.pods.ready(live);
        let stuck = broken
            || self.releases.is_native() && self.pods.available(live, 0, cluster.now) < wanted;
        if !whole && !workload.spec.paused && !stuck {
            self.fail(cluster.now, 7, format!("pods are {pods:?}, not {wanted} of {live}"));
        }
    }

    /// All pods that an update may reach are of the live template; what the user's own partition
    /// keeps may be of any that was not rejected.
    fn is_whole(&self, workload: &Deployment, pods: &[(Revision, i32)]) -> bool {
        let (live, replicas) = (&workload.revision, workload.spec.replicas);
        let all: i32 = pods.iter().map(|(_, count)| count).sum();
        let kept = pods.iter().filter(|(revision, _)| revision != live);
        let rejected = kept.clone().any(|(revision, _)| self.releases.is_rejected(revision));
        let kept: i32 = kept.map(|(_, count)| count).sum();
        all == replicas && !rejected && kept <= workload.partition().pods(replicas)
    }

    fn given_back(&mut self, cluster: &Cluster, workload: &Deployment) {
        let ours = |key: &String| key.starts_with(PREFIX);
        let mine = cluster.sets.iter().filter(|set| set.owner == workload.meta.uid);
        let marked = mine.filter(|set| set.annotations.keys().any(ours));
        let mut left: Vec<String> = marked.map(|set| set.meta.name.to_string()).collect();
        let labels = workload.raw["metadata"]["labels"].as_object();
        let labelled = labels.is_some_and(|labels| labels.keys().any(ours));
        if labelled || workload.annotations.keys().any(ours) {
            left.push(workload.meta.name.to_string());
        }
        if !left.is_empty() {
            let what = format!("labels or annotations of ours are left on {}", left.join(", "));
            self.fail(cluster.now, 4, what);
        }
    }

    /// A release that waits: it says for what, and scaling has left nothing beyond the batch.
    fn waiting(&mut self, cluster: &Cluster, workload: &Deployment) {
        let Some(rollout) = cluster.rollouts.iter().next() else { return };
        let Some(waits) = &rollout.status.waiting_for else {
            let what = format!("{:?} at rest, waits for nothing", rollout.status.phase);
            return self.fail(cluster.now, 8, what);
        };
        let moves = rollout.status.phase != Phase::Held && waits.reason != "DeploymentPaused";
        let back = self.releases.has_stable_set(cluster) && waits.reason != "MovingBack";
        if self.releases.is_over(workload, cluster) && moves && back {
            let what = "more pods than the batch allows, at rest after scaling";
            self.fail(cluster.now, 1, what);
        }
        // Before the first batch, or while the user pauses, a lower surge is for later.
        if moves {
            self.within_limits(cluster, workload);
        }
    }

    /// At rest the limits hold without any grace.
    fn within_limits(&mut self, cluster: &Cluster, workload: &Deployment) {
        let Some(Own { fields, .. }) = self.fields() else { return };
        let replicas = workload.spec.replicas;
        let (surge, _) = self.limits.rounding.posts(fields, replicas);
        // Above it are only pods that do not get ready: a scaling left them, and nothing can go.
        let most = self.limits.ceiling.max(replicas + surge);
        let total = self.pods.total();
        if total > most && replicas > 0 {
            let what = format!("{total} pods at rest, at most {most} allowed");
            self.fail(cluster.now, 2, what);
        }
    }
}
