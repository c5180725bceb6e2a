//! Distributions of whole numbers as tables, drawn from by inversion. Owns the formulas; millions
//! of draws cost a search each.

use crate::rng::Rng;

/// So many equal steps of the probability know where the search begins.
const STEPS: usize = 1024;

pub struct Table {
    /// Cumulated probabilities of 0, 1, 2, ...
    below: Vec<f64>,
    /// The first of them that is above a step.
    first: Vec<usize>,
}

impl Table {
    /// Of these weights.
    pub fn new(weights: &[f64]) -> Self {
        let all: f64 = weights.iter().sum();
        let cumulated = weights.iter().scan(0.0, |sum, weight| {
            *sum += weight / all;
            Some(*sum)
        });
        let mut below: Vec<f64> = cumulated.collect();
        // What rounding left of one.
        *below.last_mut().unwrap() = 1.0;
        let first = |step| below.partition_point(|below| *below <= step as f64 / STEPS as f64);
        Self { first: (0..STEPS).map(first).collect(), below }
    }

    pub fn draw(&self, rng: &mut Rng) -> usize {
        let point = rng.uniform();
        let mut drawn = self.first[(point * STEPS as f64) as usize];
        while self.below[drawn] < point {
            drawn += 1;
        }
        drawn
    }
}

/// Weights from the logarithm of the first and the quotients of neighbours.
fn chain(first: f64, count: usize, quotient: impl Fn(f64) -> f64) -> Vec<f64> {
    let next = |last: &mut f64, k: usize| {
        let this = last.exp();
        *last += quotient(k as f64).ln();
        Some(this)
    };
    (0..=count).scan(first, next).collect()
}

/// Each of so many requests fails by itself.
pub fn binomial(count: usize, share: f64) -> Vec<f64> {
    let n = count as f64;
    chain(n * (-share).ln_1p(), count, |k| (n - k) / (k + 1.0) * share / (1.0 - share))
}

/// The share is beta, of this mean; `rho` is the correlation of two requests.
pub fn beta_binomial(count: usize, mean: f64, rho: f64) -> Vec<f64> {
    let (n, both) = (count as f64, 1.0 / rho - 1.0);
    let (u, v) = (mean * both, (1.0 - mean) * both);
    let first = (0..count).map(|i| ((v + i as f64) / (both + i as f64)).ln()).sum();
    chain(first, count, |k| (n - k) * (u + k) / ((k + 1.0) * (v + n - k - 1.0)))
}

/// Each of so many requests may begin a burst of failures, whose size is geometric, of this mean.
pub fn bursts(count: usize, share: f64, mean: f64) -> Vec<f64> {
    // Of the failures in just so many bursts, beginning with none.
    let mut sizes = vec![0.0; count + 1];
    sizes[0] = 1.0;
    let mut weights = vec![0.0; count + 1];
    for begun in binomial(count, share / mean) {
        let added = weights.iter_mut().zip(&sizes);
        added.for_each(|(weight, size)| *weight += begun * size);
        let one_more = |last: &mut (f64, f64), size: &f64| {
            let this = (1.0 - 1.0 / mean) * last.0 + last.1 / mean;
            *last = (this, *size);
            Some(this)
        };
        sizes = sizes.iter().scan((0.0, 0.0), one_more).collect();
    }
    weights
}

/// Points of a standard normal variable, with their weights.
pub fn normal() -> Vec<(f64, f64)> {
    let point = |step: i32| f64::from(step) / 10.0;
    (-40..=40).map(point).map(|z| (z, (-z * z / 2.0).exp())).collect()
}

/// Mean, and variance over mean.
fn moments(weights: &[f64]) -> (f64, f64) {
    let all: f64 = weights.iter().sum();
    let moment = |power| {
        let terms = weights.iter().zip(0..).map(|(weight, k)| weight * f64::from(k).powi(power));
        terms.sum::<f64>() / all
    };
    let (mean, square) = (moment(1), moment(2));
    (mean, (square - mean * mean) / mean)
}

#[test]
fn the_distributions_have_their_means_and_dispersions() {
    let near = |weights: Vec<f64>, mean: f64, dispersion: f64| {
        let found = moments(&weights);
        let near = |one: f64, other: f64| (one - other).abs() < 1e-6 * other;
        assert!(near(found.0, mean) && near(found.1, dispersion), "{found:?}");
    };
    near(binomial(100, 0.02), 2.0, 0.98);
    near(beta_binomial(100, 0.02, 0.01), 2.0, 0.98 * (1.0 + 99.0 * 0.01));
    // Bursts of geometric size: 2 mean - 1, less what binomial counts lack to Poisson ones.
    near(bursts(1000, 0.003, 3.0), 3.0, 5.0 - 0.003);
}

#[test]
fn draws_come_as_often_as_their_weights_say() {
    let (weights, mut rng) = (beta_binomial(20, 0.3, 0.1), Rng::new(7));
    let (table, mut drawn) = (Table::new(&weights), [0_u32; 21]);
    (0..100_000).for_each(|_| drawn[table.draw(&mut rng)] += 1);
    for (weight, drawn) in weights.iter().zip(drawn) {
        let expected = 100_000.0 * weight;
        assert!((f64::from(drawn) - expected).abs() < 5.0 * (expected + 1.0).sqrt());
    }
}
