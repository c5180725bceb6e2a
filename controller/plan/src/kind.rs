//! The kinds of workloads as the machine sees them: one adapter, through which it holds, moves to a
//! batch, retreats and restores without knowing which kind it has. Owns the table; what a kind does
//! is in `deployment`, `stateful`, `cloneset` and `daemonset`.

use crds::hold::Reading;
use crds::{
    Barred, Fenced, Hold, HoldState, Kept, Partition, Partitioned, Portion, Portioned, Revision,
    RolloutStatus, Target, Updating, Withheld, WorkloadKind,
};
use jiff::Timestamp;

use crate::action::{Action, Turn};
use crate::batch::Goal;
use crate::draft::Draft;
use crate::observed::{CloneSet, DaemonSet, Fields, Live, Sets, Stateful, Workload};
use crate::revisions::{Progress, is_released, is_settled_and_ready, write};
use crate::waiting::Wait;
use crate::{cloneset, daemonset, deployment, stateful};

/// A workload in a release: the parts of its hold that every kind has, and the kind's own.
#[derive(Clone, Copy)]
pub(crate) struct Held<'a> {
    pub(crate) workload: &'a Workload,
    /// Revision that is released.
    pub(crate) revision: &'a Revision,
    /// Revision that the release leaves.
    pub(crate) stable: &'a Revision,
    /// The user's own write brought the stable template back.
    pub(crate) rollback: bool,
    /// 0 before the first batch.
    pub(crate) batch: u32,
    kind: Kind<'a>,
}

/// Live fields and hold, always of the same kind.
#[derive(Clone, Copy)]
enum Kind<'a> {
    Deployment(&'a Fields, &'a Fenced),
    StatefulSet(&'a Stateful, &'a Partitioned),
    CloneSet(&'a CloneSet, &'a Portioned),
    DaemonSet(&'a DaemonSet, &'a Withheld),
}

impl Workload {
    /// The word of its strategy, if that knows no batches.
    pub(crate) fn refused(&self) -> Option<&'static str> {
        match &self.fields {
            Live::Deployment(fields) => deployment::refused(fields),
            Live::StatefulSet(live) => stateful::refused(live),
            Live::CloneSet(live) => cloneset::refused(live),
            Live::DaemonSet(live) => daemonset::refused(live),
        }
    }

    /// The fence is on, or a hold of a release is there.
    pub(crate) fn is_fenced(&self) -> bool {
        let fence = match &self.fields {
            Live::Deployment(fields) => fields.is_fenced(),
            Live::StatefulSet(live) => live.fields.is_fenced() && live.size > 0 && self.is_ours(),
            Live::CloneSet(live) => live.fields.is_fenced() && live.size > 0 && self.is_ours(),
            // OnDelete may be the user's: only a hold of a release explains it.
            Live::DaemonSet(_) => false,
        };
        fence || self.held().is_some()
    }

    /// Only a hold of ours explains a partition that forbids every update: it may be the user's.
    fn is_ours(&self) -> bool {
        self.hold_text.is_some()
    }

    /// The user's own pause is in force.
    pub(crate) fn is_paused(&self) -> bool {
        match &self.fields {
            Live::Deployment(fields) => fields.paused,
            Live::StatefulSet(_) | Live::DaemonSet(_) => false,
            Live::CloneSet(live) => live.paused,
        }
    }

    /// What its hold says, if that is one of a release and of its own kind.
    pub(crate) fn held(&self) -> Option<Held<'_>> {
        let Reading::Hold(hold) = &self.hold else { return None };
        match (&self.fields, &hold.state) {
            (Live::Deployment(fields), HoldState::Fenced(hold)) => Some(Held {
                workload: self,
                revision: &hold.revision,
                stable: &hold.stable,
                rollback: hold.rollback,
                batch: hold.batch,
                kind: Kind::Deployment(fields, hold),
            }),
            (Live::StatefulSet(live), HoldState::Partitioned(hold)) => Some(Held {
                workload: self,
                revision: &hold.revision,
                stable: &hold.stable,
                rollback: hold.rollback,
                batch: hold.batch,
                kind: Kind::StatefulSet(live, hold),
            }),
            (Live::CloneSet(live), HoldState::Portioned(hold)) => Some(Held {
                workload: self,
                revision: &hold.revision,
                stable: &hold.stable,
                rollback: hold.rollback,
                batch: hold.batch,
                kind: Kind::CloneSet(live, hold),
            }),
            (Live::DaemonSet(live), HoldState::Withheld(hold)) => Some(Held {
                workload: self,
                revision: &hold.revision,
                stable: &hold.stable,
                rollback: hold.rollback,
                batch: hold.batch,
                kind: Kind::DaemonSet(live, hold),
            }),
            _ => None,
        }
    }

    /// The hold of a revision that comes (back) to it at rest; None where it cannot be held.
    pub(crate) fn first_hold(&self, revision: Revision) -> Option<Hold> {
        let stable = self.revision.clone();
        let state = match &self.fields {
            Live::Deployment(fields) => {
                HoldState::Fenced(Fenced::first(revision, stable, deployment::own(fields)?))
            }
            Live::StatefulSet(live) => {
                let own = stateful::own(live)?;
                HoldState::Partitioned(Partitioned::first(revision, stable, own))
            }
            Live::CloneSet(live) => {
                let own = cloneset::own(live)?;
                HoldState::Portioned(Portioned::first(revision, stable, own))
            }
            Live::DaemonSet(live) => {
                let own = daemonset::own(live)?;
                HoldState::Withheld(Withheld::first(revision, stable, own))
            }
        };
        Some(Hold::of_release(state))
    }

    /// The hold made again from what the status knows; None where that is not enough.
    pub(crate) fn regained(&self, before: &RolloutStatus, bar: Option<&Barred>) -> Option<Hold> {
        let lost = Lost::of(self, before, bar)?;
        let state = match &self.fields {
            Live::Deployment(fields) => {
                HoldState::Fenced(deployment::regained(fields, lost, before.original?)?)
            }
            Live::StatefulSet(_) => {
                let Kept::Pods(partition) = before.original_partition? else { return None };
                HoldState::Partitioned(lost.hold(stateful::SHUT, Partition { partition }))
            }
            Live::CloneSet(_) => {
                let own = Portion { partition: before.original_partition? };
                HoldState::Portioned(lost.hold(cloneset::SHUT, own))
            }
            Live::DaemonSet(_) => {
                let own = Updating { by: before.original_strategy? };
                HoldState::Withheld(lost.hold(daemonset::SHUT, own))
            }
        };
        Some(Hold::of_release(state))
    }

    /// Its kind.
    pub(crate) fn kind(&self) -> WorkloadKind {
        match &self.fields {
            Live::Deployment(_) => WorkloadKind::Deployment,
            Live::StatefulSet(_) => WorkloadKind::StatefulSet,
            Live::CloneSet(_) => WorkloadKind::CloneSet,
            Live::DaemonSet(_) => WorkloadKind::DaemonSet,
        }
    }

    /// The hold is gone, and what it left in the user's own fields would stay for ever.
    pub(crate) fn has_lost_its_hold(&self, before: &RolloutStatus) -> bool {
        match &self.fields {
            Live::Deployment(_) => false,
            Live::StatefulSet(live) => {
                live.fields.is_fenced() && before.original_partition.is_some()
            }
            Live::CloneSet(live) => live.fields.is_fenced() && before.original_partition.is_some(),
            Live::DaemonSet(live) => {
                daemonset::refused(live).is_some() && before.original_strategy.is_some()
            }
        }
    }

    /// The release that its template is of is over.
    pub(crate) fn is_released(&self, sets: &Sets) -> bool {
        let kept = match &self.fields {
            Live::Deployment(_) | Live::StatefulSet(_) | Live::DaemonSet(_) => 0,
            Live::CloneSet(live) => cloneset::may_keep(self, live, sets),
        };
        is_released(sets, &self.revision, self.replicas, kept)
    }

    /// All pods that an update may reach are of `revision` and ready.
    pub(crate) fn is_back(&self, sets: &Sets, revision: &Revision) -> bool {
        let replicas = match &self.fields {
            Live::Deployment(_) | Live::StatefulSet(_) | Live::DaemonSet(_) => self.replicas,
            Live::CloneSet(live) => cloneset::wanted_back(live, sets),
        };
        is_settled_and_ready(sets, revision, replicas)
    }

    /// Takes pods away for which the stock controller would wait for ever on the way to
    /// `revision`.
    pub(crate) fn clear_the_way(&self, draft: &mut Draft<'_>, sets: &Sets, revision: &Revision) {
        match &self.fields {
            Live::Deployment(_) | Live::DaemonSet(_) => {}
            Live::StatefulSet(live) => {
                stateful::clear_the_way(draft, self, live, sets, revision);
            }
            Live::CloneSet(live) => {
                cloneset::clear_the_way(draft, self, live, sets, revision);
            }
        }
    }
}

/// What every kind's lost hold said.
pub(crate) struct Lost {
    pub(crate) revision: Revision,
    pub(crate) stable: Revision,
    pub(crate) rollback: bool,
    pub(crate) batch: u32,
}

impl Lost {
    /// What has to be barred with the stable template live already is a rollback of that revision.
    fn of(workload: &Workload, before: &RolloutStatus, bar: Option<&Barred>) -> Option<Self> {
        let live = &workload.revision;
        let stable = before.stable_revision.clone()?;
        let same = before.update_revision.as_ref() == Some(live);
        let batch = before.batch.as_ref().filter(|_| same).map_or(0, |batch| batch.index);
        let rollback = *live == stable;
        let revision = match bar {
            Some(bar) if rollback => bar.revision.clone(),
            _ => live.clone(),
        };
        Some(Self { revision, stable, rollback, batch })
    }

    /// The hold that it was, as far as anybody knows.
    pub(crate) fn hold<T, O>(self, target: T, original: O) -> crds::Held<T, O> {
        let Self { revision, stable, rollback, batch } = self;
        crds::Held { revision, stable, rollback, batch, target, original }
    }
}

/// A hold in which nothing has begun, of this revision.
fn stopped<T, O: Copy>(hold: &crds::Held<T, O>, revision: Revision, target: T) -> crds::Held<T, O> {
    let (stable, original) = (hold.stable.clone(), hold.original);
    crds::Held { revision, stable, rollback: false, batch: 0, target, original }
}

impl<'a> Held<'a> {
    /// The user's own pods beyond the replicas.
    pub(crate) fn surge(&self) -> i32 {
        match self.kind {
            Kind::Deployment(_, hold) => deployment::limits(self.workload, hold).surge,
            // A new pod beside the only one is more than any partition of one gives.
            Kind::StatefulSet(..) | Kind::CloneSet(..) | Kind::DaemonSet(..) => 0,
        }
    }

    /// The user's own pause.
    pub(crate) fn is_paused(&self) -> bool {
        match self.kind {
            Kind::Deployment(_, hold) => hold.original.paused,
            Kind::StatefulSet(..) | Kind::DaemonSet(..) => false,
            Kind::CloneSet(live, _) => live.paused,
        }
    }

    /// The workload's own deadline; None: none.
    pub(crate) fn deadline_seconds(&self) -> Option<i64> {
        match self.kind {
            // The number that means "no deadline" to the stock controller means it here.
            Kind::Deployment(_, hold) => Some(hold.original.progress_deadline_seconds)
                .filter(|seconds| *seconds < i32::MAX)
                .map(i64::from),
            Kind::StatefulSet(..) => Some(stateful::DEADLINE_SECONDS),
            Kind::DaemonSet(..) => Some(daemonset::DEADLINE_SECONDS),
            Kind::CloneSet(live, _) => {
                Some(live.deadline_seconds.map_or(cloneset::DEADLINE_SECONDS, i64::from))
            }
        }
    }

    /// Notes the user's own fields in the status, too.
    pub(crate) fn note_original(&self, status: &mut RolloutStatus) {
        match self.kind {
            Kind::Deployment(_, hold) => status.original = Some(hold.original),
            Kind::StatefulSet(_, hold) => {
                status.original_partition = Some(Kept::Pods(hold.original.partition));
            }
            Kind::CloneSet(_, hold) => {
                status.original_partition = Some(hold.original.partition);
            }
            Kind::DaemonSet(_, hold) => status.original_strategy = Some(hold.original.by),
        }
    }

    /// What the user asks for and does not get in the release.
    pub(crate) fn reservation(&self) -> Option<Turn> {
        match self.kind {
            Kind::DaemonSet(live, _) => daemonset::reservation(live),
            Kind::Deployment(..) | Kind::StatefulSet(..) | Kind::CloneSet(..) => None,
        }
    }

    /// The hold of a template that came past the webhook in a release.
    pub(crate) fn caught_up(&self) -> Action {
        let revision = self.workload.revision.clone();
        self.write(match self.kind {
            Kind::Deployment(_, hold) => {
                let target = Target { paused: true, ..hold.target };
                HoldState::Fenced(stopped(hold, revision, target))
            }
            Kind::StatefulSet(_, hold) => {
                HoldState::Partitioned(stopped(hold, revision, stateful::SHUT))
            }
            Kind::CloneSet(_, hold) => {
                HoldState::Portioned(stopped(hold, revision, cloneset::SHUT))
            }
            Kind::DaemonSet(_, hold) => {
                HoldState::Withheld(stopped(hold, revision, daemonset::SHUT))
            }
        })
    }

    /// The write of a hold as it is.
    pub(crate) fn again(&self) -> Action {
        self.write(match self.kind {
            Kind::Deployment(_, hold) => HoldState::Fenced(hold.clone()),
            Kind::StatefulSet(_, hold) => HoldState::Partitioned(hold.clone()),
            Kind::CloneSet(_, hold) => HoldState::Portioned(hold.clone()),
            Kind::DaemonSet(_, hold) => HoldState::Withheld(hold.clone()),
        })
    }

    fn write(&self, state: HoldState) -> Action {
        Action::WriteHold(write(self.workload, Some(Hold::of_release(state))))
    }

    /// The stable pods count as what they are; otherwise that is repaired, or waited for.
    pub(crate) fn is_sound(&self, draft: &mut Draft<'_>, sets: &Sets) -> bool {
        match self.kind {
            Kind::Deployment(_, hold) => deployment::is_sound(draft, hold, sets),
            Kind::StatefulSet(..) | Kind::CloneSet(..) | Kind::DaemonSet(..) => true,
        }
    }

    /// The stock controller counts stable pods as there that are not: it would take others away.
    pub(crate) fn is_misread(&self) -> bool {
        match self.kind {
            Kind::Deployment(_, hold) => deployment::is_misread(self.workload, hold),
            Kind::StatefulSet(..) | Kind::CloneSet(..) | Kind::DaemonSet(..) => false,
        }
    }

    /// How far the batch is.
    pub(crate) fn progress(&self, sets: &Sets, now: Timestamp) -> Progress {
        let of = |ripe| Progress::of(self.workload, self.revision, ripe, sets, now);
        let progress = match self.kind {
            Kind::Deployment(_, hold) => return of(hold.original.min_ready_seconds),
            Kind::StatefulSet(live, _) => of(live.min_ready_seconds),
            Kind::CloneSet(live, _) => of(live.min_ready_seconds),
            Kind::DaemonSet(live, _) => of(live.min_ready_seconds),
        };
        // A pod that is missing for a moment is still one of the old ones.
        let old = (self.workload.replicas - progress.new).max(0);
        Progress { old, ..progress }
    }

    /// A batch on its way, with what is known of its pods.
    pub(crate) fn moving<'b>(
        &'b self,
        sets: &'b Sets,
        progress: &'b Progress,
        goal: Goal,
    ) -> Moving<'b> {
        Moving { held: self, sets, progress, goal }
    }
}

/// A batch whose pods are known.
pub(crate) struct Moving<'a> {
    held: &'a Held<'a>,
    pub(crate) sets: &'a Sets,
    pub(crate) progress: &'a Progress,
    goal: Goal,
}

impl<'a> Moving<'a> {
    fn deployment(&self, hold: &'a Fenced) -> deployment::Moving<'a> {
        deployment::Moving {
            workload: self.held.workload,
            fenced: hold,
            sets: self.sets,
            progress: self.progress,
            goal: self.goal,
            limits: deployment::limits(self.held.workload, hold),
        }
    }

    fn stateful(&self, live: &'a Stateful, hold: &'a Partitioned) -> stateful::Moving<'a> {
        let Self { held, sets, goal, .. } = *self;
        stateful::Moving { workload: held.workload, live, hold, sets, goal }
    }

    fn cloneset(&self, live: &'a CloneSet, hold: &'a Portioned) -> cloneset::Moving<'a> {
        let Self { held, sets, goal, .. } = *self;
        cloneset::Moving { workload: held.workload, live, hold, sets, goal }
    }

    fn daemonset(&self, live: &'a DaemonSet, hold: &'a Withheld) -> daemonset::Moving<'a> {
        let Self { held, sets, progress, goal } = *self;
        daemonset::Moving { workload: held.workload, live, hold, sets, progress, goal }
    }

    /// The stock controller has acted on the last change, and what was read belongs together.
    pub(crate) fn is_quiet(&self) -> bool {
        match self.held.kind {
            Kind::Deployment(_, hold) => self.deployment(hold).is_quiet(),
            Kind::StatefulSet(live, hold) => self.stateful(live, hold).is_quiet(),
            Kind::CloneSet(live, hold) => self.cloneset(live, hold).is_quiet(),
            Kind::DaemonSet(live, hold) => self.daemonset(live, hold).is_quiet(),
        }
    }

    /// The write that begins batch `index`, which is to end with `goal`.
    pub(crate) fn begin(&self, index: u32, goal: Goal) -> Action {
        self.held.write(match self.held.kind {
            Kind::Deployment(_, hold) => {
                HoldState::Fenced(self.deployment(hold).fenced_at(index, goal))
            }
            Kind::StatefulSet(live, hold) => {
                HoldState::Partitioned(self.stateful(live, hold).held_at(index, goal))
            }
            Kind::CloneSet(live, hold) => {
                HoldState::Portioned(self.cloneset(live, hold).held_at(index, goal))
            }
            Kind::DaemonSet(_, hold) => HoldState::Withheld(daemonset::held_at(hold, index)),
        })
    }

    /// Brings the pods to the batch's shares, one step.
    pub(crate) fn keep_shares(&self, draft: &mut Draft<'_>) {
        match self.held.kind {
            Kind::Deployment(_, hold) => {
                deployment::keep_shares(draft, &self.deployment(hold), *self.held);
            }
            Kind::StatefulSet(live, hold) => self.stateful(live, hold).keep_shares(draft),
            Kind::CloneSet(live, hold) => self.cloneset(live, hold).keep_shares(draft),
            Kind::DaemonSet(live, hold) => self.daemonset(live, hold).keep_shares(draft),
        }
    }

    /// Under the user's own pause.
    pub(crate) fn lower_shares(&self, draft: &mut Draft<'_>) {
        match self.held.kind {
            Kind::Deployment(_, hold) => {
                deployment::lower_shares(draft, &self.deployment(hold));
            }
            Kind::StatefulSet(..) | Kind::DaemonSet(..) => {}
            Kind::CloneSet(live, hold) => self.cloneset(live, hold).lower_shares(draft),
        }
    }

    /// The last write of the hold did not pass the webhook: writes it again, as it should be now.
    pub(crate) fn project_again(&self, draft: &mut Draft<'_>) {
        match self.held.kind {
            Kind::Deployment(fields, hold) => {
                deployment::project_again(draft, &self.deployment(hold), fields);
            }
            Kind::StatefulSet(live, hold) => self.stateful(live, hold).project_again(draft),
            Kind::CloneSet(live, hold) => self.cloneset(live, hold).project_again(draft),
            Kind::DaemonSet(..) => {
                draft.act(self.held.again());
                draft.wait(Wait::Webhook);
            }
        }
    }
}
