//! The queries as they are asked, and names and patterns that are none.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::Values;

fn source() -> Source {
    Source {
        metric: "http_requests_total".into(),
        namespace_label: "namespace".into(),
        pod_label: "pod".into(),
    }
}

fn seconds() -> Source {
    Source { metric: "http_request_duration_seconds".into(), ..source() }
}

fn asked(template: &Template) -> String {
    let values = Values {
        namespace: "shop".into(),
        workload: "web".into(),
        revision: "a".into(),
        stable_revision: "b".into(),
        pods: vec!["web-1".into(), "web-2".into()],
        window: Duration::from_secs(60),
    };
    template.render(&values).unwrap()
}

const OF: &str = r#"namespace="shop",pod=~"(?:web-1|web-2)""#;

#[test]
fn errors_are_filled_in_only_where_there_were_requests() {
    let all = format!("sum (increase(http_requests_total{{{OF}}}[60s]))");
    let bad = format!("sum (increase(http_requests_total{{{OF},code=~\"5..\"}}[60s]))");
    let ratio = error_ratio(&source(), "code", "5..").unwrap();
    assert_eq!(asked(&ratio), format!("({bad} or {all} * 0) / {all}"));
    assert_eq!(asked(&requests(&source()).unwrap()), all);
    let counts = error_counts(&source(), "code", "5..").unwrap();
    let by = |text: &str| text.replace("sum (", "sum by (pod) (");
    assert_eq!(asked(&counts.errors), by(&format!("({bad} or {all} * 0)")));
    assert_eq!(asked(&counts.requests), by(&all));
}

#[test]
fn slow_requests_are_those_above_a_bucket() {
    let of = |le: &str| {
        format!("sum (increase(http_request_duration_seconds_bucket{{{OF},{le}}}[60s]))")
    };
    let (all, half) = (of(r#"le="+Inf""#), of(r#"le="0.5""#));
    let ratio = slow_ratio(&seconds(), "0.5".parse().unwrap()).unwrap();
    assert_eq!(asked(&ratio), format!("({all} - {half}) / {all}"));
    let second = of(r#"le=~"1(\\.0)?""#);
    let counts = slow_counts(&seconds(), "1.0".parse().unwrap()).unwrap();
    let slow = format!("({all} - {second})").replace("sum (", "sum by (pod) (");
    assert_eq!(asked(&counts.errors), slow);
    let error = slow_ratio(&seconds(), Decimal::ZERO).unwrap_err();
    assert_eq!(error, ReadyError::BucketBound(Decimal::ZERO));
}

#[test]
fn a_quantile_is_of_the_buckets() {
    let query = |max: Option<Decimal>| {
        asked(&latency_quantile(&seconds(), "0.99".parse().unwrap(), max).unwrap())
    };
    let metric = "http_request_duration_seconds_bucket";
    let of = |by: &str, le: &str| format!("sum {by}(increase({metric}{{{OF}{le}}}[60s]))");
    let value = format!("histogram_quantile(0.99, {})", of("by (le) ", ""));
    let (bounded, all) = (of("by (le) ", r#",le!="+Inf""#), of("", r#",le="+Inf""#));
    // 1 where the quantile lies below the highest bound, and 0, which gives an infinity, above it.
    let known = format!("{value} / (max({bounded}) >= bool 0.99 * {all})");
    assert_eq!(query(None), known);
    assert_eq!(query(Some("0.5".parse().unwrap())), format!("{value} > 0.5 or {known}"));
    let two = "2".parse().unwrap();
    assert_eq!(latency_quantile(&seconds(), two, None), Err(ReadyError::Quantile(two)));
}

#[test]
fn names_that_are_none_are_refused() {
    for wrong in ["", "1x", "a-b", "a b", "x{", "x\"", "ü", "x:y"] {
        let error = Err(ReadyError::Name(wrong.into()));
        assert_eq!(error_ratio(&source(), wrong, "5.."), error);
        assert_eq!(requests(&Source { pod_label: wrong.into(), ..source() }), error);
    }
    assert!(requests(&Source { metric: "job:requests:sum".into(), ..source() }).is_ok());
}

proptest! {
    #[test]
    fn no_pattern_breaks_out(codes in r#"["'\\{}()|a\n#5.]{0,12}"#) {
        let query = asked(&error_ratio(&source(), "code", &codes).unwrap());
        let plain = asked(&error_ratio(&source(), "code", "").unwrap());
        let (before, behind) = plain.split_once(r#"code=~""#).unwrap();
        let inside = query.strip_prefix(before).unwrap().strip_prefix(r#"code=~""#).unwrap();
        let inside = inside.strip_suffix(behind).unwrap();
        let mut chars = inside.chars();
        while let Some(char) = chars.next() {
            prop_assert!(!"\"\n{".contains(char), "{}", char);
            if char == '\\' {
                prop_assert!(chars.next().is_some());
            }
        }
    }
}
