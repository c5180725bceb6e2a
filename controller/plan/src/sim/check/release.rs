//! Invariant 1: which batch a release may have reached by now, judged by the user's commands and
//! the pods alone. A batch may be left once its pods were ready at some moment and its pause is
//! over; so this is the most that any planner may do.

mod cloneset;
mod daemonset;
mod stateful;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crds::contract::DESIRED_REPLICAS_ANNOTATION;
use crds::hold::Reading;
use crds::project::DaemonSetFields;
use crds::request::Verb;
use crds::rollout::Batch;
use crds::{Hold, HoldState, IntOrPercent, Kept, Original, Request, Revision, RolloutSpec};

use super::gates::{Gates, Last};
use super::limits::Rounding;
use super::pods::Pods;
use super::{Verdict, is_armed, is_fenced};
use crate::observed::Strategy;
use crate::sim::cluster::Cluster;
use crate::sim::cluster::objects::Deployment;
use crate::sim::moment::Moment;
use stateful::is_current;

/// What is known of releases.
#[derive(Default)]
pub struct Releases {
    pub gates: Gates,
    pub fields: Option<Original>,
    /// How they are counted.
    pub rounding: Rounding,
    /// The user's own, of a StatefulSet or CloneSet.
    pub partition: Option<Kept>,
    pub stable: Option<Revision>,
    current: Option<Release>,
    /// Most pods that revisions may have that are neither stable nor released now.
    left: BTreeMap<Revision, i32>,
    rejected: BTreeSet<Revision>,
    /// What the status said of that last.
    said_rejected: Option<Revision>,
    /// The Rollout's specs that may be in force: all since the release began. Edits take effect at
    /// the next batch, and a watch may show them late.
    specs: Vec<RolloutSpec>,
    promoted: BTreeSet<(Revision, u32)>,
    full: BTreeSet<Revision>,
    /// The last request to abort, by its id.
    abort: Option<(String, Revision)>,
    /// A pause that was asked for, by the id of the request; and whether it was granted.
    pause: Option<(String, bool)>,
    /// Pods that the first hold of the release may have let any revision have more.
    surging: i32,
    /// The last request to let a rejected revision in, by its id.
    retry: Option<(String, Revision)>,
    /// Since a scaling.
    calm: Calm,
    /// The whole workload goes to this revision unheld: it was not armed, or had no pods.
    native: bool,
    /// The most pods that any batch has allowed since all pods were of one revision: all new
    /// revisions together get no more of them, but for the user's surge.
    high: i32,
    /// Of a DaemonSet.
    losses: Vec<daemonset::Loss>,
}

struct Release {
    revision: Revision,
    /// The batch that may be on its way, 1 for the first.
    batch: usize,
    done_at: Option<Moment>,
    /// What earlier batches of it allowed, as their definitions had it then.
    had: Vec<IntOrPercent>,
    /// One of them may have been the last.
    had_all: bool,
    /// There are more than the batch allows: so many, until they are moved back. Scaling left them,
    /// or the revision had them from before.
    loose: Option<i32>,
    /// There have been.
    was_loose: bool,
    /// The status speaks of it.
    announced: bool,
    /// Pods that it had when it came.
    before: i32,
    /// Of a DaemonSet: pods that came up in it, or will, and nobody asked for.
    unasked: i32,
}

impl Releases {
    /// The workload is gone.
    pub fn forget(&mut self) {
        *self = Self {
            fields: self.fields,
            partition: self.partition,
            specs: std::mem::take(&mut self.specs),
            ..Self::default()
        };
    }

    /// The user's own fields change.
    pub fn edited(&mut self, fields: Original, replicas: i32) {
        let surge = |fields: Original| fields.max_surge.ceil_of(replicas);
        let less = self.fields.map_or(0, |before| surge(before) - surge(fields)).max(0);
        self.high += less;
        self.fields = Some(fields);
        self.calm = Calm::default();
    }

    /// What a scaling (or an edit of the limits) set off is over.
    pub fn is_calm(&self) -> bool {
        self.calm.is_long()
    }

    /// More pods than the batch allows are there, by scaling.
    pub fn is_over(&self, workload: &Deployment, cluster: &Cluster) -> bool {
        if workload.daemon.is_some() {
            return false;
        }
        let loose = |release: &Release| {
            release.loose.is_some() && !is_current(&release.revision, workload, cluster)
        };
        self.current.as_ref().is_some_and(loose)
    }

    /// There is a ReplicaSet to move pods back to.
    pub fn has_stable_set(&self, cluster: &Cluster) -> bool {
        cluster.sets.iter().any(|set| self.stable.as_ref() == Some(&set.revision))
    }

    /// That is or was so, in a batch that may be an earlier one than can be told from outside.
    pub fn may_move_back(&self) -> bool {
        self.current.as_ref().is_some_and(|release| release.was_loose)
    }

    /// Two revisions at once have to give way, to a third or to the stable one. The fence is on
    /// both of their ReplicaSets, so the stock controller knows none of their pods as available,
    /// and takes ready ones of the older for unready ones of the younger. Or one has to, and the
    /// stable pods are not ready themselves. So many may go too early.
    pub fn torn(&self, pods: &Pods, workload: &Deployment) -> i32 {
        if workload.is_numbered() {
            return 0;
        }
        let stable = self.stable.as_ref();
        let others = pods
            .revisions()
            .into_iter()
            .filter(|(revision, _)| *revision != workload.revision && Some(revision) != stable);
        let counts: Vec<_> = others.map(|(_, count)| count).collect();
        let unready = stable.is_some_and(|stable| pods.of(stable) > pods.ready(stable));
        if counts.len() > 1 || unready { counts.iter().sum() } else { 0 }
    }

    /// The live template came unheld.
    pub fn is_native(&self) -> bool {
        self.native
    }

    /// This revision was rejected, and nobody asked for it again.
    pub fn is_rejected(&self, revision: &Revision) -> bool {
        self.rejected.contains(revision)
    }

    /// The Rollout as the user has it from now on.
    pub fn user_rollout(&mut self, spec: Option<RolloutSpec>, workload: Option<&Deployment>) {
        match spec {
            Some(spec) => {
                // What is live when nobody holds it is stable for whoever comes then.
                let free = workload.filter(|w| self.specs.is_empty() && !is_fenced(w));
                if let Some(workload) = free {
                    self.stable = Some(workload.revision.clone());
                    // Who rejected anything took its bar along.
                    self.rejected.retain(|revision| bars(workload, revision));
                }
                self.specs.push(spec);
            }
            None => {
                self.specs.clear();
                // Whatever is released then, is released.
                self.native = true;
                self.current = None;
            }
        }
    }

    /// The user asked for something.
    pub fn user_request(&mut self, request: &Request) {
        let revision = request.revision.clone();
        if let Some((_, revision)) = self.abort.take() {
            // Nobody has answered it, and this one takes its place.
            self.rejected.remove(&revision);
        }
        match request.verb {
            Verb::Promote => {
                self.promoted.insert((revision, request.batch));
                self.pause = None;
            }
            Verb::PromoteFull => {
                self.full.insert(revision);
                self.pause = None;
            }
            Verb::SkipGates => self.gates.skip(revision, request.batch),
            Verb::Pause => self.pause = Some((request.id.clone(), false)),
            Verb::Resume => self.pause = None,
            Verb::Abort => {
                if self.rejected.insert(revision.clone()) {
                    self.abort = Some((request.id.clone(), revision));
                }
            }
            Verb::Retry => {
                self.rejected.remove(&revision);
                self.retry = Some((request.id.clone(), revision));
            }
        }
    }

    /// The Rollout was stored: a human reads the answers there.
    pub fn see_rollout(&mut self, cluster: &Cluster) {
        let Some(rollout) = cluster.rollouts.iter().next() else { return };
        if let Some((id, granted)) = &mut self.pause
            && let Some(answer) = &rollout.status.answer
            && answer.id == *id
        {
            *granted = answer.granted;
        }
        let answer = rollout.status.answer.as_ref();
        self.abort = self.abort.take().filter(|(id, _)| answer.is_none_or(|is| is.id != *id));
        if let Some((id, revision)) = &self.retry
            && let Some(answer) = &rollout.status.answer
            && answer.id == *id
            && !answer.granted
        {
            self.rejected.insert(revision.clone());
        }
        let said = &rollout.status.rejected_revision;
        if *said != self.said_rejected {
            self.rejected.extend(said.clone());
            self.said_rejected.clone_from(said);
        }
    }

    /// Another template was stored.
    pub fn template_changed(
        &mut self,
        pods: &Pods,
        cluster: &Cluster,
        before: &Deployment,
        now: &Deployment,
    ) -> Verdict {
        self.leave_current(pods, before, cluster);
        let revision = &now.revision;
        if bars(now, &before.revision) {
            // Our controller put it back under a bar.
            self.stable = Some(revision.clone());
        }
        if self.stable.as_ref() == Some(revision) {
            return Ok(());
        }
        let empty = match now.daemon {
            Some(_) => DaemonSetFields::counted(&before.shown()) == Some(0),
            None => self.live_reach(before) == 0 || self.live_reach(now) == 0,
        };
        let recreate = now.spec.strategy == Strategy::Recreate;
        if empty || recreate || !is_armed(before) || self.specs.is_empty() {
            if let Some(stable) = self.stable.replace(revision.clone()) {
                self.left.insert(stable, i32::MAX);
            }
            self.native = true;
            return Ok(());
        }
        // Who asked to abort it and brings it back before anybody has answered is aborted then.
        let asked = self.abort.as_ref().is_some_and(|(_, aborted)| aborted == revision);
        if self.rejected.contains(revision) && !asked {
            return Err((1, format!("rejected revision {revision} let in again unasked")));
        }
        // Applied on purpose, another template ends the rejection.
        self.rejected.clear();
        self.native = false;
        self.left.remove(revision);
        self.pause = None;
        self.keep_last_spec();
        let mut release = Release {
            revision: revision.clone(),
            batch: 1,
            done_at: None,
            had: Vec::new(),
            had_all: false,
            loose: None,
            was_loose: false,
            announced: false,
            before: 0,
            unasked: 0,
        };
        if !is_fenced(before) {
            self.let_surge(pods, cluster, now);
        }
        let allowed = self.allowed(&release, self.reachable(now));
        // Where no ReplicaSet has a size at all, the newest one gets everything.
        let mine = cluster.sets.iter().filter(|set| set.owner == now.meta.uid);
        let sized = !now.is_numbered();
        let none = sized && mine.map(|set| set.replicas).sum::<i32>() == 0;
        let count = if none { now.spec.replicas } else { reach(&release, pods, cluster) };
        release.loose = (count > allowed).then_some(count);
        release.was_loose = count > allowed;
        release.before = count;
        self.high = self.high.max(count).max(allowed);
        if now.daemon.is_some() {
            release = self.begins(release, pods, now);
        }
        self.current = Some(release);
        Ok(())
    }

    /// A first hold on a workload whose last update (or rollback) is not over pauses it with the
    /// user's own surge, and paused the stock controller fills all revisions up to that. A smaller
    /// surge would make it take ready pods away.
    fn let_surge(&mut self, pods: &Pods, cluster: &Cluster, workload: &Deployment) {
        let mine = cluster.sets.iter().filter(|set| set.owner == workload.meta.uid);
        let several = mine.filter(|set| set.replicas > 0).count() > 1 || pods.revisions().len() > 1;
        let surge = self.fields.map_or(0, |f| f.max_surge.ceil_of(workload.spec.replicas));
        self.surging = if several && !workload.is_numbered() { surge } else { 0 };
    }

    fn leave_current(&mut self, pods: &Pods, workload: &Deployment, cluster: &Cluster) {
        if let Some(release) = self.current.take() {
            let allowed = self.allowed(&release, self.reachable(workload));
            let count = reach(&release, pods, cluster).max(allowed);
            self.left.insert(release.revision, count);
        }
    }

    fn keep_last_spec(&mut self) {
        let last = self.specs.len().saturating_sub(1);
        self.specs.drain(..last);
    }

    /// The fence was taken off with the same template.
    pub fn lifted(&mut self, pods: &Pods, cluster: &Cluster, now: &Deployment) -> Verdict {
        let Some(release) = &self.current else { return Ok(()) };
        if release.revision != now.revision {
            return Ok(());
        }
        let mine = cluster.sets.iter().filter(|set| set.owner == now.meta.uid);
        // With no pod at all there is nothing to keep.
        let sized = !now.is_numbered();
        let empty = sized && pods.total() == 0 && mine.map(|set| set.replicas).sum::<i32>() == 0;
        if !empty && !release.had_all && !self.may_be_last(release.batch) {
            return Err((1, format!("fence lifted in batch {}", release.batch)));
        }
        let since = release.done_at.unwrap_or(cluster.now);
        if !empty && !release.had_all && !self.gates_passed(release, since, self.last(release)) {
            return Err((6, "fence lifted without the gates' passes".to_owned()));
        }
        if let Some(stable) = self.stable.replace(now.revision.clone()) {
            self.left.insert(stable, i32::MAX);
        }
        self.current = None;
        Ok(())
    }

    /// The user scaled: shares are kept, as nearly as pods can be counted.
    pub fn scaled(
        &mut self,
        pods: &Pods,
        cluster: &Cluster,
        owner: &Deployment,
        before: &Deployment,
    ) {
        self.calm = Calm::default();
        if owner.stateful.is_some() {
            return self.scaled_stateful(pods, cluster, owner, before);
        }
        if owner.cloneset.is_some() {
            return self.scaled_cloneset(pods, cluster, owner, before);
        }
        if owner.daemon.is_some() {
            return self.scaled_daemonset(pods, owner, before);
        }
        let (before, after) = (before.spec.replicas, owner.spec.replicas);
        let share = |count: i32| share(count, before, after);
        for count in self.left.values_mut() {
            *count = share(*count).max(*count);
        }
        let allowed = self.current.as_ref().map_or(0, |release| self.allowed(release, before));
        self.high = self.high.max(share(self.high)).max(share(self.all_new(pods, owner, cluster)));
        // It fills the larger of two ReplicaSets up to the surge, whichever that is.
        self.surging = self.surging.max(self.surge(owner));
        let Some(release) = &mut self.current else { return };
        // The stock controller may be about to fill the batch as it was before.
        let count = reach(release, pods, cluster).max(allowed);
        release.loose = Some(share(count).max(count.min(before)).max(release.loose.unwrap_or(0)));
        release.was_loose = true;
    }

    /// A pod was created.
    pub fn pod_created(
        &mut self,
        pods: &Pods,
        revision: &Revision,
        workload: &Deployment,
        cluster: &Cluster,
    ) -> Verdict {
        let count = pods.of(revision);
        if self.native || self.stable.as_ref() == Some(revision) {
            return Ok(());
        }
        if workload.daemon.is_some() {
            return self.came_up(pods, revision, workload, cluster);
        }
        if is_current(revision, workload, cluster) {
            return Ok(());
        }
        let (all, most) = (self.all_new(pods, workload, cluster), self.high + self.surge(workload));
        // A StatefulSet's update begins at the top, wherever an overtaken one has got to; a
        // CloneSet's with the youngest pods, of whatever version.
        if all > most && !workload.is_numbered() {
            return Err((1, format!("{all} pods of all new revisions, at most {most} allowed")));
        }
        if let Some(release) = self.current.as_ref().filter(|r| r.revision == *revision) {
            let allowed = self.allowed(release, self.reachable(workload));
            let had = if release.before > 0 { release.before + self.surging } else { 0 };
            let allowed = allowed.max(release.loose.unwrap_or(0)).max(had);
            if count > allowed {
                let batch = release.batch;
                let what =
                    format!("{count} pods of {revision}, at most {allowed} in batch {batch}");
                return Err((1, what));
            }
            return self.announce(revision, cluster);
        }
        // The stock controller fills up to the surge while the user pauses.
        let paused =
            self.fields.filter(|fields| fields.paused && self.rounding == Rounding::Deployment);
        let surge = paused.map_or(0, |fields| fields.max_surge.ceil_of(workload.spec.replicas));
        let surge = surge.max(self.surging);
        match self.left.get(revision).map(|most| most.saturating_add(surge)) {
            Some(most) if count <= most => Ok(()),
            Some(most) => Err((1, format!("{count} pods of {revision}, had {most} when left"))),
            None => Err((1, format!("a pod of {revision}, which nobody asked for"))),
        }
    }

    /// A pod is gone. The stock controller takes stable pods that do not count as available before
    /// any others, whoever is to give way.
    pub fn pod_gone(&mut self, revision: &Revision, ready_since: Option<Moment>, now: Moment) {
        let seconds = self.fields.map_or(0, |fields| fields.min_ready_seconds);
        let span = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let available = ready_since.is_some_and(|since| since + span <= now);
        if self.stable.as_ref() == Some(revision) && !available {
            self.high += 1;
        }
    }

    /// Pods of the revisions that are neither stable nor were released: that are there, and are to
    /// stay (a ReplicaSet gives its pods up a moment after it was made smaller).
    fn all_new(&self, pods: &Pods, workload: &Deployment, cluster: &Cluster) -> i32 {
        let mine = cluster.sets.iter().filter(|set| set.owner == workload.meta.uid);
        let new = mine.filter(|set| {
            self.stable.as_ref() != Some(&set.revision)
                && self.left.get(&set.revision) != Some(&i32::MAX)
        });
        new.map(|set| set.replicas.min(pods.of(&set.revision))).sum()
    }

    fn surge(&self, workload: &Deployment) -> i32 {
        self.fields.map_or(0, |fields| fields.max_surge.ceil_of(workload.spec.replicas))
    }

    /// The status has to say that a release is on before its first pod.
    fn announce(&mut self, revision: &Revision, cluster: &Cluster) -> Verdict {
        let Some(release) = &mut self.current else { return Ok(()) };
        let mut rollouts = cluster.rollouts.iter();
        let said = rollouts.any(|r| r.status.update_revision.as_ref() == Some(revision));
        if !release.announced && !said && release.before == 0 {
            return Err((1, format!("a pod of {revision} before the status speaks of it")));
        }
        release.announced = true;
        Ok(())
    }

    /// Moves on as far as the pods and the user allow.
    pub fn advance(&mut self, pods: &Pods, workload: &Deployment, cluster: &Cluster) {
        self.calm.see(is_scaled(pods, workload, cluster), cluster.now);
        let quiet = self.current.is_none() && self.calm.is_long();
        if quiet && self.all_new(pods, workload, cluster) == 0 {
            self.high = 0;
        }
        while let Some(release) = &self.current {
            let allowed = self.allowed(release, self.reachable(workload));
            self.high = self.high.max(allowed);
            let count = pods.of(&release.revision);
            let tight = release.loose.is_some() && count <= allowed && self.calm.is_long();
            let goes_on = self.may_leave(release, pods, workload, cluster.now);
            let done = self.is_done(release, pods, workload, cluster.now);
            let last = self.may_be_last(release.batch);
            let begun: Vec<_> =
                self.definitions(release.batch).map(|batch| batch.replicas).collect();
            let mine = cluster.sets.iter().filter(|set| set.owner == workload.meta.uid);
            let mut sizes = mine.filter(|set| set.replicas > 0);
            let Some(release) = &mut self.current else { return };
            if tight {
                release.loose = None;
            }
            if let (true, Some(only), None) = (release.was_loose, sizes.next(), sizes.next())
                && only.revision == release.revision
                && only.replicas > allowed
            {
                // Where no other has a size, the stock controller gives this one everything.
                release.loose = Some(only.replicas.max(release.loose.unwrap_or(0)));
            }
            if done && release.done_at.is_none() {
                release.done_at = Some(cluster.now);
            }
            if !goes_on {
                return;
            }
            release.had.extend(begun);
            release.had_all |= last;
            release.batch += 1;
            release.done_at = None;
        }
    }

    fn batches(&self) -> usize {
        self.specs.iter().map(|spec| spec.strategy.batches.len()).max().unwrap_or(0)
    }

    /// The definitions of a batch that may be in force.
    fn definitions(&self, batch: usize) -> impl Iterator<Item = &Batch> {
        let batches = self.specs.iter().map(|spec| &spec.strategy.batches);
        batches.filter_map(move |batches| batches.get(batch - 1).or(batches.last()))
    }

    /// The most pods that a batch allows, by any of the specs that may be in force.
    fn allowed(&self, release: &Release, replicas: i32) -> i32 {
        let full = release.had_all || self.full.contains(&release.revision);
        if full || self.may_be_last(release.batch) {
            return replicas;
        }
        let most = (1..=release.batch)
            .flat_map(|batch| self.definitions(batch))
            .map(|batch| batch.replicas)
            .chain(release.had.iter().copied())
            .map(|pods| pods.ceil_of(replicas))
            .max();
        let surge = self.fields.map_or(0, |fields| self.rounding.posts(fields, replicas).0);
        match replicas {
            0 => 0,
            // A node has one pod.
            1 if self.rounding == Rounding::DaemonSet => 0,
            1 => surge.min(1),
            _ => most.unwrap_or(replicas).min(replicas - 1),
        }
    }

    fn may_be_last(&self, batch: usize) -> bool {
        let last = |spec: &RolloutSpec| batch >= spec.strategy.batches.len();
        self.specs.is_empty() || self.specs.iter().any(last)
    }

    /// The fewest ready pods that end a batch.
    fn demanded(&self, batch: usize, workload: &Deployment) -> i32 {
        let replicas = self.reachable(workload);
        let least = self.definitions(batch).map(|batch| batch.replicas.ceil_of(replicas)).min();
        match replicas {
            0 | 1 => 0,
            _ => least.unwrap_or(replicas).min(replicas - 1),
        }
    }

    fn is_done(&self, release: &Release, pods: &Pods, workload: &Deployment, now: Moment) -> bool {
        let seconds = self.fields.map_or(0, |fields| fields.min_ready_seconds);
        let ready = pods.available(&release.revision, seconds, now);
        ready >= self.demanded(release.batch, workload)
    }

    fn last(&self, release: &Release) -> Last {
        let promoted = self.promoted.iter().any(|(revision, _)| *revision == release.revision);
        let full = self.full.contains(&release.revision);
        if promoted || full { Last::Promoted } else { Last::Baked }
    }

    fn gates_passed(&self, release: &Release, since: Moment, last: Last) -> bool {
        let number = u32::try_from(release.batch).unwrap_or(u32::MAX);
        self.gates.passed(&self.specs, &release.revision, (number, last), since)
    }

    /// The batch may be left for the next.
    fn may_leave(
        &self,
        release: &Release,
        pods: &Pods,
        workload: &Deployment,
        now: Moment,
    ) -> bool {
        let stopped = self.pause.as_ref().is_some_and(|(_, granted)| *granted)
            || self.specs.iter().all(|spec| spec.paused);
        if release.batch >= self.batches() || stopped {
            return false;
        }
        if self.full.contains(&release.revision) && self.specs.iter().all(|s| s.gates.is_empty()) {
            return true;
        }
        let done_at = match release.done_at {
            Some(done_at) => done_at,
            None if self.is_done(release, pods, workload, now) => now,
            None => return false,
        };
        if !self.gates_passed(release, done_at, Last::No) {
            return false;
        }
        if self.full.contains(&release.revision) {
            return true;
        }
        let number = u32::try_from(release.batch).unwrap_or(u32::MAX);
        let promoted = self.promoted.contains(&(release.revision.clone(), number));
        let over = |batch: &Batch| match batch.pause.as_ref().map(|pause| pause.duration) {
            None => true,
            Some(None) => false,
            // Times are kept in whole seconds.
            Some(Some(span)) => done_at + span.get().saturating_sub(Duration::from_secs(1)) <= now,
        };
        promoted || self.definitions(release.batch).any(over)
    }
}

/// How long the stock controllers have had nothing to do.
#[derive(Clone, Copy, Default)]
struct Calm {
    since: Option<Moment>,
    long: bool,
}

impl Calm {
    /// What a scaling sets off may pause for a moment, but not for so long.
    const LONG: Duration = Duration::from_secs(3);

    fn see(&mut self, calm: bool, now: Moment) {
        self.since = if calm { self.since.or(Some(now)) } else { None };
        self.long = self.since.is_some_and(|since| now - since >= Self::LONG);
    }

    fn is_long(self) -> bool {
        self.long
    }
}

/// The hold bars this revision.
fn bars(workload: &Deployment, revision: &Revision) -> bool {
    let Reading::Hold(hold) = Hold::of(&workload.raw) else { return false };
    matches!(&hold.state, HoldState::Barred(barred) if barred.bars(revision))
}

/// Pods that a release has, or that are asked for.
fn reach(release: &Release, pods: &Pods, cluster: &Cluster) -> i32 {
    let mine = cluster.sets.iter().filter(|set| set.revision == release.revision);
    let asked: i32 = mine.map(|set| set.replicas).sum();
    asked.max(pods.of(&release.revision)).max(release.loose.unwrap_or(0))
}

/// `count` of `before` pods, of `after` ones, to the nearest; one more for rounding on the way.
fn share(count: i32, before: i32, after: i32) -> i32 {
    let (count, before, after) = (i64::from(count), i64::from(before), i64::from(after));
    let share = if before == 0 { after } else { (2 * count * after + before) / (2 * before) + 1 };
    i32::try_from(share).unwrap_or(i32::MAX)
}

/// The stock controller has acted on the last scaling.
fn is_scaled(pods: &Pods, workload: &Deployment, cluster: &Cluster) -> bool {
    let seen = workload.status.observed_generation >= workload.meta.generation;
    if workload.stateful.is_some() {
        return seen && pods.span() <= workload.spec.replicas;
    }
    let counted = workload.cloneset.is_some() || workload.daemon.is_some();
    if let (true, Strategy::RollingUpdate { max_surge, .. }) = (counted, workload.spec.strategy) {
        let replicas = workload.spec.replicas;
        let known = workload.daemon.is_none() || workload.status.replicas == replicas;
        return seen && known && pods.total() <= replicas + max_surge.ceil_of(replicas);
    }
    let mine = cluster.sets.iter().filter(|set| set.owner == workload.meta.uid);
    let active = mine.filter(|set| set.replicas > 0 || set.status.replicas > 0);
    let scaled = |set: &std::rc::Rc<crate::sim::cluster::objects::ReplicaSet>| {
        set.number(DESIRED_REPLICAS_ANNOTATION) == Some(workload.spec.replicas)
            && set.status.replicas == set.replicas
    };
    seen && active.into_iter().all(scaled)
}
