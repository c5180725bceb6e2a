//! The schedule, the counts and their limits, and that an outage decides nothing by itself.

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn course() -> Course {
    Course {
        interval: Duration::from_secs(30),
        count: 3,
        initial_delay: Duration::from_secs(60),
        failed_limit: 1,
        unknown_limit: 2,
        error_limit: 4,
        on_unknown: OnUnknown::Pause,
        background: false,
        dry_run: false,
        until: None,
    }
}

fn measurement(second: i64, verdict: Verdict) -> Measurement {
    Measurement {
        at: at(second),
        verdict,
        reason: "Test".into(),
        told: format!("{verdict:?} at {second}"),
        query: "x".into(),
        values: Vec::new(),
        requests: None,
    }
}

/// Measured every 30 s from 90 s on.
fn history(verdicts: &[Verdict]) -> History {
    let mut history = History::new(at(0));
    for (number, verdict) in verdicts.iter().enumerate() {
        history.record(measurement(90 + 30 * i64::try_from(number).unwrap(), *verdict));
    }
    history
}

use Verdict::{Error, Fail, Pass, Pending, Unknown};

#[test]
fn the_first_interval_begins_after_the_delay() {
    let history = history(&[]);
    assert_eq!(history.state(&course(), at(0)), State::Waiting { until: at(90) });
    assert_eq!(history.state(&course(), at(89)), State::Waiting { until: at(90) });
    let due = State::Measuring { next: at(90), passed: 0, count: 3 };
    assert_eq!(history.state(&course(), at(90)), due);
    assert_eq!(history.state(&course(), at(9000)), due);
}

#[test]
fn the_schedule_does_not_drift_and_leaves_out_what_was_missed() {
    let next = |second| {
        let mut history = History::new(at(0));
        history.record(measurement(second, Pass));
        history.state(&course(), at(second)).wake()
    };
    assert_eq!(next(90), Some(at(120)));
    assert_eq!(next(95), Some(at(120)));
    assert_eq!(next(119), Some(at(120)));
    assert_eq!(next(120), Some(at(150)));
    assert_eq!(next(1000), Some(at(1020)));
    // A measurement asked for by hand before the first is due.
    assert_eq!(next(10), Some(at(90)));
}

#[test]
fn it_passes_with_its_passes_and_not_before() {
    let state = |verdicts: &[Verdict]| history(verdicts).state(&course(), at(500));
    assert!(matches!(state(&[Pass, Pass]), State::Measuring { passed: 2, count: 3, .. }));
    assert_eq!(state(&[Pass, Fail, Unknown, Pass, Error, Pass]), State::Passed { next: None });
    let none = Course { count: 0, ..course() };
    assert!(matches!(history(&[]).state(&none, at(90)), State::Measuring { count: 1, .. }));
}

#[test]
fn fails_count_in_the_whole_batch() {
    let state = |verdicts: &[Verdict]| history(verdicts).state(&course(), at(500));
    assert!(matches!(state(&[Fail, Pass, Unknown]), State::Measuring { .. }));
    let failed = state(&[Fail, Pass, Unknown, Fail]);
    assert_eq!(failed, State::Failed { told: "2 failed: Fail at 180".into() });
    assert_eq!(failed.wake(), None);
    assert_eq!(failed.effect(&course()), Effect::Fail);
}

#[test]
fn unknown_and_errors_count_in_a_row_and_only_a_real_sample_ends_it() {
    let state = |verdicts: &[Verdict]| history(verdicts).state(&course(), at(500));
    assert!(matches!(state(&[Unknown, Unknown, Pass, Unknown]), State::Measuring { .. }));
    let limit = state(&[Unknown, Error, Unknown, Error, Unknown]);
    let told = "3 unknown in a row: Unknown at 210".to_owned();
    let follows = OnUnknown::Pause;
    assert_eq!(limit, State::UnknownLimit { follows, next: at(240), told });
    assert_eq!(limit.effect(&course()), Effect::Pause);
    let limit = state(&[Error; 5]);
    assert!(matches!(&limit, State::ErrorLimit { told, .. } if told.starts_with("5 errors")));
    let abort = Course { on_unknown: OnUnknown::Abort, ..course() };
    assert_eq!(history(&[Error; 5]).state(&abort, at(500)).effect(&abort), Effect::Abort);
    assert!(matches!(state(&[Error, Error, Error, Error, Error, Pass]), State::Measuring { .. }));
}

#[test]
fn passes_of_before_an_outage_let_nothing_through() {
    let course = Course { background: true, ..course() };
    let state = |verdicts: &[Verdict]| history(verdicts).state(&course, at(500));
    for (last, words) in [
        (Unknown, "passed, but the last measurement is Unknown: Unknown at 180"),
        (Error, "passed, but the last measurement is Error: Error at 180"),
        // One fail is let go, and is no pass either.
        (Fail, "passed, but the last measurement is Fail: Fail at 180"),
    ] {
        let doubtful = state(&[Pass, Pass, Pass, last]);
        assert_eq!(doubtful, State::Doubtful { next: at(210), told: words.into() });
        assert_eq!((doubtful.effect(&course), doubtful.wake()), (Effect::Hold, Some(at(210))));
        assert!(matches!(state(&[Pass, Pass, Pass, last, Pass]), State::Passed { .. }));
    }
    let outage = state(&[Pass, Pass, Pass, Unknown, Unknown, Unknown]);
    assert!(matches!(outage, State::UnknownLimit { .. }));
    // One that measures no more after its passes has a pass for its last measurement; an edit of
    // the count does not change that.
    let fewer = Course { count: 2, background: false, ..course };
    let state = history(&[Pass, Pass, Error]).state(&fewer, at(500));
    assert!(matches!(state, State::Doubtful { .. }) && state.wake() == Some(at(180)));
}

#[test]
fn a_bake_ends_with_a_measurement_of_its_end() {
    let course = Course { count: 1, background: true, until: Some(at(200)), ..course() };
    let state = |seconds: &[(i64, Verdict)], now| {
        let mut history = History::new(at(0));
        seconds.iter().for_each(|(second, verdict)| history.record(measurement(*second, *verdict)));
        history.state(&course, at(now))
    };
    let passed = [(90, Pass), (120, Pass), (150, Pass), (180, Pass)];
    // Not on the schedule, but then.
    assert_eq!(state(&passed, 199), State::Passed { next: Some(at(200)) });
    let State::Doubtful { next, told } = state(&passed, 200) else { panic!("it ends unmeasured") };
    assert_eq!(next, at(200));
    assert!(told.starts_with("passed, and is not measured yet at the end of the bake"), "{told}");
    let with = |second, verdict| state(&[&passed[..], &[(second, verdict)]].concat(), 205);
    assert_eq!(with(200, Pass), State::Passed { next: Some(at(210)) });
    assert_eq!(with(203, Pass), State::Passed { next: Some(at(210)) });
    assert!(matches!(with(200, Error), State::Doubtful { next, .. } if next == at(210)));
    // A gate that begins after the bake's end is its own measure.
    let late = Course { until: Some(at(50)), ..course.clone() };
    assert_eq!(history(&[]).state(&late, at(60)), State::Waiting { until: at(90) });
    assert_eq!(history(&[Pass]).state(&late, at(91)), State::Passed { next: Some(at(120)) });
}

#[test]
fn only_the_last_query_is_kept_in_full() {
    let long = |second| Measurement {
        query: "ü".repeat(4000),
        requests: Some(Requests { query: "r".repeat(4000), value: None }),
        ..measurement(second, Pass)
    };
    let mut history = History::new(at(0));
    (1..=3).for_each(|second| history.record(long(second)));
    let kept = |one: &Measurement| {
        let requests = one.requests.as_ref().unwrap();
        (one.query.chars().count(), requests.query.chars().count())
    };
    let lengths: Vec<_> = history.last().iter().map(kept).collect();
    assert_eq!(lengths, [(1003, 1003), (1003, 1003), (4000, 4000)]);
}

#[test]
fn in_the_background_it_can_fail_after_it_passed() {
    let course = Course { background: true, ..course() };
    let state = |verdicts: &[Verdict]| history(verdicts).state(&course, at(500));
    assert_eq!(state(&[Pass; 3]), State::Passed { next: Some(at(180)) });
    assert!(matches!(state(&[Pass, Pass, Pass, Fail, Fail]), State::Failed { .. }));
}

#[test]
fn a_dry_run_decides_nothing() {
    let course = Course { dry_run: true, ..course() };
    for verdicts in [&[][..], &[Fail; 9], &[Error; 9]] {
        let state = history(verdicts).state(&course, at(500));
        assert_eq!(state.effect(&course), Effect::Release);
    }
}

#[test]
fn ten_are_kept_and_late_answers_are_left_out() {
    let mut long = history(&[Pass; 14]);
    assert_eq!(long.last().len(), KEPT_MAX);
    assert_eq!(long.last()[9].at, at(90 + 13 * 30));
    let before = long.clone();
    long.record(measurement(100, Fail));
    long.record(measurement(90 + 13 * 30, Fail));
    assert_eq!(long, before);
    let mut fresh = History::new(at(1000));
    fresh.record(measurement(999, Fail));
    assert_eq!(fresh, History::new(at(1000)));
}

#[test]
fn a_query_never_looks_back_to_before_the_batch() {
    let (history, minute) = (History::new(at(0)), Duration::from_secs(60));
    assert_eq!(history.window(minute, at(40)), Duration::from_secs(40));
    assert_eq!(history.window(minute, at(400)), minute);
    assert_eq!(history.window(minute, at(-5)), Duration::ZERO);
}

#[test]
fn extreme_times_are_no_trouble() {
    let long = Duration::MAX;
    let course = Course { interval: long, initial_delay: long, ..course() };
    assert_eq!(history(&[]).state(&course, at(0)), State::Waiting { until: Timestamp::MAX });
    let course = Course { interval: Duration::ZERO, initial_delay: Duration::ZERO, ..course };
    assert!(history(&[Pass]).state(&course, at(0)).wake().unwrap() > at(90));
}

#[test]
fn what_is_pending_is_waited_for_without_end_and_ends_a_row_of_errors() {
    let mut history = history(&[Pending; 1000]);
    assert!(matches!(history.state(&course(), at(90_000)), State::Measuring { passed: 0, .. }));
    assert_eq!((history.last().len(), history.tally().attempts), (1, 1000));
    assert_eq!(history.pending(), Some("Pending at 30060"));
    // Each row of errors is ended by a proper answer, so that none of them reaches the limit.
    for number in 0..20 {
        for verdict in [Error, Error, Error, Pending] {
            let last = history.last().last().unwrap().at.as_second() - at(0).as_second();
            history.record(measurement(last + 30, verdict));
        }
        let state = history.state(&course(), at(90_000));
        assert!(matches!(state, State::Measuring { .. }), "{number}: {state:?}");
    }
    assert_eq!((history.tally().errors, history.last().len()), (0, KEPT_MAX));
}

#[test]
fn a_history_of_before_attempts_were_counted_is_read() {
    let mut old = serde_json::to_value(history(&[Pass])).unwrap();
    old.as_object_mut().unwrap().remove("attempts");
    assert_eq!(serde_json::from_value::<History>(old).unwrap().tally().attempts, 0);
}

#[test]
fn it_is_kept_as_json() {
    let one = history(&[Pass, Fail]);
    let text = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<History>(&text).unwrap(), one);
}

fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
    prop::collection::vec(prop::sample::select(vec![Pass, Fail, Unknown, Error, Pending]), 0..30)
}

proptest! {
    /// No gate lets a batch go on without its passes, none fails without its fails, and it is
    /// always clear when to look again.
    #[test]
    fn only_real_samples_pass_or_fail(verdicts in verdicts(), count in 1..5_u32) {
        let course = Course { count, ..course() };
        let state = history(&verdicts).state(&course, at(10_000));
        let of = |wanted| verdicts.iter().filter(|one| **one == wanted).count();
        match state.effect(&course) {
            Effect::Release => {
                prop_assert!(of(Pass) >= count as usize);
                prop_assert_eq!(verdicts.last(), Some(&Pass));
            }
            Effect::Fail => prop_assert!(of(Fail) >= 2),
            _ => prop_assert!(state.wake().is_some()),
        }
    }

    #[test]
    fn an_outage_alone_neither_passes_nor_fails(length in 0..40_usize, unknown in any::<bool>()) {
        let verdict = if unknown { Unknown } else { Error };
        let effect = history(&vec![verdict; length]).state(&course(), at(10_000)).effect(&course());
        prop_assert!(matches!(effect, Effect::Hold | Effect::Pause));
    }

    #[test]
    fn the_next_measurement_is_after_the_last_and_on_the_schedule(second in 1..100_000_i64) {
        let mut history = History::new(at(0));
        history.record(measurement(second, Pass));
        let next = history.state(&course(), at(second)).wake().unwrap();
        prop_assert!(next > at(second));
        prop_assert_eq!(next.duration_since(at(90)).as_secs() % 30, 0);
    }
}
