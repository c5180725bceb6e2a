//! Answers as Prometheus writes them, answers it never writes, and any bytes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read(body: &Value) -> Result<Answer, AnswerError> {
    parse(body.to_string().as_bytes())
}

fn vector(result: &Value) -> Value {
    json!({"status": "success", "data": {"resultType": "vector", "result": result}})
}

fn sample(value: f64) -> Sample {
    Sample { value, at: Timestamp::from_millisecond(1_435_781_451_781).unwrap() }
}

#[test]
fn a_vector_has_series_with_labels_values_and_times() {
    let answer = read(&vector(&json!([
        {"metric": {"__name__": "up", "pod": "web-1"}, "value": [1_435_781_451.781, "0.25"]},
        {"metric": {}, "value": [1_435_781_451.781, "1e+20"]},
    ])));
    let Data::Vector(series) = answer.unwrap().data else { panic!("no vector") };
    assert_eq!(series[0].labels["pod"], "web-1");
    assert_eq!(series[0].sample, sample(0.25));
    assert_eq!(series[1].sample, sample(1e20));
    assert_eq!(read(&vector(&json!([]))).unwrap().data, Data::Vector(Vec::new()));
}

#[test]
fn a_scalar_has_one_value() {
    let body = |value: &str| {
        json!({"status": "success", "data": {"resultType": "scalar",
               "result": [1_435_781_451.781, value]}})
    };
    assert_eq!(read(&body("1")).unwrap().data, Data::Scalar(sample(1.0)));
    assert_eq!(read(&body("+Inf")).unwrap().data, Data::Scalar(sample(f64::INFINITY)));
    assert_eq!(read(&body("-Inf")).unwrap().data, Data::Scalar(sample(f64::NEG_INFINITY)));
    let Data::Scalar(nan) = read(&body("NaN")).unwrap().data else { panic!("no scalar") };
    assert!(nan.value.is_nan());
    for wrong in ["", "one", "nan", "infinity", "1e999", "0x1", "1 "] {
        assert_eq!(read(&body(wrong)), Err(AnswerError::Value(wrong.into())), "{wrong}");
    }
}

#[test]
fn warnings_and_infos_are_kept_apart() {
    let mut body = vector(&json!([]));
    body["warnings"] = json!(["a store is gone"]);
    body["infos"] = json!(["no counter"]);
    let answer = read(&body).unwrap();
    assert_eq!(answer.warnings, ["a store is gone"]);
    assert_eq!(answer.infos, ["no counter"]);
    body["isPartial"] = json!(true);
    assert_eq!(read(&body).unwrap().warnings, ["a store is gone", "the answer is partial"]);
    body["isPartial"] = json!(false);
    assert_eq!(read(&body).unwrap().warnings, ["a store is gone"]);
}

#[test]
fn a_success_with_an_error_is_none() {
    let mut body = vector(&json!([]));
    body["error"] = json!("too slow");
    let error = read(&body).unwrap_err();
    let told = "the answer cannot be read: status \"success\" with error \"too slow\"";
    assert_eq!((error.reason(), error.to_string().as_str()), ("AnswerUnreadable", told));
}

#[test]
fn prometheus_own_words_are_kept() {
    let body = json!({"status": "error", "errorType": "bad_data",
                      "error": "1:5: parse error: unexpected \"}\""});
    let error = read(&body).unwrap_err();
    assert_eq!(error.reason(), "QueryRefused");
    let message = "Prometheus says bad_data: 1:5: parse error: unexpected \"}\"";
    assert_eq!(error.to_string(), message);
}

#[test]
fn what_is_no_number_is_said() {
    let matrix = json!({"status": "success", "data": {"resultType": "matrix", "result": []}});
    assert_eq!(read(&matrix), Err(AnswerError::ResultType("matrix".into())));
    let histogram = vector(&json!([{"metric": {}, "histogram": [1, {"count": "1"}]}]));
    assert_eq!(read(&histogram), Err(AnswerError::Histogram));
    let far = vector(&json!([{"metric": {}, "value": [1e14, "1"]}]));
    assert!(matches!(read(&far), Err(AnswerError::Time(_))));
    for unreadable in [
        json!({}),
        json!([]),
        json!({"status": "success"}),
        json!({"status": "maybe", "data": {"resultType": "vector", "result": []}}),
        vector(&json!([{"metric": {}}])),
        vector(&json!([{"metric": {}, "value": ["1", "1"]}])),
        vector(&json!([{"metric": {}, "value": [1, 1]}])),
        vector(&json!([{"metric": {"a": 1}, "value": [1, "1"]}])),
        vector(&json!({"metric": {}})),
    ] {
        assert_eq!(read(&unreadable).unwrap_err().reason(), "AnswerUnreadable", "{unreadable}");
    }
    assert_eq!(parse(b"<html>").unwrap_err().reason(), "AnswerUnreadable");
}

#[test]
fn a_body_of_more_than_a_mebibyte_is_not_read() {
    let body = vec![b' '; BODY_BYTES_MAX + 1];
    assert_eq!(parse(&body), Err(AnswerError::TooLarge(BODY_BYTES_MAX + 1)));
    assert_eq!(parse(&body[1..]).unwrap_err().reason(), "AnswerUnreadable");
}

#[test]
fn long_words_are_cut() {
    let body = json!({"status": "error", "error": "ü".repeat(2000)});
    let Err(AnswerError::Refused { message, .. }) = read(&body) else { panic!("not refused") };
    assert_eq!(message.chars().count(), 500);
}

/// JSON of the words that mean something here, in any order.
fn near() -> impl Strategy<Value = String> {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"status\"",
        "\"success\"",
        "\"error\"",
        "\"data\"",
        "\"resultType\"",
        "\"vector\"",
        "\"scalar\"",
        "\"result\"",
        "\"value\"",
        "\"metric\"",
        "\"NaN\"",
        "1e400",
        "-1",
        "null",
        "\"\\ud800\"",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..24)
        .prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_words_panic(text in near()) {
        let _ = parse(text.as_bytes());
    }

    #[test]
    fn every_double_comes_back(
        value in any::<f64>(), at in -1_000_000_000_000..4_000_000_000_000_i64,
    ) {
        let text = match value {
            value if value.is_nan() => "NaN".to_owned(),
            value if value.is_infinite() => if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
            value => value.to_string(),
        };
        let body = vector(&json!([{"metric": {}, "value": [at as f64 / 1000.0, text]}]));
        let Data::Vector(series) = read(&body).unwrap().data else { panic!("no vector") };
        prop_assert_eq!(series[0].sample.value.to_bits() & !(1 << 63), if value.is_nan() {
            f64::NAN.to_bits() } else { value.to_bits() & !(1 << 63) });
        prop_assert_eq!(series[0].sample.at.as_millisecond(), at);
    }
}
