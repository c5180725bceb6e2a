//! Rules of the writes that move pods.

use crds::hold::{Bar, Reading};
use crds::status::{GateState, GateStatus, Phase};
use crds::{Fenced, Hold, HoldState, Original, Target};

use super::{Lint, all};
use crate::RECONCILING;
use crate::action::{Plan, WriteHold};
use crate::observed::{Fact, Live, Observed, Set, Sets, Workload};

pub(super) fn check(
    lint: &mut Lint,
    seen: &Observed,
    workload: &Workload,
    plan: &Plan,
    write: &WriteHold,
) {
    let detail = || format!("{write:?}");
    let precise = write.uid == workload.uid
        && write.generation == workload.generation
        && write.was == workload.hold_text;
    lint.must(precise, "a hold is written over what was seen", detail);
    let templateless = write.hold.as_ref().is_none_or(|hold| hold.template.is_none());
    lint.must(templateless, "templates go by reference", detail);
    lint.must(!matches!(workload.hold, Reading::Newer(_)), "a newer hold is left alone", detail);
    let release = Release { seen, workload, plan, write };
    if let Some(HoldState::Partitioned(next)) = write.hold.as_ref().map(|hold| &hold.state) {
        let now = match &workload.hold {
            Reading::Hold(hold) => hold.as_partitioned(),
            Reading::None | Reading::Newer(_) | Reading::Malformed(_) => None,
        };
        return super::partition::check(lint, &release, (now, next));
    }
    if let Some(HoldState::Portioned(next)) = write.hold.as_ref().map(|hold| &hold.state) {
        let now = match &workload.hold {
            Reading::Hold(hold) => hold.as_portioned(),
            Reading::None | Reading::Newer(_) | Reading::Malformed(_) => None,
        };
        return super::portion::check(lint, &release, (now, next));
    }
    if let Some(HoldState::Withheld(next)) = write.hold.as_ref().map(|hold| &hold.state) {
        let now = match &workload.hold {
            Reading::Hold(hold) => hold.as_withheld(),
            Reading::None | Reading::Newer(_) | Reading::Malformed(_) => None,
        };
        return super::withheld::check(lint, &release, (now, next));
    }
    let now = match &workload.hold {
        Reading::Hold(hold) => hold.as_fenced(),
        Reading::None | Reading::Newer(_) | Reading::Malformed(_) => None,
    };
    match (write.hold.as_ref().map(|hold| &hold.state), now) {
        (Some(HoldState::Fenced(next)), Some(now)) => release.goes_on(lint, now, next),
        (Some(HoldState::Fenced(next)), None) => release.begins(lint, next),
        (Some(HoldState::Barred(next)), Some(now)) => {
            let right = next.revision == now.revision
                && write.payload.as_ref().is_some_and(|payload| payload.revision == now.stable);
            lint.must(right, "a bar brings the stable template back", detail);
            let idle = next.why != Bar::Dormant || workload.replicas <= 1;
            lint.must(idle, "only an idle workload is laid to rest", detail);
        }
        (Some(_), _) => {}
        (None, Some(now)) => release.ends(lint, now),
        (None, None) => {}
    }
}

/// A write of a hold, and what it follows from.
pub(super) struct Release<'a> {
    pub(super) seen: &'a Observed,
    pub(super) workload: &'a Workload,
    pub(super) plan: &'a Plan,
    write: &'a WriteHold,
}

impl Release<'_> {
    pub(super) fn detail(&self) -> String {
        format!("{:?} over {:?}", self.write, self.workload)
    }

    /// A hold on a workload that has none, or a bar: a return, or a regained hold.
    fn begins(&self, lint: &mut Lint, next: &Fenced) {
        let known = match &self.workload.fields {
            Live::Deployment(fields) => fields.as_original(),
            Live::StatefulSet(_) | Live::CloneSet(_) | Live::DaemonSet(_) => None,
        };
        let own = known.or(self.seen.rollout.status.original);
        lint.must(own == Some(next.original), "originals are the user's", || self.detail());
        let returns = self.write.payload.as_ref();
        let right = match returns {
            Some(payload) => payload.revision == next.revision && next.target.paused,
            None => next.revision == self.workload.revision || next.rollback,
        };
        lint.must(right, "a hold speaks of its template", || self.detail());
    }

    fn goes_on(&self, lint: &mut Lint, now: &Fenced, next: &Fenced) {
        let detail = || self.detail();
        let Workload { revision, .. } = self.workload;
        let noted = Original { paused: true, ..now.original };
        let unseen = !self.workload.projected && self.workload.is_paused();
        let same = next.original == now.original || (unseen && next.original == noted);
        lint.must(same, "originals stay", detail);
        lint.must(next.stable == now.stable, "the stable revision stays", detail);
        lint.must(next.revision == *revision, "a hold speaks of the live template", detail);
        if next == now {
            return;
        }
        if next.revision != now.revision {
            return lint.must(
                next.batch == 0 && next.target.paused,
                "another template starts again",
                detail,
            );
        }
        let here = next.batch == now.batch;
        let projected = self.workload.projected || here;
        lint.must(projected, "no batch begins before a hold is projected", detail);
        let stays = here && self.pods(next) <= self.pods(now);
        lint.must(!now.original.paused || stays, "nothing moves while the user paused", detail);
        lint.must(
            next.batch == now.batch || next.batch == now.batch + 1,
            "batches follow each other",
            detail,
        );
        self.is_within_limits(lint, next);
        if now.batch == 0 {
            self.is_announced(lint);
        } else if next.batch > now.batch {
            self.is_due(lint, now);
        }
    }

    /// No more new pods than the batch allows.
    fn is_within_limits(&self, lint: &mut Lint, next: &Fenced) {
        let pods = self.pods(next);
        let bounded = next.target.paused || (pods <= self.allowed(next.batch) && pods > 0);
        lint.must(bounded, "a hold lets no pod beyond its batch", || self.detail());
    }

    /// New pods that the fields of a hold let exist.
    fn pods(&self, hold: &Fenced) -> i32 {
        let replicas = self.workload.replicas;
        let Target { max_surge, max_unavailable, .. } = hold.target;
        max_surge.ceil_of(replicas) + max_unavailable.floor_of(replicas)
    }

    /// New pods that batch `index` allows.
    fn allowed(&self, index: u32) -> i32 {
        let replicas = self.workload.replicas;
        let begun = self.plan.status.batch.as_ref().filter(|batch| batch.index == index);
        let spec = &self.seen.rollout.spec.strategy.batches;
        let count = begun.map_or(spec.len(), |batch| batch.count as usize);
        if index as usize >= count {
            return replicas;
        }
        let definition = begun.and_then(|batch| batch.definition.as_ref());
        let largest = spec
            .iter()
            .take(index as usize - usize::from(definition.is_some()))
            .chain(definition)
            .map(|batch| batch.replicas.ceil_of(replicas))
            .max();
        largest.unwrap_or(0).clamp(1, (replicas - 1).max(1))
    }

    fn is_announced(&self, lint: &mut Lint) {
        let before = &self.seen.rollout.status;
        let announced = before.update_revision.as_ref() == Some(&self.workload.revision)
            && before.phase == Phase::Progressing
            && before
                .conditions
                .iter()
                .any(|condition| condition.type_ == RECONCILING && condition.status == "True");
        lint.must(announced, "the status says so before a pod moves", || self.detail());
        let stopped = self.seen.rollout.spec.paused || before.paused.is_some();
        lint.must(!stopped, "a pause stops the next batch", || self.detail());
    }

    /// The batch before is done, and nobody stops the next step.
    fn is_due(&self, lint: &mut Lint, now: &Fenced) {
        let before = &self.seen.rollout.status;
        let stopped = self.seen.rollout.spec.paused || before.paused.is_some();
        lint.must(!stopped, "a pause stops the next batch", || self.detail());
        let failed = before.phase == Phase::Failed && self.plan.status.phase == Phase::Failed;
        lint.must(!failed, "a failed release waits", || self.detail());
        let shut = now.target.paused;
        let ready = self.ready(now);
        let enough = shut || ready.is_some_and(|ready| ready >= self.allowed(now.batch));
        lint.must(enough, "a batch is ready before the next", || {
            format!("{ready:?} ready: {}", self.detail())
        });
        self.gates_passed(lint, now.batch);
    }

    /// Every gate of the batch has said so, or a human that it need not.
    fn gates_passed(&self, lint: &mut Lint, batch: u32) {
        let said = &self.plan.status;
        let mut skipped = said.batch.iter().filter(|status| status.index == batch);
        let skipped = skipped.any(|status| status.gates_skipped.is_some());
        let mut gates = self.seen.rollout.spec.gates.iter();
        let count = said.batch.as_ref().map_or(u32::MAX, |status| status.count);
        let passed = gates.all(|gate| {
            let mut said = said.gates.iter().filter(|said| said.name == gate.name);
            let passed = |said: &GateStatus| said.state == GateState::Passed && said.batch == batch;
            gate.dry_run || !gate.judges(batch, count) || said.any(passed)
        });
        lint.must(passed || skipped, "a batch passes its gates before the next", || self.detail());
    }

    /// Pods of the update that are ready; None where nobody knows.
    fn ready(&self, now: &Fenced) -> Option<i32> {
        let Fact::Known(sets) = &self.workload.sets else { return None };
        let update = all(sets).filter(|set| set.revision == now.revision);
        let ready = update.flat_map(|set| &set.pods).filter(|pod| pod.ready_since.is_some());
        i32::try_from(ready.count()).ok()
    }

    fn ends(&self, lint: &mut Lint, now: &Fenced) {
        let Workload { revision, replicas, sets, .. } = self.workload;
        let detail = || self.detail();
        if *revision == now.stable || *replicas == 0 {
            return;
        }
        lint.must(self.workload.projected, "nothing moves before a hold is projected", detail);
        let empty = |sets: &Sets| all(sets).all(|set| set.replicas == 0);
        if matches!(sets, Fact::Known(sets) if empty(sets)) {
            return;
        }
        let count = self.plan.status.batch.as_ref().map(|batch| batch.count);
        lint.must(Some(now.batch) == count, "only the last batch ends a release", detail);
        let ready = self.ready(now);
        lint.must(
            ready.is_some_and(|ready| ready >= *replicas),
            "a release ends when all pods are ready",
            detail,
        );
        self.is_due(lint, now);
    }
}

/// Moving back only gives the stable revision pods, and takes only the update's.
pub(super) fn check_resize(
    lint: &mut Lint,
    workload: &Workload,
    plan: &Plan,
    set: &Set,
    replicas: i32,
) {
    let detail = || format!("{replicas} for {set:?} of {workload:?}");
    let fenced = match &workload.hold {
        Reading::Hold(hold) => Hold::as_fenced(hold),
        Reading::None | Reading::Newer(_) | Reading::Malformed(_) => None,
    };
    let Some(fenced) = fenced else {
        return lint.must(false, "only a fenced workload's sets are resized", detail);
    };
    lint.must(!workload.is_paused(), "nothing is moved back under a pause", detail);
    if replicas == set.replicas {
        let stale = set.desired != Some(workload.replicas) && replicas == workload.replicas;
        return lint.must(stale, "a size is written again to end a scaling", detail);
    }
    let allowed = plan.status.batch.as_ref().map_or(0, |batch| batch.replicas);
    let right = if set.revision == fenced.stable {
        replicas > set.replicas && replicas <= workload.replicas
    } else {
        set.revision == fenced.revision && replicas < set.replicas && replicas >= allowed
    };
    lint.must(right, "pods are moved back, not on", detail);
}
