//! The one match with all transitions between the states of a workload. What a state does is in
//! the module that the match names.

use crds::hold::{Bar, Reading};
use crds::request::Verb;
use crds::status::Phase;
use crds::{Barred, Hold, HoldState, Revision};

use crate::action::{Action, Turn};
use crate::conditions::Armed;
use crate::draft::{Draft, later};
use crate::kind::Held;
use crate::observed::{Fact, Workload};
use crate::revisions::{drop_all_but, write};
use crate::traffic::{self, Flow};
use crate::waiting::Wait;
use crate::{release, request, retreat};

/// How long the stock controller may act on a hold that is lifted.
const COPY_SECONDS: i64 = 2;

/// Everything that a plan starts from.
pub(crate) fn step(draft: &mut Draft<'_>) {
    let rollout = &draft.seen.rollout;
    let name = rollout.spec.workload_ref.name.clone();
    if rollout.exempt && !rollout.deleting {
        return exempt(draft);
    }
    match (&draft.seen.workload, &rollout.rival, rollout.deleting) {
        (Fact::Unknown(why), ..) => draft.wait_quietly(Wait::WorkloadUnknown { why: why.clone() }),
        (Fact::Absent, _, true) | (Fact::Known(_), Some(_), true) => let_go(draft, None),
        (Fact::Known(workload), None, true) if is_free(workload) => {
            let_go(draft, Some(workload));
        }
        (_, Some(rival), _) => {
            draft.armed = Armed::No;
            stall(draft, Wait::Rival { rollout: rival.clone() });
        }
        (Fact::Absent, None, false) => missing(draft, name),
        (Fact::Known(workload), None, _) if !workload.armed => arm(draft, workload),
        (Fact::Known(workload), None, _) => armed(draft, workload),
    }
}

/// No write is held here: what is armed only looks guarded.
fn exempt(draft: &mut Draft<'_>) {
    draft.armed = Armed::No;
    if let Fact::Known(workload) = &draft.seen.workload
        && workload.armed
        && is_free(workload)
    {
        draft.act(Action::Disarm { uid: workload.uid.clone() });
    }
    let namespace = draft.seen.rollout.namespace.clone();
    stall(draft, Wait::Exempt { namespace });
}

/// Outside a release, as far as this code can tell.
fn is_free(workload: &Workload) -> bool {
    !workload.is_fenced() && !matches!(workload.hold, Reading::Newer(_))
}

/// An armed workload: what its hold says, and which template is live.
fn armed(draft: &mut Draft<'_>, workload: &Workload) {
    draft.armed = Armed::Yes;
    match &workload.hold {
        Reading::Newer(schema) => stall(draft, Wait::NewerHold { schema: *schema }),
        Reading::Malformed(why) => unreadable(draft, workload, why),
        Reading::None if workload.is_fenced() || workload.has_lost_its_hold(draft.before()) => {
            regain(draft, workload, None);
        }
        Reading::None => free(draft, workload),
        Reading::Hold(hold) => match (workload.held(), &hold.state) {
            (Some(held), _) => fenced(draft, held),
            (None, HoldState::Barred(hold)) => barred(draft, workload, hold),
            (None, _) => unreadable(draft, workload, "it is the hold of another kind"),
        },
    }
}

fn fenced(draft: &mut Draft<'_>, held: Held<'_>) {
    draft.watch_sets = true;
    let Held { workload, .. } = held;
    let live = &workload.revision;
    match (held.rollback, live == held.stable, live == held.revision) {
        (_, true, _) => retreat::roll_back(draft, held),
        (_, false, true) => release::go(draft, held),
        (_, false, false) if workload.replicas == 0 => retreat::lift(draft, workload, false),
        (_, false, false) => catch_up(draft, held),
    }
}

fn barred(draft: &mut Draft<'_>, workload: &Workload, hold: &Barred) {
    let live = &workload.revision;
    let stable = draft.before().stable_revision.clone().unwrap_or_else(|| live.clone());
    match hold.why {
        // The bar was written, but no webhook lifted the fence: what it hid is in the status.
        _ if workload.is_fenced() => regain(draft, workload, Some(hold)),
        // The webhook did not move the template, or let the barred one through.
        _ if hold.bars(live) && *live != stable => {
            draft.watch_sets = true;
            if retreat::bar(draft, workload, &hold.revision, &stable, hold.why) {
                draft.wait(Wait::Webhook);
            }
        }
        // Another one came at zero replicas, or past the webhook. What the status knows of it
        // follows once the bar is gone: a bar that stays would speak of the wrong stable version.
        _ if *live != stable => retreat::lift(draft, workload, false),
        _ if !workload.projected => {
            let mut again = Hold::barred(hold.revision.clone(), hold.why);
            again.state = HoldState::Barred(hold.clone());
            draft.act(Action::WriteHold(write(workload, Some(again))));
            draft.wait(Wait::Webhook);
        }
        Bar::Rejected => retreat::rejected(draft, workload, hold),
        Bar::Dormant => retreat::dormant(draft, workload, hold),
    }
}

/// No hold and no fence: at rest, or on the last steps of a release.
fn free(draft: &mut Draft<'_>, workload: &Workload) {
    let before = draft.before();
    let live = &workload.revision;
    let in_release = !matches!(before.phase, Phase::Pending | Phase::Ready | Phase::Stalled);
    let stable = before.stable_revision.as_ref();
    let update = before.update_revision.as_ref();
    if let Some(open) = request::open(draft).filter(|open| open.verb == Verb::Retry)
        && before.rejected_revision.as_ref() == Some(&open.revision)
    {
        let cure = "its template is gone; the bar is lifted: apply it again";
        request::answer(draft, open, Ok(cure.into()));
    }
    draft.status.rejected_revision = None;
    draft.status.failure = None;
    if let Some(strategy) = workload.refused() {
        draft.status.stable_revision = Some(live.clone());
        retreat::forget_release(draft);
        return stall(draft, Wait::Refused { strategy });
    }
    match (stable, update) {
        (Some(stable), _) if stable == live && in_release => back(draft, workload),
        (_, Some(update)) if update == live && in_release => finish(draft, workload),
        (Some(stable), _) if stable != live => {
            escaped(draft, workload);
            ready(draft, workload);
        }
        _ => ready(draft, workload),
    }
}

/// The fence is lifted and the update's template is live.
fn finish(draft: &mut Draft<'_>, workload: &Workload) {
    draft.watch_sets = true;
    let done = match &workload.sets {
        Fact::Known(sets) => {
            workload.observed_generation >= workload.generation && workload.is_released(sets)
        }
        Fact::Absent | Fact::Unknown(_) => false,
    };
    if done {
        return ready(draft, workload);
    }
    request::refuse_at_rest(draft, "the release has ended");
    match workload.is_paused() {
        true => draft.wait(Wait::DeploymentPaused { name: retreat::workload_name(draft) }),
        false => draft.wait_quietly(Wait::Finishing),
    }
}

/// The fence is lifted and the stable template is live.
fn back(draft: &mut Draft<'_>, workload: &Workload) {
    let done = match &workload.sets {
        Fact::Known(sets) => {
            workload.observed_generation >= workload.generation
                && workload.is_back(sets, &workload.revision)
        }
        Fact::Absent | Fact::Unknown(_) => false,
    };
    if done {
        return ready(draft, workload);
    }
    request::refuse_at_rest(draft, "the release is being rolled back");
    retreat::returning(draft, workload);
}

fn ready(draft: &mut Draft<'_>, workload: &Workload) {
    if let Flow::Moving(wait) = traffic::home(draft) {
        draft.watch_sets = true;
        request::refuse_at_rest(draft, "the release has ended");
        return draft.wait(wait);
    }
    retreat::forget_release(draft);
    draft.status.stable_revision = Some(workload.revision.clone());
    draft.watch_sets = false;
    draft.phase(Phase::Ready);
    draft.wait_for_nothing();
    request::refuse_at_rest(draft, "there is no release");
    drop_all_but(draft, None);
}

/// The live template came without a hold. At zero replicas that is as it should be.
fn escaped(draft: &mut Draft<'_>, workload: &Workload) {
    let live = workload.revision.clone();
    if workload.replicas > 0 {
        let said = format!("revision {live} came without being held and is the stable one now");
        draft.turn(Turn::warning("Escaped", said));
    }
    draft.status.stable_revision = Some(live);
    draft.status.rejected_revision = None;
    draft.status.failure = None;
}

/// In a release another template came without the webhook: it is held from here on.
fn catch_up(draft: &mut Draft<'_>, held: Held<'_>) {
    let live = &held.workload.revision;
    let said = format!("revision {live} came without being held; it is held from here on");
    draft.turn(Turn::warning("Escaped", said));
    draft.wait(Wait::Webhook);
    draft.act(held.caught_up());
}

/// Fenced, but what the fence hides is lost: the hold is made again from what the status knows.
fn regain(draft: &mut Draft<'_>, workload: &Workload, bar: Option<&Barred>) {
    let Some(hold) = workload.regained(draft.before(), bar) else {
        return stall(draft, Wait::FenceWithoutHold);
    };
    draft.watch_sets = true;
    draft.act(Action::WriteHold(write(workload, Some(hold))));
    draft.wait(Wait::Webhook);
}

fn unreadable(draft: &mut Draft<'_>, workload: &Workload, why: &str) {
    if !workload.is_fenced() {
        draft.act(Action::WriteHold(write(workload, None)));
    }
    stall(draft, Wait::HoldUnreadable { why: why.to_owned() });
}

fn arm(draft: &mut Draft<'_>, workload: &Workload) {
    let name = draft.seen.rollout.spec.workload_ref.name.clone();
    draft.armed = Armed::No;
    if let Some(strategy) = workload.refused().filter(|_| !workload.is_fenced()) {
        return stall(draft, Wait::Refused { strategy });
    }
    if !workload.is_fenced() {
        let noun = draft.kind().noun();
        forget_workload(draft, &format!("the {noun} was found without our labels"));
        draft.phase(Phase::Pending);
        draft.wait(Wait::Arming { name });
    }
    if !draft.seen.rollout.has_finalizer && !draft.seen.rollout.deleting {
        draft.act(Action::AddFinalizer);
    }
    draft.act(Action::Arm { uid: workload.uid.clone() });
}

fn missing(draft: &mut Draft<'_>, name: String) {
    draft.armed = Armed::No;
    let noun = draft.kind().noun();
    forget_workload(draft, &format!("the {noun} is gone"));
    draft.phase(Phase::Pending);
    draft.wait(match draft.seen.rollout.uninstalled {
        true => Wait::KindMissing,
        false => Wait::WorkloadMissing { name },
    });
    traffic::home(draft);
    request::refuse_at_rest(draft, &format!("there is no {noun}"));
    drop_all_but(draft, None);
}

/// Forgets what was known of a workload that is another one now.
fn forget_workload(draft: &mut Draft<'_>, what: &str) {
    let before = draft.before();
    if before.update_revision.is_some() || before.rejected_revision.is_some() {
        let said = format!("{what} in the middle of a release, which is over");
        draft.turn(Turn::warning("WorkloadReplaced", said));
    }
    retreat::forget_release(draft);
    draft.status.gates.clear();
    draft.status.skipped.clear();
    draft.status.stable_revision = None::<Revision>;
    draft.status.rejected_revision = None;
    draft.status.failure = None;
}

fn stall(draft: &mut Draft<'_>, wait: Wait) {
    draft.phase(Phase::Stalled);
    draft.wait(wait);
    request::refuse_at_rest(draft, "the Rollout is stalled");
}

/// The Rollout is being deleted: gives the workload back, then itself.
fn let_go(draft: &mut Draft<'_>, workload: Option<&Workload>) {
    if !draft.seen.rollout.has_finalizer {
        return;
    }
    draft.armed = Armed::No;
    draft.phase(Phase::Terminating);
    draft.wait(Wait::Disarming);
    if let Flow::Moving(wait) = traffic::let_go(draft) {
        return draft.wait(wait);
    }
    if let Some(workload) = workload {
        if workload.hold_text.is_some() {
            return retreat::lift(draft, workload, true);
        }
        if workload.observed_generation < workload.generation || lifted_just_now(draft) {
            return;
        }
        draft.act(Action::Disarm { uid: workload.uid.clone() });
    }
    draft.act(Action::RemoveFinalizer);
}

/// The stock controller copies a hold to its ReplicaSets as long as it knows it: what is taken off
/// them before it has seen the lift comes back.
fn lifted_just_now(draft: &mut Draft<'_>) -> bool {
    let before = draft.before();
    let said = before.waiting_for.as_ref().filter(|_| before.phase == Phase::Terminating);
    let Some(until) = said.map(|said| later(said.since.0, COPY_SECONDS)) else { return false };
    draft.wake_at(until);
    draft.now < until
}
