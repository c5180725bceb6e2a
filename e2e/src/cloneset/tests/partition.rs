//! How numbers and percentages become pods.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::json;

use super::super::decide::Wish;
use super::super::partition::kept_old;
use super::set;

fn kept(value: impl Into<Value>, replicas: i32) -> i32 {
    kept_old(Some(&value.into().0), replicas)
}

struct Value(IntOrString);

impl From<i32> for Value {
    fn from(count: i32) -> Self {
        Self(IntOrString::Int(count))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(IntOrString::String(text.to_owned()))
    }
}

#[test]
fn nothing_is_zero() {
    assert_eq!(kept_old(None, 10), 0);
}

#[test]
fn a_number_is_clamped() {
    assert_eq!([kept(3, 10), kept(10, 10), kept(12, 10), kept(-1, 10)], [3, 10, 10, 0]);
}

#[test]
fn a_percentage_rounds_up_and_leaves_one_new_pod() {
    assert_eq!([kept("0%", 10), kept("30%", 10), kept("31%", 10)], [0, 3, 4]);
    assert_eq!([kept("95%", 10), kept("99%", 2), kept("50%", 3)], [9, 1, 2]);
}

#[test]
fn one_pod_is_held_by_any_percentage() {
    assert_eq!([kept("95%", 1), kept("1%", 1), kept("0%", 1)], [1, 1, 0]);
}

#[test]
fn all_is_all_at_any_scale() {
    assert_eq!([kept("100%", 0), kept("100%", 1), kept("100%", 10)], [0, 1, 10]);
    // Only in these very words.
    assert_eq!(kept("100.0%", 10), 9);
}

#[test]
fn parts_of_a_percent_count() {
    assert_eq!([kept("33.3%", 10), kept("0.1%", 1000), kept("99.95%", 1000)], [4, 1, 999]);
}

#[test]
fn words_hold_nothing() {
    assert_eq!([kept("many", 10), kept("%", 10), kept("NaN%", 10)], [0, 0, 0]);
}

#[test]
fn max_unavailable_rounds_up_without_surge_and_down_with_it() {
    let of = |strategy| {
        let wish = Wish::of(&set(&json!({ "replicas": 9, "updateStrategy": strategy })).spec);
        (wish.surge, wish.unavailable)
    };
    assert_eq!(of(json!({})), (0, 2));
    assert_eq!(of(json!({ "maxUnavailable": "25%" })), (0, 3));
    assert_eq!(of(json!({ "maxUnavailable": "25%", "maxSurge": "10%" })), (1, 2));
    assert_eq!(of(json!({ "maxUnavailable": "25%", "maxSurge": 1, "paused": true })), (0, 3));
}

#[test]
fn scaling_is_unlimited_unless_it_is_limited() {
    let of = |strategy| Wish::of(&set(&json!({ "scaleStrategy": strategy })).spec);
    assert_eq!(of(json!({})).scale_unavailable, i32::MAX);
    assert_eq!(of(json!({ "maxUnavailable": "50%" })).scale_unavailable, 2);
}
