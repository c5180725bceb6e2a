//! Every plan that is made in any story is sound, and so is the plan that would have been made had
//! a fact been unknown; and a status that is written is not written again.

#![allow(
    dead_code,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

mod common;

use common::{options, tales};
use jiff::Timestamp;
use plan::observed::Workload;
use plan::{Action, Fact, Observed, Plan, lint, plan};

fn unknown<T>() -> Fact<T> {
    Fact::Unknown("nobody can say".to_owned())
}

/// The same picture with one fact unknown.
fn distorted(seen: &Observed) -> impl Iterator<Item = Observed> {
    let without_workload = Observed { workload: unknown(), ..seen.clone() };
    let without_kept = Observed { kept: unknown(), ..seen.clone() };
    let without_sets = match &seen.workload {
        Fact::Known(workload) => {
            let workload = Workload { sets: unknown(), ..workload.clone() };
            Some(Observed { workload: Fact::Known(workload), ..seen.clone() })
        }
        Fact::Absent | Fact::Unknown(_) => None,
    };
    [without_workload, without_kept].into_iter().chain(without_sets)
}

#[track_caller]
fn assert_sound(seen: &Observed, now: Timestamp, planned: &Plan) {
    let faults = lint::check(seen, now, planned);
    assert!(faults.is_empty(), "{faults:#?}\nseen {seen:#?}\nplanned {planned:#?}");
}

/// The hold that a plan writes lets more pods out than the one before.
fn batch_of(planned: &Plan) -> Option<u32> {
    planned.actions.iter().find_map(|action| match action {
        Action::WriteHold(write) => write.hold.as_ref()?.as_fenced().map(|fenced| fenced.batch),
        _ => None,
    })
}

fn sound(seen: &Observed, now: Timestamp) -> Plan {
    let planned = plan(seen, now);
    assert_sound(seen, now, &planned);
    for unsure in distorted(seen) {
        let cautious = plan(&unsure, now);
        assert_sound(&unsure, now, &cautious);
        let (sure, unsure) = (batch_of(&planned), batch_of(&cautious));
        assert!(unsure <= sure, "an unknown fact lets {unsure:?} out, not {sure:?}: {seen:#?}");
    }
    planned
}

/// Statuses written one after the other, with nothing else happening, come to rest.
fn settling(seen: &Observed, now: Timestamp) -> Plan {
    let planned = plan(seen, now);
    let mut after = seen.clone();
    for _ in 0..4 {
        let next = plan(&after, now);
        if next.status == after.rollout.status {
            return planned;
        }
        after.rollout.status = next.status;
    }
    panic!("the status never settles: {after:#?}");
}

#[track_caller]
fn play_all(planner: fn(&Observed, Timestamp) -> Plan) {
    let mut planned = 0;
    for tale in tales() {
        for seed in 1..=3 {
            let world = plan::sim::Options { planner: Some(planner), ..options(seed) };
            let outcome = tale.script.play(&world);
            assert_eq!(outcome.violation, None, "{}", tale.name);
            planned += outcome.writes;
        }
    }
    assert!(planned > 1000, "{planned} writes planned");
}

#[test]
fn every_plan_is_sound_and_unknown_facts_hold_it_back() {
    play_all(sound);
}

#[test]
fn every_status_settles() {
    play_all(settling);
}
