//! A release from the hold to the lift: which batch it is in, whether that is done, and what has
//! to follow. Decides; the writes are built by `kind` and `retreat`.

use crds::rollout::OnFailure;
use crds::route::Condition;
use crds::status::{BatchStatus, Phase};
use crds::{GepDuration, Revision, Traffic};
use jiff::Timestamp;

use crate::batch::{Goal, Step};
use crate::draft::{Draft, later};
use crate::gates::{self, Failure, Judged, Say};
use crate::kind::{Held, Moving};
use crate::observed::{Fact, Sets};
use crate::request::{self, Heard};
use crate::retreat;
use crate::revisions::keep;
use crate::traffic::{self, Flow, Split};
use crate::waiting::{Wait, trouble_sentence};

/// Whether the release may leave its batch once that is ready.
enum Exit {
    Open,
    Closed(Wait),
    Failed(Failure),
}

/// Plans a held workload whose template is the one that is released.
pub(crate) fn go(draft: &mut Draft<'_>, held: Held<'_>) {
    draft.watch_sets = true;
    let Held { workload, revision, stable, batch, .. } = held;
    let replicas = workload.replicas;
    if replicas == 0 {
        let wait = Wait::ScaledToZero { update: revision.clone() };
        return retreat::rest_dormant(draft, held, wait);
    }
    let aborting = draft.before().phase == Phase::Aborting
        && draft.before().update_revision.as_ref() == Some(revision);
    let same = follow(draft, held);
    let step = step_of(draft, batch, replicas);
    let goal = step.goal(&draft.seen.rollout.spec.strategy.batches, replicas, held.surge());
    say_batch(draft, &step, goal.new_pods(replicas));
    let goal = with_requests(draft, held, goal);
    let heard = request::hear(draft, revision);
    if heard == Heard::Abort || aborting {
        let because = abort_reason(draft);
        return retreat::abort(draft, held, because);
    }
    keep(draft, workload, stable);
    let release = Release { held, step, goal, heard };
    if !workload.projected {
        release.project_again(draft);
    } else if batch == 0 {
        release.open(draft, same);
    } else {
        release.judge(draft);
    }
}

/// Takes over from the hold which release this is. True if the status spoke of it already.
fn follow(draft: &mut Draft<'_>, held: Held<'_>) -> bool {
    let before = draft.before();
    let same_revision = before.update_revision.as_ref() == Some(held.revision);
    let begun = before.batch.as_ref().map(|batch| batch.index);
    let restarted = held.batch == 0 && begun.is_some_and(|index| index > 1);
    let same = same_revision && begun.is_some() && !restarted;
    let status = &mut draft.status;
    status.stable_revision = Some(held.stable.clone());
    status.update_revision = Some(held.revision.clone());
    held.note_original(status);
    status.rejected_revision = None;
    if !same {
        status.gates.clear();
        status.skipped.clear();
        status.batch = None;
        status.failure = None;
        status.phase = Phase::Held;
    }
    if !same_revision {
        status.paused = None;
        held.reservation().into_iter().for_each(|turn| draft.turn(turn));
    }
    same
}

/// Until the first batch has begun, an edit of the batches takes effect on it, too.
fn step_of(draft: &Draft<'_>, index: u32, replicas: i32) -> Step {
    let spec = &draft.seen.rollout.spec.strategy.batches;
    Step::of(spec, draft.status.batch.as_ref().filter(|_| index > 0), index, replicas)
}

/// The last old pod stays for as long as requests may come to it. Where there is no place beside
/// the only pod, no route can help.
fn with_requests(draft: &Draft<'_>, held: Held<'_>, goal: Goal) -> Goal {
    let replicas = held.workload.replicas;
    let waits = goal == Goal::All
        && traffic::is_wanted(draft)
        && !traffic::is_all_over(draft, held.revision);
    match replicas {
        2.. if waits => Goal::Share(replicas - 1),
        1 if waits && held.surge() > 0 => Goal::Beside,
        _ => goal,
    }
}

/// Brings the batch of the status up to the hold's.
fn say_batch(draft: &mut Draft<'_>, step: &Step, replicas: i32) {
    let started_at = draft.stamp_after();
    let old = draft.status.batch.take();
    let batch = match old {
        Some(old) if old.index == step.index => {
            let (count, definition) = (step.count, step.definition.clone());
            BatchStatus { count, definition, replicas, ..old }
        }
        old => BatchStatus {
            index: step.index,
            count: step.count,
            replicas,
            definition: step.definition.clone(),
            started_at,
            ready_at: None,
            promoted: false,
            full: old.is_some_and(|batch| batch.full),
            gates_skipped: None,
        },
    };
    draft.status.step = Some(format!("{}/{}", batch.index, batch.count));
    draft.status.batch = Some(batch);
}

/// A human has ended the pause after the batch, or the bake.
fn is_promoted(draft: &Draft<'_>) -> bool {
    draft.status.batch.as_ref().is_some_and(|batch| batch.promoted || batch.full)
}

fn after(ready_at: Timestamp, span: GepDuration) -> Timestamp {
    ready_at.checked_add(span.get()).unwrap_or(Timestamp::MAX)
}

fn abort_reason(draft: &Draft<'_>) -> String {
    let asked = request::open(draft).map(request::asked_by);
    match (&draft.status.failure, asked) {
        (Some(failure), Some(asked)) if !failure.starts_with(&asked) => {
            format!("{asked}: {failure}")
        }
        (Some(failure), _) => failure.clone(),
        (None, asked) => asked.unwrap_or_default(),
    }
}

/// A release at one moment.
struct Release<'a> {
    held: Held<'a>,
    step: Step,
    goal: Goal,
    heard: Heard,
}

impl Release<'_> {
    fn revision(&self) -> &Revision {
        self.held.revision
    }

    fn want(&self) -> i32 {
        self.goal.new_pods(self.held.workload.replicas)
    }

    fn project_again(&self, draft: &mut Draft<'_>) {
        if self.held.batch == 0 || self.held.workload.refused().is_some() {
            draft.act(self.held.again());
            return draft.wait(Wait::Webhook);
        }
        let Some(sets) = self.sets(draft) else { return };
        let progress = self.held.progress(sets, draft.now);
        self.held.moving(sets, &progress, self.goal).project_again(draft);
    }

    /// Before the first batch. The status has to say that the release is on before a pod moves.
    fn open(&self, draft: &mut Draft<'_>, same: bool) {
        if let Some(wait) = self.stop(draft) {
            draft.phase(Phase::Held);
            return draft.wait(wait);
        }
        let announced = same && draft.before().phase == Phase::Progressing;
        draft.phase(Phase::Progressing);
        draft.wait(Wait::Pods { want: self.want(), revision: self.revision().clone() });
        if !announced {
            return draft.restart_clock();
        }
        let Some(sets) = self.sets(draft) else { return };
        if let Fact::Unknown(why) = &draft.seen.kept {
            return draft.wait_quietly(Wait::FactsUnknown { why: why.clone() });
        }
        let progress = self.held.progress(sets, draft.now);
        if progress.old == 0 && progress.new == 0 {
            // Not one pod of the stable revision: there is nothing that a hold could keep.
            return retreat::lift(draft, self.held.workload, false);
        }
        if !self.held.is_sound(draft, sets) {
            return;
        }
        let moving = self.held.moving(sets, &progress, self.goal);
        if !moving.is_quiet() {
            return;
        }
        // New pods answer nobody before they are asked to.
        match self.bring(draft, sets, 0, &[]) {
            Flow::There => draft.act(moving.begin(self.step.index, self.goal)),
            Flow::Moving(wait) => draft.wait(wait),
        }
    }

    fn bring(&self, draft: &mut Draft<'_>, sets: &Sets, weight: u32, chosen: &[Condition]) -> Flow {
        let Held { stable, revision, .. } = self.held;
        let split = Split { stable, update: revision, weight, chosen, pods: self.want() };
        traffic::bring(draft, sets, &split)
    }

    /// The requests that the batch gives to its pods.
    fn share(&self) -> (u32, &[Condition]) {
        if self.step.is_last() {
            return (traffic::ALL, &[]);
        }
        let (pods, replicas) = (self.want(), self.held.workload.replicas);
        let all = if self.goal == Goal::Beside { 2 } else { replicas.max(1) };
        let share = u32::try_from((100 * pods + all - 1) / all).unwrap_or(100);
        match self.step.definition.as_ref().and_then(|batch| batch.traffic.as_ref()) {
            None => (share, &[]),
            Some(Traffic { weight, matches }) => {
                (weight.unwrap_or(if matches.is_empty() { share } else { 0 }), matches)
            }
        }
    }

    /// Somebody's stop that holds before any batch.
    fn stop(&self, draft: &Draft<'_>) -> Option<Wait> {
        if self.held.is_paused() {
            return Some(Wait::DeploymentPaused { name: retreat::workload_name(draft) });
        }
        if draft.seen.rollout.spec.paused {
            return Some(Wait::SpecPaused);
        }
        draft.status.paused.as_ref().map(|paused| Wait::Paused { by: paused.by.clone() })
    }

    fn sets(&self, draft: &mut Draft<'_>) -> Option<&Sets> {
        let why = match &self.held.workload.sets {
            Fact::Known(sets) => return Some(sets),
            Fact::Absent => "none was found".to_owned(),
            Fact::Unknown(why) => why.clone(),
        };
        draft.wait_quietly(Wait::FactsUnknown { why });
        None
    }

    /// In a batch: done, on its way, or too late.
    fn judge(&self, draft: &mut Draft<'_>) {
        if draft.status.phase == Phase::Held {
            draft.phase(Phase::Progressing);
        }
        let paused = self.held.is_paused();
        if !paused {
            self.restart_clock_after_pause(draft);
        }
        let Some(sets) = self.sets(draft) else { return };
        let progress = self.held.progress(sets, draft.now);
        let moving = self.held.moving(sets, &progress, self.goal);
        if paused {
            draft.wait(Wait::DeploymentPaused { name: retreat::workload_name(draft) });
            return moving.lower_shares(draft);
        }
        if draft.status.phase == Phase::Failed {
            let because = draft.status.failure.clone().unwrap_or_default();
            draft.wait(Wait::Failed { because });
            return moving.keep_shares(draft);
        }
        if progress.ready < self.want() {
            self.unready(draft, &moving);
        } else if moving.is_quiet() {
            self.ready(draft, &moving);
        } else {
            moving.keep_shares(draft);
        }
    }

    /// Time in which the user's own pause stopped the pods does not count.
    fn restart_clock_after_pause(&self, draft: &mut Draft<'_>) {
        let said = draft.before().waiting_for.as_ref();
        let was_paused = said.is_some_and(|said| said.reason == "DeploymentPaused");
        if was_paused {
            draft.restart_clock();
        }
    }

    fn ready(&self, draft: &mut Draft<'_>, moving: &Moving<'_>) {
        let (weight, chosen) = self.share();
        if let Flow::Moving(wait) = self.bring(draft, moving.sets, weight, chosen) {
            return self.shift(draft, moving, wait);
        }
        if self.step.is_last() && self.goal != Goal::All {
            return;
        }
        let at = draft.stamp_after();
        let known = draft.status.batch.as_ref().and_then(|batch| batch.ready_at.clone());
        let ready_at = known.unwrap_or(at);
        match self.exit(draft, moving, ready_at.0) {
            Exit::Open if self.heard == Heard::Answered => {}
            Exit::Open => self.advance(draft, moving),
            Exit::Failed(failure) => self.fail(draft, moving, failure),
            Exit::Closed(wait) => {
                if let Some(batch) = &mut draft.status.batch {
                    batch.ready_at = Some(ready_at);
                }
                self.stay(draft, moving, wait);
            }
        }
    }

    /// In the last batch the old pods go while it is on its way: requests follow the ready ones, in
    /// steps that are worth a write. Nothing waits for it.
    fn follow(&self, draft: &mut Draft<'_>, moving: &Moving<'_>) {
        const WORTH: u32 = 20;
        if !self.step.is_last() || self.goal == Goal::All || !traffic::is_wanted(draft) {
            return;
        }
        let ready = 100 * moving.progress.ready / self.held.workload.replicas.max(1);
        let now = traffic::weight_now(draft, self.revision());
        let weight = u32::try_from(ready).ok().filter(|ready| *ready >= now + WORTH).unwrap_or(now);
        if weight == 0 {
            return;
        }
        // Who was chosen before stays chosen until everybody is.
        let batches = &draft.seen.rollout.spec.strategy.batches;
        let before = batches.get((self.step.index as usize).saturating_sub(2));
        let chosen = before.and_then(|batch| batch.traffic.as_ref()).map(|own| &own.matches);
        let Held { stable, revision, .. } = self.held;
        let (chosen, pods) = (chosen.map_or(&[][..], Vec::as_slice), moving.progress.ready);
        let split = Split { stable, update: revision, weight, chosen, pods };
        traffic::bring(draft, moving.sets, &split);
    }

    /// The pods are ready, and their requests are on the way. Of a batch that was ready already a
    /// route has changed, or somebody has taken away what is beside it: that has a time of its own.
    fn shift(&self, draft: &mut Draft<'_>, moving: &Moving<'_>, wait: Wait) {
        if matches!(draft.before().phase, Phase::Paused | Phase::Judging) {
            draft.restart_clock();
        }
        draft.phase(Phase::Progressing);
        let why = wait.message(draft.kind());
        draft.wait(wait);
        if self.is_too_late(draft) {
            let Failure { because, follows } = self.lateness(draft, moving);
            let failure = Failure { because: format!("{because}: {why}"), follows };
            return self.fail(draft, moving, failure);
        }
        moving.keep_shares(draft);
    }

    /// The batch is ready, and something else has to happen before the next.
    fn stay(&self, draft: &mut Draft<'_>, moving: &Moving<'_>, wait: Wait) {
        draft.phase(if wait.is_for_a_gate() { Phase::Judging } else { Phase::Paused });
        draft.wait(wait);
        moving.keep_shares(draft);
    }

    /// What a batch that was ready at this moment waits for: its gates, and a human or a time. The
    /// gates measure all along.
    fn exit(&self, draft: &mut Draft<'_>, moving: &Moving<'_>, ready_at: Timestamp) -> Exit {
        let (gates, doubt) = match self.judge_gates(draft, moving, Some(ready_at)) {
            Say::Failed(failure) => return Exit::Failed(failure),
            Say::Closed(wait) => (Some(wait), None),
            Say::Doubtful(wait) => (None, Some(wait)),
            Say::Open => (None, None),
        };
        let stop = self.stop(draft).or(gates);
        match stop.or_else(|| self.pause(draft, ready_at)).or(doubt) {
            Some(wait) => Exit::Closed(wait),
            None => Exit::Open,
        }
    }

    fn judge_gates(
        &self,
        draft: &mut Draft<'_>,
        moving: &Moving<'_>,
        ready_at: Option<Timestamp>,
    ) -> Say {
        // Most releases have none, and each plan of theirs comes by here.
        if draft.seen.rollout.spec.gates.is_empty() && draft.status.gates.is_empty() {
            return Say::Open;
        }
        let bake = draft.seen.rollout.spec.bake.filter(|_| self.step.is_last());
        let until = bake.filter(|_| !is_promoted(draft)).zip(ready_at);
        let until = until.map(|(span, ready_at)| after(ready_at, span));
        let Step { index, count, .. } = self.step;
        let values = gates::values(draft.seen, &self.held, moving.sets, count);
        gates::judge(
            draft,
            &Judged { index, count, ready_at, bakes: bake.is_some(), until, values },
        )
    }

    /// The pause after the batch, or the bake time after the last.
    fn pause(&self, draft: &mut Draft<'_>, ready_at: Timestamp) -> Option<Wait> {
        if is_promoted(draft) {
            return None;
        }
        let until = |span: GepDuration| after(ready_at, span);
        let wait = if self.step.is_last() {
            Wait::Bake { until: until(draft.seen.rollout.spec.bake?) }
        } else {
            let pause = self.step.definition.as_ref()?.pause.as_ref()?;
            let Step { index, count, .. } = self.step;
            match pause.duration {
                Some(span) => Wait::Time { until: until(span) },
                None => return Some(Wait::Promotion { index, count }),
            }
        };
        let (Wait::Bake { until } | Wait::Time { until }) = wait else { return Some(wait) };
        draft.wake_at(until);
        (draft.now < until).then_some(wait)
    }

    /// The batch is ready and nothing stops the next.
    fn advance(&self, draft: &mut Draft<'_>, moving: &Moving<'_>) {
        if self.step.is_last() {
            return retreat::lift(draft, self.held.workload, false);
        }
        let spec = &draft.seen.rollout.spec.strategy.batches;
        let begun = draft.status.batch.as_ref();
        let replicas = self.held.workload.replicas;
        let next = Step::of(spec, begun, self.step.index + 1, replicas);
        let goal = next.goal(spec, replicas, self.held.surge());
        let goal = with_requests(draft, self.held, goal);
        draft.act(moving.begin(next.index, goal));
    }

    fn unready(&self, draft: &mut Draft<'_>, moving: &Moving<'_>) {
        let ready_at = draft.status.batch.as_ref().and_then(|batch| batch.ready_at.clone());
        if let Some(at) = ready_at {
            match self.exit(draft, moving, at.0) {
                // The pause goes on; whether the pods are ready counts when it ends.
                Exit::Closed(wait) => return self.stay(draft, moving, wait),
                Exit::Failed(failure) => return self.fail(draft, moving, failure),
                Exit::Open => {}
            }
            if let Some(batch) = &mut draft.status.batch {
                batch.ready_at = None;
            }
            draft.restart_clock();
        } else if let Say::Failed(failure) = self.judge_gates(draft, moving, None) {
            return self.fail(draft, moving, failure);
        }
        draft.phase(Phase::Progressing);
        draft.wait(match moving.progress.trouble.clone() {
            Some((pod, trouble)) => Wait::Trouble { pod, trouble },
            None => Wait::Pods { want: self.want(), revision: self.revision().clone() },
        });
        moving.progress.matures.iter().for_each(|at| draft.wake_at(*at));
        if self.is_too_late(draft) {
            return self.fail(draft, moving, self.lateness(draft, moving));
        }
        self.follow(draft, moving);
        moving.keep_shares(draft);
    }

    fn is_too_late(&self, draft: &mut Draft<'_>) -> bool {
        let Some(started) = draft.status.batch.as_ref().map(|batch| batch.started_at.0) else {
            return false;
        };
        let Some(seconds) = self.deadline_seconds(draft) else { return false };
        let deadline = later(started, seconds);
        draft.wake_at(deadline);
        draft.now >= deadline
    }

    fn deadline_seconds(&self, draft: &Draft<'_>) -> Option<i64> {
        if let Some(own) = draft.seen.rollout.spec.progress_deadline {
            return i64::try_from(own.get().as_secs()).ok();
        }
        self.held.deadline_seconds()
    }

    fn lateness(&self, draft: &Draft<'_>, moving: &Moving<'_>) -> Failure {
        let Step { index, count, .. } = self.step;
        let seconds = self.deadline_seconds(draft).unwrap_or_default();
        let mut because = format!("batch {index} of {count} was not ready within {seconds}s");
        if let Some((pod, trouble)) = &moving.progress.trouble {
            because = format!("{because}: {}", trouble_sentence(pod, trouble));
        }
        Failure { because, follows: draft.seen.rollout.spec.on_failure }
    }

    fn fail(&self, draft: &mut Draft<'_>, moving: &Moving<'_>, failure: Failure) {
        let Failure { because, follows } = failure;
        match follows {
            OnFailure::Abort => retreat::abort(draft, self.held, because),
            OnFailure::Pause => {
                draft.phase(Phase::Failed);
                draft.status.failure = Some(because.clone());
                draft.wait(Wait::Failed { because });
                moving.keep_shares(draft);
            }
        }
    }
}
