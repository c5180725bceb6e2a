//! The mean of a factor summed up exactly, the terms, and what is said. How the test does on whole
//! releases is in `tests/simulation`.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::factor::{Null, TILTS, float, ln_factor};
use super::*;
use crate::answer::{Answer, Data, Sample, Series};
use crate::verdict::{Asked, Reason, Trouble};
use crate::{Decimal, Verdict};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn terms(noise: Noise) -> Terms {
    Terms::new(decimal("0.01"), (decimal("1"), decimal("0")), 100, noise).unwrap()
}

fn counts(errors: u64, requests: u64) -> Counts {
    Counts::new(errors, requests).unwrap()
}

fn look(new: Counts, stable: Counts) -> Look {
    Look { new: vec![new], stable: vec![stable] }
}

/// Logarithms of the probabilities of 0, 1, 2, ... from the first and the quotients of neighbours.
fn chain(first: f64, length: u64, quotient: impl Fn(f64) -> f64) -> Vec<f64> {
    let next = |last: &mut f64, k: u64| {
        let this = *last;
        *last += quotient(float(k)).ln();
        Some(this)
    };
    (0..length).scan(first, next).collect()
}

/// Of `n` requests whose share of errors is beta, of mean `p` and shapes that sum up to `both`.
fn beta_binomial(n: u64, p: f64, both: f64) -> Vec<f64> {
    let (u, v) = (p * both, (1.0 - p) * both);
    let first = (0..n).map(|i| ((v + float(i)) / (both + float(i))).ln()).sum();
    chain(first, n + 1, |k| (float(n) - k) * (u + k) / ((k + 1.0) * (v + float(n) - k - 1.0)))
}

/// Of this mean and variance over mean, cut where nothing is left.
fn negative_binomial(mean: f64, dispersion: f64) -> Vec<f64> {
    let excess = dispersion - 1.0;
    let shape = mean / excess;
    let first = -shape * dispersion.ln();
    chain(first, 20_000, |k| (k + shape) / (k + 1.0) * excess / dispersion)
}

/// The mean of the factor over all pairs of counts of so many requests.
fn mean_factor(
    new: (&[f64], u64),
    stable: (&[f64], u64),
    null: Null,
    noise: f64,
    tilt: f64,
) -> f64 {
    // It is a product of one part of each count.
    let at = |new_errors: u64, stable_errors: u64| {
        let counts = (counts(new_errors, new.1), counts(stable_errors, stable.1));
        ln_factor(counts, null, noise, tilt)
    };
    let none = at(0, 0);
    let part = |logarithms: &[f64], at: &dyn Fn(u64) -> f64| -> f64 {
        let terms = logarithms.iter().zip(0..);
        terms.map(|(logarithm, k)| (logarithm + at(k) - none).exp()).sum()
    };
    none.exp() * part(new.0, &|k| at(k, 0)) * part(stable.0, &|k| at(0, k))
}

proptest! {
    /// What the proof says, on the very edge of what is acceptable.
    #[test]
    fn no_factor_grows_on_average_with_beta_binomial_counts(
        n in 1..80_u64, m in 1..300_u64, p in 0.0005..0.4_f64, ratio in 1.0..1.5_f64,
        margin in 0.0..0.1_f64, both in 2.0..2000.0_f64, tilt in prop::sample::select(&TILTS[..]),
    ) {
        let (null, noise) = (Null { ratio, margin }, 1.0 + float(n.max(m)) / both);
        let new = beta_binomial(n, (ratio * p + margin).min(0.999), both);
        let stable = beta_binomial(m, p, both);
        let mean = mean_factor((&new, n), (&stable, m), null, noise, tilt);
        prop_assert!(mean <= 1.0 + 1e-9, "{}", mean);
    }

    /// Not a bit is given away where the bound is exact.
    #[test]
    fn with_negative_binomial_counts_the_mean_factor_is_just_one(
        new_mean in 0.1..20.0_f64, odds in 0.05..3.0_f64, noise in 1.05..8.0_f64,
        tilt in prop::sample::select(&TILTS[..]),
    ) {
        let requests = 1_000_000;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test")]
        let stable_requests = (float(requests) / odds) as u64;
        let stable_mean = new_mean * float(stable_requests) / float(requests);
        let (new, stable) =
            (negative_binomial(new_mean, noise), negative_binomial(stable_mean, noise));
        let null = Null { ratio: 1.0, margin: 0.0 };
        let mean = mean_factor((&new, requests), (&stable, stable_requests), null, noise, tilt);
        prop_assert!((mean - 1.0).abs() < 1e-5, "{}", mean);
    }

    /// The generating functions, whose comparison the proof comes down to.
    #[test]
    fn bursts_are_no_noisier_than_negative_binomial_counts(
        size in 1.01..30.0_f64, part in -1.0..1.0_f64,
    ) {
        let t = (0..2000).fold(2.0 * size, |t, _| size * f64::ln_1p(t));
        prop_assert!(t >= 2.0 * (size - 1.0));
        let z = if part > 0.0 { part * 0.999 / t } else { part };
        let (bursts, counts) = (z / (1.0 - (size - 1.0) * z), -(-t * z).ln_1p() / t);
        prop_assert!(bursts <= counts + 1e-9, "{} {}", bursts, counts);
    }

    /// A stake of NaN would be no stake.
    #[test]
    fn factors_are_numbers_for_the_most_extreme_counts(
        sizes in prop::array::uniform4(0.0..53.0_f64), ratio in 1.0..1e9_f64,
        margin in 0.0..1.0_f64, noise in 0.0..40.0_f64,
        tilt in prop::sample::select(&TILTS[..]), all in any::<[bool; 4]>(),
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "up to 2^53")]
        let [a, b, c, d] = sizes.map(|size| size.exp2() as u64);
        let bad = |errors: u64, requests: u64, all: bool, any: bool| {
            counts(if all { requests } else { errors.min(requests) * u64::from(any) }, requests)
        };
        let sums = (bad(a, b, all[0], all[1]), bad(c, d, all[2], all[3]));
        let grown = ln_factor(sums, Null { ratio, margin }, noise.exp2(), tilt).exp();
        prop_assert!(grown >= 0.0, "{}", grown);
    }

    #[test]
    fn no_counts_make_trouble(
        looks in prop::collection::vec(any::<(u32, u32, u32, u32)>(), 1..20),
    ) {
        let mut evidence = Evidence::new(terms(Noise::Learned));
        for (a, b, c, d) in looks {
            let [a, b, c, d] = [a.min(b), b, c.min(d), d].map(u64::from);
            evidence.add(&look(counts(a, b), counts(c, d)));
            match evidence.finding() {
                Finding::Worse { evidence, .. } | Finding::NotWorse { evidence, .. } => {
                    prop_assert!(evidence >= 1.0 - 1e-9);
                }
                Finding::TooFew { .. } => {}
            }
        }
        let text = serde_json::to_string(&evidence).unwrap();
        let again: Evidence = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(again.finding().verdict(), evidence.finding().verdict());
    }
}

#[test]
fn a_worse_version_is_found_with_its_numbers() {
    let mut evidence = Evidence::new(terms(Noise::Learned));
    for _ in 0..3 {
        evidence.add(&look(counts(36, 300), counts(27, 2700)));
    }
    let finding = evidence.finding();
    assert_eq!(finding.verdict(), Verdict::Fail);
    assert_eq!(
        finding.told(),
        "new 108 of 900 requests (12.00%), stable 81 of 8100 requests (1.00%) after 3 looks: \
         evidence over 1000000 of 100 that it is worse than stable"
    );
    for _ in 0..500 {
        evidence.add(&look(counts(0, 100), counts(9, 900)));
    }
    assert_eq!(evidence.finding().verdict(), Verdict::Fail, "once found, it stays so");
}

#[test]
fn few_requests_are_no_pass() {
    let mut evidence = Evidence::new(terms(Noise::Learned));
    evidence.add(&look(counts(0, 50), counts(1, 900)));
    assert_eq!(evidence.finding().verdict(), Verdict::Unknown);
    assert_eq!(
        evidence.finding().told(),
        "new 0 of 50 requests (0.00%), stable 1 of 900 requests (0.11%) after 1 look: evidence \
         1.0 of 100 that it is worse than stable, and 100 requests are needed"
    );
    evidence.add(&look(counts(1, 50), counts(1, 900)));
    assert_eq!(evidence.finding().verdict(), Verdict::Pass);
    let mut alone = Evidence::new(terms(Noise::Learned));
    alone.add(&look(counts(500, 500), counts(0, 0)));
    assert_eq!(alone.finding().verdict(), Verdict::Unknown);
    let told = "new 500 of 500 requests (100.00%), stable 0 requests after 1 look: there is \
                nothing to compare with";
    assert_eq!(alone.finding().told(), told);
}

#[test]
fn a_difference_within_the_margin_is_not_acted_on() {
    let acted = |ratio, margin| {
        let worth = (decimal(ratio), decimal(margin));
        let terms = Terms::new(decimal("0.01"), worth, 100, Noise::Learned).unwrap();
        let mut evidence = Evidence::new(terms);
        (0..300).for_each(|_| evidence.add(&look(counts(14, 1000), counts(90, 9000))));
        evidence.finding()
    };
    assert_eq!(acted("1", "0").verdict(), Verdict::Fail);
    assert_eq!(acted("1", "0.005").verdict(), Verdict::Pass);
    assert_eq!(acted("1.5", "0").verdict(), Verdict::Pass);
    assert!(acted("1.5", "0.01").told().ends_with("worse than 1.5 x stable + 0.01"));
}

#[test]
fn pods_that_differ_are_learned_as_noise_and_common_weather_is_not() {
    let evidence = |pods: [[u64; 3]; 2]| {
        let [one, other] = pods.map(|pods| pods.map(|errors| counts(errors, 100)).to_vec());
        let past: Vec<_> = (0..20).flat_map(|_| [one.clone(), other.clone()]).collect();
        let mut evidence = Evidence::new(terms(Noise::Learned)).with_past(&past);
        (0..4).for_each(|_| evidence.add(&look(counts(12, 100), counts(15, 300))));
        evidence.finding().verdict()
    };
    assert_eq!(evidence([[5, 5, 5], [5, 4, 6]]), Verdict::Fail);
    assert_eq!(evidence([[1, 1, 1], [9, 8, 10]]), Verdict::Fail);
    assert_eq!(evidence([[0, 14, 1], [15, 0, 0]]), Verdict::Pass);
}

#[test]
fn terms_and_counts_out_of_range_are_named_with_their_cure() {
    let refused = |alpha, ratio, margin, noise| {
        let worth = (decimal(ratio), decimal(margin));
        Terms::new(decimal(alpha), worth, 0, noise).unwrap_err().to_string()
    };
    let learned = Noise::Learned;
    assert!(refused("0", "1", "0", learned).starts_with("alpha 0 is not between 0 and 0.5"));
    assert!(refused("0.6", "1", "0", learned).starts_with("alpha 0.6 is not"));
    assert!(refused("0.01", "0.9", "0", learned).starts_with("ratio 0.9 is below 1"));
    assert!(refused("0.01", "1", "-1", learned).starts_with("margin -1 is not between 0 and 1"));
    let low = Noise::AtMost(decimal("0.5"));
    assert!(refused("0.01", "1", "0", low).starts_with("dispersion 0.5 is not between"));

    assert_eq!(Counts::new(2, 1), Err(CountsError::MoreErrors { errors: 2, requests: 1 }));
    assert_eq!(Counts::from_samples(1.4, 9.6), Ok(counts(1, 10)));
    assert_eq!(Counts::from_samples(10.5, 10.4), Ok(counts(10, 10)));
    assert_eq!(Counts::from_samples(-1e-12, 10.0), Ok(counts(0, 10)));
    for wrong in [f64::NAN, f64::INFINITY, -1.0, -0.6, 1e17] {
        assert!(matches!(Counts::from_samples(0.0, wrong), Err(CountsError::NoCount(_))));
    }
}

#[test]
fn evidence_goes_on_from_its_text() {
    let next = look(counts(7, 300), counts(20, 2700));
    let mut evidence = Evidence::new(terms(Noise::Learned));
    (0..50).for_each(|_| evidence.add(&next));
    let text = evidence.to_text();
    assert!(text.len() < 1000, "{text}");
    let mut again = Evidence::from_text(&text).unwrap();
    assert_eq!(again.counts(), evidence.counts());
    (0..50).for_each(|_| again.add(&next));
    (0..50).for_each(|_| evidence.add(&next));
    // The last digit of a stake may differ, and nothing that is said.
    assert_eq!(again.finding().told(), evidence.finding().told());
    let broken = text.replace("\"highest\":", "\"highest\":-");
    for other in ["", "1 ", "2 {}", text.strip_prefix("1 ").unwrap(), broken.as_str()] {
        assert_eq!(Evidence::from_text(other), None, "{other}");
    }
}

fn samples(label: &str, pods: &[(&str, f64)]) -> Asked {
    let at = Timestamp::from_second(1000).unwrap();
    let series = |(pod, value): &(&str, f64)| Series {
        labels: [(label.to_owned(), (*pod).to_owned())].into(),
        sample: Sample { at, value: *value },
    };
    let data = Data::Vector(pods.iter().map(series).collect());
    Ok(Answer { data, warnings: Vec::new(), infos: Vec::new() })
}

fn looked(errors: &Asked, requests: &Asked) -> Result<Look, Reason> {
    let pods = Pods { new: ["a".into()].into(), stable: ["b".into(), "c".into()].into() };
    let window = Duration::from_secs(30);
    let counted = Counted { errors, requests, label: "pod", pods: &pods, window };
    counted.look(Timestamp::from_second(1000).unwrap()).and_then(Look::of_both)
}

#[test]
fn a_look_is_the_counts_of_both_versions_pod_by_pod() {
    let errors = samples("pod", &[("a", 2.0), ("b", 0.4), ("c", 1.0)]);
    let requests = samples("pod", &[("a", 9.8), ("b", 20.0), ("c", 30.0), ("other", 5.0)]);
    let whole = looked(&errors, &requests).unwrap();
    assert_eq!(whole.new, [counts(2, 10)]);
    assert_eq!(whole.stable, [counts(0, 20), counts(1, 30)]);
    let part = looked(&samples("pod", &[("a", 2.0), ("b", 0.0)]), &requests).unwrap();
    assert_eq!(part.stable, [counts(0, 20)]);
}

#[test]
fn what_is_no_count_of_both_versions_is_no_look() {
    let good = samples("pod", &[("a", 1.0), ("b", 1.0)]);
    let word = |errors: &Asked, requests: &Asked| {
        let reason = looked(errors, requests).unwrap_err();
        (reason.verdict(), reason.word())
    };
    let none = samples("pod", &[]);
    assert_eq!(word(&none, &none), (Verdict::Unknown, "NoRequests"));
    let new = samples("pod", &[("a", 1.0)]);
    assert_eq!(word(&new, &new), (Verdict::Unknown, "NoRequests"));
    let idle = samples("pod", &[("a", 0.0), ("b", 1.0)]);
    assert_eq!(word(&idle, &idle), (Verdict::Unknown, "NoRequests"));
    let strange = samples("instance", &[("a", 1.0)]);
    assert_eq!(word(&strange, &good), (Verdict::Error, "NotByPod"));
    let twice = samples("pod", &[("a", 1.0), ("a", 1.0)]);
    assert_eq!(word(&good, &twice), (Verdict::Error, "NotByPod"));
    let nan = samples("pod", &[("a", f64::NAN), ("b", 1.0)]);
    assert_eq!(word(&good, &nan), (Verdict::Unknown, "NotANumber"));
    let endless = samples("pod", &[("a", f64::INFINITY)]);
    assert_eq!(word(&endless, &good), (Verdict::Error, "Infinite"));
    let more = samples("pod", &[("a", 9.0), ("b", 1.0)]);
    assert_eq!(word(&more, &good), (Verdict::Error, "NoCounts"));
    let refused: Asked = Err(Trouble::Unreachable("refused".into()));
    assert_eq!(word(&good, &refused), (Verdict::Error, "Unreachable"));
    let mut partial = good.clone();
    partial.as_mut().unwrap().warnings.push("a store is missing".into());
    assert_eq!(word(&partial, &good), (Verdict::Unknown, "Partial"));
}
