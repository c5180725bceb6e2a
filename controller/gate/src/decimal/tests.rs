//! What is a decimal, how it prints, and where a sample stands to it.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn equal_values_are_equal_and_print_alike() {
    for (text, printed) in [
        ("0.01", "0.01"),
        ("0.0100", "0.01"),
        ("00250", "250"),
        ("250.0", "250"),
        ("-3.50", "-3.5"),
        ("-0", "0"),
        ("0.000000000000001", "0.000000000000001"),
        ("999999999999999", "999999999999999"),
    ] {
        assert_eq!(decimal(text).to_string(), printed);
        assert_eq!(decimal(text), decimal(printed));
    }
}

#[test]
fn what_is_none_is_named_with_its_cure() {
    for text in ["", "-", ".5", "5.", "1e-3", "+1", "0,1", "1 ", "NaN", "Inf", "--1", "٣"] {
        let error = text.parse::<Decimal>().unwrap_err();
        assert_eq!(error, DecimalError::Malformed(text.into()));
        assert!(error.to_string().ends_with("such as \"0.01\" or \"250\""), "{error}");
    }
    let error = "0.1234567890123456".parse::<Decimal>().unwrap_err();
    assert_eq!(error.to_string(), "\"0.1234567890123456\" has too many digits: write at most 15");
}

#[test]
fn a_number_without_quotes_is_refused_with_its_cure() {
    let error = serde_json::from_str::<Decimal>("0.01").unwrap_err().to_string();
    assert!(error.contains("expected a decimal number in quotes, such as \"0.01\""), "{error}");
    assert_eq!(serde_json::from_str::<Decimal>("\"0.01\"").unwrap(), decimal("0.01"));
    assert_eq!(serde_json::to_string(&decimal("0.010")).unwrap(), "\"0.01\"");
}

#[test]
fn nothing_compares_with_nan_and_the_infinities_lie_outside() {
    let bound = decimal("1");
    assert_eq!(bound.order(f64::NAN), None);
    assert_eq!(bound.order(f64::INFINITY), Some(Ordering::Greater));
    assert_eq!(bound.order(f64::NEG_INFINITY), Some(Ordering::Less));
    assert_eq!(Decimal::ZERO.order(-0.0), Some(Ordering::Equal));
}

proptest! {
    #[test]
    fn printed_and_read_again_it_is_the_same(
        mantissa in -999_999_999_999_999..=999_999_999_999_999_i64, places in 0..=15_usize,
    ) {
        let digits = format!("{:0width$}", mantissa.abs(), width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        let sign = if mantissa < 0 { "-" } else { "" };
        let text = if places == 0 { digits.clone() } else { format!("{whole}.{part}") };
        let one = decimal(&format!("{sign}{text}"));
        prop_assert_eq!(decimal(&one.to_string()), one);
    }

    /// The one division rounds as the standard library's parser does.
    #[test]
    fn a_sample_of_the_same_text_is_equal(mantissa in 0..=999_999_999_999_999_i64,
                                          places in 0..=15_usize) {
        let digits = format!("{mantissa:0width$}", width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        let text = if places == 0 { digits.clone() } else { format!("{whole}.{part}") };
        let sample: f64 = text.parse().unwrap();
        prop_assert_eq!(decimal(&text).order(sample), Some(Ordering::Equal));
        prop_assert_eq!(decimal(&text).order(sample.next_up()), Some(Ordering::Greater));
        prop_assert_eq!(decimal(&text).order(sample.next_down()), Some(Ordering::Less));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = text.parse::<Decimal>();
    }
}
