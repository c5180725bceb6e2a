//! The judges that are compared: the sequential test, and the usual gates that count how often an
//! interval was above a threshold. A judge says at which look it aborts a release.

use gate::compare::{Noise, Terms};
use gate::{Evidence, Finding};

use crate::stream::Release;

/// The sequential test as shipped.
pub fn sequential(terms: &Terms, release: &Release) -> Option<usize> {
    let mut evidence = Evidence::new(terms.clone()).with_past(&release.past);
    release.looks.iter().position(|look| {
        evidence.add(look);
        matches!(evidence.finding(), Finding::Worse { .. })
    })
}

/// The evidence after each look.
pub fn stakes(terms: &Terms, release: &Release) -> Vec<f64> {
    let mut evidence = Evidence::new(terms.clone()).with_past(&release.past);
    release
        .looks
        .iter()
        .map(|look| {
            evidence.add(look);
            match evidence.finding() {
                Finding::Worse { evidence, .. } | Finding::NotWorse { evidence, .. } => evidence,
                Finding::TooFew { .. } => 0.0,
            }
        })
        .collect()
}

/// Alpha, ratio and margin.
pub fn terms(alpha: &str, ratio: &str, margin: &str, noise: Noise) -> Terms {
    let [alpha, ratio, margin] = [alpha, ratio, margin].map(|text| text.parse().unwrap());
    Terms::new(alpha, (ratio, margin), 0, noise).unwrap()
}

/// Aborts when so many of the last so many intervals were at the threshold or above.
#[derive(Clone, Copy)]
pub struct Counting {
    pub above: usize,
    pub of: usize,
}

impl Counting {
    /// The share that counts at each look: with a threshold above it the release is not aborted
    /// there.
    fn levels(self, release: &Release) -> impl Iterator<Item = f64> {
        let share = |look: &gate::Look| {
            let sum = |part: fn(gate::Counts) -> u64| {
                look.new.iter().map(|one| part(*one)).sum::<u64>() as f64
            };
            sum(gate::Counts::errors) / sum(gate::Counts::requests)
        };
        let shares: Vec<f64> = release.looks.iter().map(share).collect();
        (1..=shares.len()).map(move |end| {
            let mut last = shares[end.saturating_sub(self.of)..end].to_vec();
            last.sort_by(|one, other| other.total_cmp(one));
            last.get(self.above - 1).copied().unwrap_or(0.0)
        })
    }

    /// The highest threshold at which the release is aborted.
    pub fn level(self, release: &Release) -> f64 {
        self.levels(release).fold(0.0, f64::max)
    }

    /// The look at which it is aborted.
    pub fn aborts(self, threshold: f64, release: &Release) -> Option<usize> {
        self.levels(release).position(|level| level >= threshold)
    }
}
