//! Each verdict from its own answer, the boundary, and that nothing but a finite sample passes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::answer::Series;

const NOW: i64 = 1_800_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn sample(value: f64, age: i64) -> Sample {
    Sample { value, at: Timestamp::from_second(NOW - age).unwrap() }
}

fn vector(samples: &[Sample]) -> Asked {
    let series = |sample: &Sample| Series { labels: BTreeMap::new(), sample: *sample };
    let data = Data::Vector(samples.iter().map(series).collect());
    Ok(Answer { data, warnings: Vec::new(), infos: Vec::new() })
}

fn warned(asked: Asked) -> Asked {
    Ok(Answer { warnings: vec!["a store is gone".into()], ..asked.unwrap() })
}

fn rules(max: &str) -> Rules {
    let bound = Bound::new(Some(max.parse().unwrap()), None).unwrap();
    Rules { bound, least_requests: 0, window: Duration::from_secs(60) }
}

fn unreachable() -> Asked {
    Err(Trouble::Unreachable("timed out after 5 s".into()))
}

#[track_caller]
fn assert_judged(asked: &Asked, verdict: Verdict, word: &str, told: &str) {
    let judgement = judge(&rules("0.1"), asked, None, now());
    assert_eq!((judgement.verdict(), judgement.reason.word()), (verdict, word));
    assert_eq!(judgement.reason.to_string(), told);
}

#[test]
fn real_samples_pass_or_fail_and_the_bound_is_within() {
    let one = |value| vector(&[sample(value, 0)]);
    assert_judged(&one(0.1), Verdict::Pass, "WithinBound", "0.1 is within max 0.1");
    assert_judged(&one(0.11), Verdict::Fail, "AboveMax", "0.11 is above max 0.1");
    assert_judged(&one(-1.0), Verdict::Pass, "WithinBound", "-1 is within max 0.1");
    let scalar = Answer { data: Data::Scalar(sample(0.0, 0)), ..one(0.0).unwrap() };
    assert_judged(&Ok(scalar), Verdict::Pass, "WithinBound", "0 is within max 0.1");
}

#[test]
fn what_is_missing_or_doubtful_is_unknown() {
    let unknown = Verdict::Unknown;
    let one = |value, age| vector(&[sample(value, age)]);
    assert_judged(&vector(&[]), unknown, "NoData", "the query gives no series");
    assert_judged(&one(f64::NAN, 0), unknown, "NotANumber", "the query gives NaN, as 0 / 0 does");
    assert_judged(&one(0.0, 60), Verdict::Pass, "WithinBound", "0 is within max 0.1");
    let told = "the sample is 61 s old, older than the window of 60 s";
    assert_judged(&one(0.0, 61), unknown, "Stale", told);
    let told = "the sample is 61 s ahead of our clock";
    assert_judged(&one(0.0, -61), unknown, "AheadOfClock", told);
    let told = "Prometheus warns: a store is gone";
    assert_judged(&warned(one(0.0, 0)), unknown, "Partial", told);
    assert_judged(&warned(one(9.0, 0)), unknown, "Partial", told);
    assert_judged(&warned(vector(&[])), unknown, "Partial", told);
}

#[test]
fn what_is_broken_is_an_error() {
    let error = Verdict::Error;
    let one = |value| vector(&[sample(value, 0)]);
    let told = "the query gives inf, which no bound judges: it divides by 0, or the quantile lies \
                above the highest bucket";
    assert_judged(&one(f64::INFINITY), error, "Infinite", told);
    assert_judged(&warned(one(f64::INFINITY)), error, "Infinite", told);
    let told = "the query gives -inf, which no bound judges: it divides by 0";
    assert_judged(&one(f64::NEG_INFINITY), error, "Infinite", told);
    let told = "the query gives 2 series, not one: aggregate, such as sum(...)";
    assert_judged(&vector(&[sample(0.0, 0); 2]), error, "SeveralSeries", told);
    let told = "Prometheus does not answer: timed out after 5 s";
    assert_judged(&unreachable(), error, "Unreachable", told);
    let refused = crate::answer::parse(br#"{"status":"error","errorType":"bad_data","error":"x"}"#);
    let refused = refused.map_err(Trouble::from);
    assert_judged(&refused, error, "QueryRefused", "Prometheus says bad_data: x");
}

#[test]
fn a_least_value_is_a_bound_too() {
    let bound = Bound::new(None, Some("0.99".parse().unwrap())).unwrap();
    let rules = Rules { bound, ..rules("0") };
    let judged = |value| judge(&rules, &vector(&[sample(value, 0)]), None, now()).reason;
    assert_eq!(judged(0.99).to_string(), "0.99 is within min 0.99");
    assert_eq!(judged(0.98).to_string(), "0.98 is below min 0.99");
    let [low, high] = ["1", "2"].map(|text| Some(text.parse().unwrap()));
    assert_eq!(Bound::new(None, None), Err(BoundError::Missing));
    assert!(matches!(Bound::new(low, high), Err(BoundError::Empty { .. })));
    assert!(serde_json::from_str::<Bound>("{}").is_err());
    let both: Bound = serde_json::from_str(r#"{"max":"2","min":"1"}"#).unwrap();
    assert_eq!(both.to_string(), "min 1 and max 2");
}

#[test]
fn few_requests_say_nothing() {
    let rules = Rules { least_requests: 100, ..rules("0.1") };
    let judged = |requests: Option<Asked>| {
        let bad = vector(&[sample(0.9, 0)]);
        let judgement = judge(&rules, &bad, requests.as_ref(), now());
        (judgement.verdict(), judgement.reason.to_string())
    };
    let count = |count| Some(vector(&[sample(count, 0)]));
    assert_eq!(judged(count(100.0)).0, Verdict::Fail);
    let told = "99 requests in the window, and 100 are needed".to_owned();
    assert_eq!(judged(count(99.0)), (Verdict::Unknown, told));
    let told = "counting requests: the query gives no series".to_owned();
    assert_eq!(judged(Some(vector(&[]))), (Verdict::Unknown, told));
    assert_eq!(judged(count(f64::NAN)).0, Verdict::Unknown);
    assert_eq!(judged(count(f64::INFINITY)).0, Verdict::Error);
    assert_eq!(judged(Some(unreachable())).0, Verdict::Error);
    assert_eq!(judged(None).0, Verdict::Unknown);
}

fn anything() -> impl Strategy<Value = Asked> {
    let value = prop_oneof![any::<f64>(), 0.0..1.0_f64];
    let samples = prop::collection::vec((value, -200..200_i64), 0..3);
    (samples, any::<bool>(), any::<bool>()).prop_map(|(samples, warns, up)| {
        let samples: Vec<_> = samples.into_iter().map(|(value, age)| sample(value, age)).collect();
        let asked = vector(&samples);
        if !up {
            unreachable()
        } else if warns {
            warned(asked)
        } else {
            asked
        }
    })
}

proptest! {
    #[test]
    fn only_one_finite_fresh_whole_sample_passes_or_fails(asked in anything()) {
        let judgement = judge(&rules("0.5"), &asked, None, now());
        let decided = matches!(judgement.verdict(), Verdict::Pass | Verdict::Fail);
        let real = asked.as_ref().is_ok_and(|answer| {
            let Data::Vector(series) = &answer.data else { return false };
            let real = |one: &Series| {
                let age = NOW - one.sample.at.as_second();
                one.sample.value.is_finite() && (-60..=60).contains(&age)
            };
            answer.warnings.is_empty() && series.len() == 1 && series.iter().all(real)
        });
        prop_assert_eq!(decided, real);
        if judgement.verdict() == Verdict::Pass {
            prop_assert!(judgement.value.unwrap() <= 0.5);
        }
    }
}

#[test]
fn a_sentence_has_four_digits_of_a_value_and_never_lies_about_its_side() {
    let bound = Bound::new(Some("0.01".parse().unwrap()), None).unwrap();
    for (value, said) in [
        (0.046_511_627_906_976_74, "0.04651 is above max 0.01"),
        (0.010_000_000_1, "0.0100000001 is above max 0.01"),
        (0.01, "0.01 is within max 0.01"),
        (0.003_333_333_333, "0.003333 is within max 0.01"),
        (0.0, "0 is within max 0.01"),
        (123_456.0, "123500 is above max 0.01"),
    ] {
        let judgement = compare(bound, value);
        assert_eq!(judgement.to_string(), said);
    }
}
