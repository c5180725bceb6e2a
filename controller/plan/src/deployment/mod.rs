//! What a release means for a Deployment: fence, waves of its two numbers, and moving ReplicaSets.
//! Decides nothing about when.

mod excess;
mod stable;
mod upkeep;
mod wave;

use crds::{Fenced, HoldState, Original, Target};

use crate::action::Action;
use crate::draft::Draft;
use crate::kind::Lost;
use crate::observed::{Fact, Fields, Set, Strategy, Workload};
use crate::revisions::{find, write};
use crate::waiting::Wait;

pub(crate) use stable::is_sound;
pub(crate) use upkeep::{Moving, keep_shares, lower_shares};
pub(crate) use wave::Limits;

/// The user's own limits in a release.
pub(crate) fn limits(workload: &Workload, hold: &Fenced) -> Limits {
    Limits::of(&hold.original, workload.replicas)
}

pub(crate) fn refused(fields: &Fields) -> Option<&'static str> {
    (fields.strategy == Strategy::Recreate).then_some("Recreate")
}

/// The user's own fields at rest.
pub(crate) fn own(fields: &Fields) -> Option<Original> {
    let Strategy::RollingUpdate { max_surge, max_unavailable } = fields.strategy else {
        return None;
    };
    Some(Original {
        paused: fields.paused,
        min_ready_seconds: fields.min_ready_seconds,
        progress_deadline_seconds: fields.progress_deadline_seconds,
        max_surge,
        max_unavailable,
    })
}

/// Without a webhook too, because the fields are as that hold has them.
pub(crate) fn regained(fields: &Fields, lost: Lost, original: Original) -> Option<Fenced> {
    let Strategy::RollingUpdate { max_surge, max_unavailable } = fields.strategy else {
        return None;
    };
    let paused = fields.paused && lost.batch == 0;
    Some(lost.hold(Target { paused, max_surge, max_unavailable }, original))
}

/// The write of a Deployment's hold.
pub(crate) fn write_fenced(workload: &Workload, fenced: Fenced) -> Action {
    Action::WriteHold(write(workload, Some(crds::Hold::of_release(HoldState::Fenced(fenced)))))
}

/// The stable ReplicaSet still counts pods as available that were taken from it a moment ago, or
/// the stock controller is about to take more. For as long as it does, the stock controller takes
/// away as many of the others too many (`maxScaledDown` of `reconcileOldReplicaSets` in its
/// rolling.go).
pub(crate) fn is_misread(workload: &Workload, fenced: &Fenced) -> bool {
    let Fact::Known(sets) = &workload.sets else { return false };
    if fenced.batch == 0 || workload.replicas == 0 {
        return false;
    }
    let counts = |set: &Set| set.available.is_some_and(|available| available <= set.replicas);
    let acted = workload.observed_generation >= workload.generation;
    !acted || find(sets, &fenced.stable).is_some_and(|set| !counts(set))
}

/// The last write did not pass the webhook: what it wanted may be outdated, and the live fields
/// are what the stock controller goes by.
pub(crate) fn project_again(draft: &mut Draft<'_>, moving: &Moving<'_>, fields: &Fields) {
    let Moving { workload, fenced, progress, goal, .. } = moving;
    let (Strategy::RollingUpdate { max_surge, max_unavailable }, true) =
        (fields.strategy, fenced.batch > 0)
    else {
        draft.act(write_fenced(workload, Fenced::clone(fenced)));
        return draft.wait(Wait::Webhook);
    };
    let mut noted = Fenced::clone(fenced);
    noted.original.paused = true;
    // With pods in the batch, or one before it, a pause is not that of the first hold, which no
    // webhook has lifted: it is the user's.
    let begun = fenced.batch > 1 || *fields == Fields::held(&noted);
    let by_user = fields.paused && progress.new > 0 && begun;
    let paused = fields.paused && !by_user;
    let target = Target { paused, max_surge, max_unavailable };
    let live = Fenced { target, ..Fenced::clone(fenced) };
    let moving = Moving { fenced: &live, ..*moving };
    if !moving.is_quiet() {
        return draft.wait_quietly(Wait::StockController);
    }
    let mut again = moving.fenced_at(fenced.batch, *goal);
    again.original.paused |= by_user;
    draft.act(write_fenced(workload, again));
    draft.wait(Wait::Webhook);
}
