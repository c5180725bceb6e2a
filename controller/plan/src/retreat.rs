//! The ways back: abort, the user's own rollback, scaling to zero, and the return of a revision
//! that was taken back. Each is one write; each can be repeated.

use crds::hold::Bar;
use crds::request::Verb;
use crds::status::Phase;
use crds::{Barred, Hold, Revision};

use crate::action::{Action, Turn};
use crate::draft::{Draft, PATIENCE_SECONDS, later};
use crate::kind::Held;
use crate::observed::{Fact, Sets, Workload};
use crate::request;
use crate::revisions::{drop_all_but, keep, payload, write};
use crate::traffic::{self, Flow};
use crate::waiting::Wait;

/// Takes a release back and rejects its revision. Should keeping the template fail, the write that
/// moves pods is first the next time.
pub(crate) fn abort(draft: &mut Draft<'_>, held: Held<'_>, because: String) {
    let Held { workload, revision, stable, .. } = held;
    let first = draft.before().phase != Phase::Aborting;
    draft.phase(Phase::Aborting);
    draft.status.failure = Some(because.clone());
    draft.wait(Wait::StablePods { stable: stable.clone(), because });
    if awaits_count(draft, held) {
        return;
    }
    if first {
        // Its ReplicaSet may not outlive it, and a retry needs it.
        keep(draft, workload, revision);
    }
    if requests_leave(draft, workload, stable) {
        return;
    }
    if bar(draft, workload, revision, stable, Bar::Rejected) && !first {
        keep(draft, workload, revision);
    }
}

/// True while requests are on their way to the stable revision: its pods are there, and those of
/// the update go next.
fn requests_leave(draft: &mut Draft<'_>, workload: &Workload, stable: &Revision) -> bool {
    let none = Sets::default();
    let sets = match &workload.sets {
        Fact::Known(sets) => sets,
        Fact::Absent | Fact::Unknown(_) => &none,
    };
    match traffic::withdraw(draft, sets, stable) {
        Flow::There => false,
        Flow::Moving(wait) => {
            draft.watch_sets = true;
            draft.wait(wait);
            true
        }
    }
}

/// Puts the stable template back while there is nothing to release to; the revision is kept, and
/// comes back by itself. That is said once it is done: who scales up before would get the update.
pub(crate) fn rest_dormant(draft: &mut Draft<'_>, held: Held<'_>, wait: Wait) {
    draft.wait_quietly(wait);
    keep(draft, held.workload, held.revision);
    if let Fact::Known(sets) = &held.workload.sets {
        // Nobody answers: what is waited for is that somebody scales up.
        traffic::withdraw(draft, sets, held.stable);
    }
    bar(draft, held.workload, held.revision, held.stable, Bar::Dormant);
}

/// Writes a bar with the stable template; where that is not to be had says so and returns false.
pub(crate) fn bar(
    draft: &mut Draft<'_>,
    workload: &Workload,
    revision: &Revision,
    stable: &Revision,
    why: Bar,
) -> bool {
    let payload = match payload(draft.seen, workload, stable) {
        Fact::Known(payload) => payload,
        Fact::Absent => {
            draft.wait(Wait::StableTemplateLost { stable: stable.clone() });
            return false;
        }
        Fact::Unknown(why) => {
            draft.wait(Wait::FactsUnknown { why });
            return false;
        }
    };
    let mut write = write(workload, Some(Hold::barred(revision.clone(), why)));
    write.payload = Some(payload);
    write.may_write_fields = true;
    draft.act(Action::WriteHold(write));
    true
}

/// Lifts the fence: the user's own fields come back in the same write.
pub(crate) fn lift(draft: &mut Draft<'_>, workload: &Workload, to_stable: bool) {
    let mut write = write(workload, None);
    write.may_write_fields = to_stable;
    draft.act(Action::WriteHold(write));
}

/// The user brought the stable template back: lifted at once, walked at native speed.
pub(crate) fn roll_back(draft: &mut Draft<'_>, held: Held<'_>) {
    let Held { workload, revision, stable, .. } = held;
    draft.status.stable_revision = Some(stable.clone());
    if held.rollback && revision != stable {
        let why = if workload.replicas == 0 { Bar::Dormant } else { Bar::Rejected };
        bar(draft, workload, revision, stable, why);
        return;
    }
    request::refuse_at_rest(draft, "the release is being rolled back");
    rolling_back(draft, stable);
    if !awaits_count(draft, held) && !requests_leave(draft, workload, stable) {
        lift(draft, workload, true);
    }
}

/// True while the way back waits for the stable ReplicaSet's count; not for ever, because somebody
/// else may keep the pods from going.
fn awaits_count(draft: &mut Draft<'_>, held: Held<'_>) -> bool {
    if !held.is_misread() {
        return false;
    }
    let before = draft.before();
    let said = before.waiting_for.as_ref().filter(|_| before.phase == draft.status.phase);
    let until = later(said.map_or(draft.now, |said| said.since.0), PATIENCE_SECONDS);
    draft.watch_sets = true;
    draft.wake_at(until);
    draft.now < until
}

/// On the way back to the live template after a rollback; Ready when all of its pods are.
pub(crate) fn returning(draft: &mut Draft<'_>, workload: &Workload) {
    rolling_back(draft, &workload.revision);
    if let Fact::Known(sets) = &workload.sets {
        workload.clear_the_way(draft, sets, &workload.revision);
    }
    if workload.is_paused() {
        draft.wait(Wait::DeploymentPaused { name: workload_name(draft) });
    }
}

fn rolling_back(draft: &mut Draft<'_>, stable: &Revision) {
    draft.watch_sets = true;
    forget_release(draft);
    draft.phase(Phase::RollingBack);
    draft.wait(Wait::StablePods { stable: stable.clone(), because: String::new() });
}

/// Clears what speaks of a release.
pub(crate) fn forget_release(draft: &mut Draft<'_>) {
    draft.status.update_revision = None;
    draft.status.batch = None;
    draft.status.step = None;
    draft.status.original = None;
    draft.status.original_partition = None;
    draft.status.original_strategy = None;
    draft.status.paused = None;
}

/// After an abort: on the way back, then rejected until something else comes.
pub(crate) fn rejected(draft: &mut Draft<'_>, workload: &Workload, barred: &Barred) {
    let stable = workload.revision.clone();
    let because = draft.status.failure.clone().unwrap_or_default();
    draft.status.stable_revision = Some(stable.clone());
    draft.status.rejected_revision = Some(barred.revision.clone());
    if hear_rejected(draft, workload, barred) {
        return;
    }
    forget_release(draft);
    keep(draft, workload, &barred.revision);
    let settled = match &workload.sets {
        Fact::Known(sets) => workload.is_back(sets, &stable),
        Fact::Absent | Fact::Unknown(_) => false,
    };
    if settled && let Flow::Moving(wait) = traffic::home(draft) {
        draft.watch_sets = true;
        draft.phase(Phase::Aborting);
        return draft.wait(wait);
    }
    if settled || draft.before().phase == Phase::Rejected {
        draft.phase(Phase::Rejected);
        draft.wait(Wait::Rejected { revision: barred.revision.clone(), because });
        return drop_all_but(draft, Some(&barred.revision));
    }
    draft.watch_sets = true;
    draft.phase(Phase::Aborting);
    if let Fact::Known(sets) = &workload.sets {
        workload.clear_the_way(draft, sets, &stable);
    }
    if workload.is_paused() {
        return draft.wait(Wait::DeploymentPaused { name: workload_name(draft) });
    }
    draft.wait(Wait::StablePods { stable, because });
}

/// True if the revision is let in again.
fn hear_rejected(draft: &mut Draft<'_>, workload: &Workload, barred: &Barred) -> bool {
    let Some(open) = request::open(draft) else { return false };
    if open.revision != barred.revision {
        let (meant, rejected) = (&open.revision, &barred.revision);
        let why = format!("it meant revision {meant}; the rejected one is {rejected}");
        request::answer(draft, open, Err(why));
        return false;
    }
    match open.verb {
        Verb::Abort => {
            draft.status.failure.get_or_insert_with(|| request::asked_by(open));
            request::answer(draft, open, Ok("the revision is taken back and rejected".into()));
            false
        }
        Verb::Retry => retry(draft, workload, &barred.revision),
        _ => {
            request::answer(draft, open, Err("the revision is rejected; retry lets it in".into()));
            false
        }
    }
}

fn retry(draft: &mut Draft<'_>, workload: &Workload, revision: &Revision) -> bool {
    let Some(open) = request::open(draft) else { return false };
    if workload.replicas == 0 {
        let why = format!("the {} is scaled to zero; scale it up first", draft.kind().noun());
        request::answer(draft, open, Err(why));
        return false;
    }
    // Answered when the hold, or the lifted bar, is seen.
    reenter(draft, workload, revision)
}

/// Lets a barred revision in again, held as if it had just come. Where its template is gone the
/// bar is lifted instead. False if neither can be done now.
pub(crate) fn reenter(draft: &mut Draft<'_>, workload: &Workload, revision: &Revision) -> bool {
    draft.watch_sets = true;
    if let Some(strategy) = workload.refused() {
        draft.wait(Wait::Refused { strategy });
        return false;
    }
    let payload = match payload(draft.seen, workload, revision) {
        Fact::Known(payload) => payload,
        Fact::Unknown(why) => {
            // It may still be in a ReplicaSet: look before saying that it is gone.
            draft.wait_quietly(Wait::FactsUnknown { why });
            return false;
        }
        Fact::Absent => {
            let said = format!("the template of {revision} is gone; apply it again");
            draft.turn(Turn::warning("TemplateLost", said));
            lift(draft, workload, false);
            return true;
        }
    };
    let mut write = write(workload, workload.first_hold(revision.clone()));
    write.payload = Some(payload);
    draft.act(Action::WriteHold(write));
    true
}

/// Scaled to zero in a release: the revision waits for stable pods, then starts again.
pub(crate) fn dormant(draft: &mut Draft<'_>, workload: &Workload, barred: &Barred) {
    let stable = workload.revision.clone();
    draft.status.stable_revision = Some(stable.clone());
    draft.status.update_revision = Some(barred.revision.clone());
    draft.status.batch = None;
    draft.status.step = None;
    draft.status.original = None;
    draft.status.original_partition = None;
    draft.status.original_strategy = None;
    draft.phase(Phase::Held);
    if let Some(open) = request::open(draft) {
        let abort = open.verb == Verb::Abort && open.revision == barred.revision;
        if abort {
            let hold = Hold::barred(barred.revision.clone(), Bar::Rejected);
            return draft.act(Action::WriteHold(write(workload, Some(hold))));
        }
        request::answer(draft, open, Err("the release waits for stable pods".into()));
    }
    if workload.replicas == 0 {
        return draft.wait(Wait::ScaledToZero { update: barred.revision.clone() });
    }
    draft.watch_sets = true;
    draft.wait(Wait::StablePods { stable: stable.clone(), because: String::new() });
    match &workload.sets {
        Fact::Known(sets) if workload.is_back(sets, &stable) => {
            reenter(draft, workload, &barred.revision);
        }
        // Some of its pods may have come before the stable template was back.
        Fact::Known(sets) => workload.clear_the_way(draft, sets, &stable),
        Fact::Absent | Fact::Unknown(_) => {}
    }
}

pub(crate) fn workload_name(draft: &Draft<'_>) -> String {
    draft.seen.rollout.spec.workload_ref.name.clone()
}
