//! Rules of the status.

use crds::status::Phase;
use jiff::{Timestamp, ToSpan};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::Lint;
use crate::action::Plan;
use crate::observed::{Fact, Observed};
use crate::{ARMED, READY, RECONCILING, STALLED};

pub(super) fn check(lint: &mut Lint, seen: &Observed, now: Timestamp, plan: &Plan) {
    let status = &plan.status;
    let detail = || format!("{status:?}");
    lint.must(
        status.observed_generation == Some(seen.rollout.generation),
        "the status speaks of this generation",
        detail,
    );
    lint.must(plan.wake.is_none_or(|wake| wake > now), "a wake is in the future", || {
        format!("{:?} at {now}", plan.wake)
    });
    let ready = status.phase == Phase::Ready;
    if !matches!(seen.workload, Fact::Unknown(_)) {
        lint.must(
            status.waiting_for.is_none() == ready,
            "whatever is not Ready says what it waits for",
            detail,
        );
    }
    lint.must(
        status.batch.is_none() || status.update_revision.is_some(),
        "a batch is of a revision",
        detail,
    );
    lint.must(
        status.batch.as_ref().is_none_or(|batch| (1..=batch.count).contains(&batch.index)),
        "a batch is one of its count",
        detail,
    );
    for turn in &plan.events {
        let known = crds::notifier::TURNS.contains(&turn.reason);
        lint.must(known, "a Notifier can name every turn", || turn.reason.to_owned());
    }
    conditions(lint, seen, now, plan);
}

fn conditions(lint: &mut Lint, seen: &Observed, now: Timestamp, plan: &Plan) {
    let conditions = &plan.status.conditions;
    let detail = || format!("{:?}: {conditions:?}", plan.status.phase);
    let types: Vec<_> = conditions.iter().map(|condition| condition.type_.as_str()).collect();
    lint.must(types == [ARMED, READY, RECONCILING, STALLED], "four conditions", detail);
    let truths = |condition: &&Condition| condition.type_ != ARMED && condition.status == "True";
    let truths = conditions.iter().filter(truths).count();
    lint.must(truths == 1, "one of Ready, Reconciling and Stalled is true", detail);
    let is = |type_: &str| {
        conditions.iter().any(|condition| condition.type_ == type_ && condition.status == "True")
    };
    lint.must(is(READY) == (plan.status.phase == Phase::Ready), "Ready is Ready", detail);
    lint.must(!is(READY) || is(ARMED), "what is Ready is armed", detail);
    for condition in conditions {
        let before = seen.rollout.status.conditions.iter();
        let before = before.clone().find(|before| before.type_ == condition.type_);
        let since = condition.last_transition_time.0;
        let right = match before.filter(|before| before.status == condition.status) {
            Some(before) => before.last_transition_time.0 == since,
            None => since <= now && since.checked_add(1.second()).is_ok_and(|next| next > now),
        };
        lint.must(right, "a transition has its time and keeps it", detail);
        lint.must(!condition.reason.is_empty(), "a condition has a reason", detail);
    }
}
