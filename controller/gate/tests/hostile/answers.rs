//! No answer passes but a real sample within the bound: any JSON near to an answer, and any bytes
//! near to that, are judged here by a second reading.

use std::cell::Cell;
use std::time::Duration;

use gate::verdict::{Asked, Bound, Rules};
use gate::{Verdict, judge};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;
const WINDOW: i64 = 60;

fn value() -> impl Strategy<Value = Value> {
    let texts = ["NaN", "+Inf", "-Inf", "Inf", "inf", "1e999", "0x1", "", "1 ", "0.5", "0", "-0"];
    prop_oneof![
        8 => (-1.0..1.0_f64).prop_map(|value| json!(value.to_string())),
        2 => any::<f64>().prop_map(|value| json!(value.to_string())),
        4 => prop::sample::select(texts.to_vec()).prop_map(|text| json!(text)),
        1 => (-1.0..1.0_f64).prop_map(|value| json!(value)),
        1 => Just(Value::Null),
    ]
}

fn time() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => (-50..50_i64).prop_map(|age| json!(NOW - age)),
        2 => (-200.0..200.0_f64).prop_map(|age| json!(1_800_000_000.0 - age)),
        1 => any::<f64>().prop_map(|time| json!(time)),
        1 => Just(json!("1800000000")),
    ]
}

/// A vector's, a scalar's, and what is neither.
fn data() -> impl Strategy<Value = Value> {
    let pair = || (time(), value()).prop_map(|(time, value)| json!([time, value]));
    let histogram = prop_oneof![9 => Just(None), 1 => Just(Some(json!([NOW, {"count": "1"}])))];
    let series = (pair(), histogram).prop_map(|(pair, histogram)| match histogram {
        Some(histogram) => json!({"metric": {}, "value": pair, "histogram": histogram}),
        None => json!({"metric": {"pod": "web-1"}, "value": pair}),
    });
    let count = prop_oneof![8 => Just(1_usize), 1 => Just(0), 1 => Just(2)];
    let vector = (series, count).prop_map(|(series, count)| vec![series; count]);
    let kind = |wrong| {
        prop_oneof![9 => Just(true), 1 => Just(false)]
            .prop_map(move |right| if right { None } else { Some(wrong) })
    };
    prop_oneof![
        (vector, kind("matrix")).prop_map(|(vector, wrong)| {
            json!({"resultType": wrong.unwrap_or("vector"), "result": vector})
        }),
        (pair(), kind("string")).prop_map(|(pair, wrong)| {
            json!({"resultType": wrong.unwrap_or("scalar"), "result": pair})
        }),
    ]
}

fn answer() -> impl Strategy<Value = Value> {
    let status = prop_oneof![9 => Just("success"), 1 => Just("error")];
    let more = prop_oneof![
        12 => Just(json!({})),
        1 => Just(json!({"warnings": ["a store is gone"]})),
        1 => Just(json!({"warnings": []})),
        1 => Just(json!({"infos": ["no counter"]})),
        1 => Just(json!({"isPartial": true})),
        1 => Just(json!({"isPartial": false})),
        1 => Just(json!({"errorType": "timeout", "error": "too slow"})),
    ];
    (status, data(), more).prop_map(|(status, data, more)| {
        let mut answer = json!({"status": status, "data": data});
        let more = more.as_object().unwrap().clone();
        answer.as_object_mut().unwrap().extend(more);
        answer
    })
}

/// An answer's bytes, of which one may be another or gone.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let change = prop_oneof![
        6 => Just(None),
        1 => (any::<prop::sample::Index>(), prop::option::of(any::<u8>())).prop_map(Some),
    ];
    (answer(), change).prop_map(|(answer, change)| {
        let mut bytes = answer.to_string().into_bytes();
        match change {
            Some((at, Some(byte))) => *at.get_mut(&mut bytes) = byte,
            Some((at, None)) => {
                bytes.remove(at.index(bytes.len()));
            }
            None => {}
        }
        bytes
    })
}

/// The one finite number that a complete and fresh answer gives.
fn real(bytes: &[u8]) -> Option<f64> {
    let answer: Value = serde_json::from_slice(bytes).ok()?;
    let no_items = |name: &str| {
        answer
            .get(name)
            .is_none_or(|list| list.is_null() || list.as_array().is_some_and(Vec::is_empty))
    };
    let absent = |name: &str| answer.get(name).is_none_or(Value::is_null);
    let partial = answer.get("isPartial").is_some_and(|partial| *partial != json!(false));
    if answer["status"] != "success" || partial || !no_items("warnings") || !absent("error") {
        return None;
    }
    let result = &answer["data"]["result"];
    let pair = match answer["data"]["resultType"].as_str()? {
        "scalar" => result,
        "vector" if result.as_array()?.len() == 1 && result[0]["histogram"].is_null() => {
            &result[0]["value"]
        }
        _ => return None,
    };
    let (time, value) = (pair[0].as_f64()?, pair[1].as_str()?.parse::<f64>().ok()?);
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let fresh = (time - NOW as f64).abs() < WINDOW as f64 + 0.001;
    (fresh && value.is_finite() && pair.as_array()?.len() == 2).then_some(value)
}

fn asked(bytes: &[u8]) -> Asked {
    Ok(gate::answer::parse(bytes)?)
}

#[test]
fn only_a_real_sample_within_the_bound_passes() {
    let (passed, held) = (Cell::new(0), Cell::new(0));
    let all = (bytes(), bytes(), prop::sample::select(vec![0, 0, 1]));
    let mut runner = crate::runner(5_000);
    let checked = runner.run(&all, |(bytes, requests, least_requests)| {
        let bound = Bound::new(Some("0.5".parse().unwrap()), Some("-0.5".parse().unwrap()));
        let window = Duration::from_secs(WINDOW.unsigned_abs());
        let rules = Rules { bound: bound.unwrap(), least_requests, window };
        let now = Timestamp::from_second(NOW).unwrap();
        let counted = asked(&requests);
        let judgement = judge(&rules, &asked(&bytes), Some(&counted), now);
        if judgement.verdict() != Verdict::Pass {
            held.set(held.get() + 1);
            return Ok(());
        }
        passed.set(passed.get() + 1);
        prop_assert!(real(&bytes).is_some_and(|value| value.abs() <= 0.5));
        if least_requests > 0 {
            prop_assert!(real(&requests).is_some_and(|requests| requests >= 1.0));
        }
        Ok(())
    });
    checked.unwrap();
    assert!(passed.get() > 200 && held.get() > 200, "{passed:?} passed, {held:?} held");
}

#[test]
fn whatever_is_real_and_within_the_bound_does_pass() {
    let mut runner = crate::runner(2_000);
    let checked = runner.run(&answer(), |answer| {
        let bytes = answer.to_string().into_bytes();
        let Some(value) = real(&bytes) else { return Ok(()) };
        let bound = Bound::new(Some("0.5".parse().unwrap()), Some("-0.5".parse().unwrap()));
        // The second reading is not exact at the very edge of the window.
        let window = Duration::from_secs(WINDOW.unsigned_abs() + 1);
        let rules = Rules { bound: bound.unwrap(), least_requests: 0, window };
        let now = Timestamp::from_second(NOW).unwrap();
        let verdict = judge(&rules, &asked(&bytes), None, now).verdict();
        let expected = if value.abs() <= 0.5 { Verdict::Pass } else { Verdict::Fail };
        prop_assert_eq!(verdict, expected, "{}", answer);
        Ok(())
    });
    checked.unwrap();
}
