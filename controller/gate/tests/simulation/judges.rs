//! The judges that are compared: the sequential test, and the usual gates that count how often a
//! share was above a threshold. Each gives a level at every look, and aborts where that reaches
//! what was set; so that any of them can be set to any rate of false aborts.

use gate::compare::{Noise, Terms};
use gate::{Counts, Evidence, Finding, Look};

use crate::stream::{LOOKS, Release};

/// Alpha of the terms.
pub const ALPHA: &str = "0.01";

/// The terms of the comparison.
pub fn terms(noise: Noise, ratio: &str) -> Terms {
    let [alpha, ratio, margin] = [ALPHA, ratio, "0"].map(|text| text.parse().unwrap());
    Terms::new(alpha, (ratio, margin), 0, noise).unwrap()
}

/// The evidence before the first look.
pub fn evidence(terms: &Terms, release: &Release, past: bool) -> Evidence {
    let past = if past { &release.past[..] } else { &[] };
    Evidence::new(terms.clone()).with_past(past)
}

/// What is found, and the highest evidence.
pub fn found(evidence: &Evidence) -> (bool, f64) {
    match evidence.finding() {
        Finding::Worse { evidence, .. } => (true, evidence),
        Finding::NotWorse { evidence, .. } => (false, evidence),
        Finding::TooFew { .. } => (false, 0.0),
    }
}

/// A usual gate: what it looks at, and how often that has to be at the threshold or above.
#[derive(Clone, Copy)]
pub struct Usual {
    pub name: &'static str,
    /// When it aborts, in words.
    pub told: &'static str,
    measure: Measure,
    above: usize,
    of: usize,
}

/// What a usual gate looks at.
#[derive(Clone, Copy)]
enum Measure {
    /// The new version's share since the last look.
    Share,
    /// The new version's share since the release began.
    Total,
    /// The new version's share since the last look, less the stable one's.
    Excess,
}

const fn usual(
    (name, told): (&'static str, &'static str),
    measure: Measure,
    (above, of): (usize, usize),
) -> Usual {
    Usual { name, told, measure, above, of }
}

/// Those that are tried.
pub const USUAL: [Usual; 8] = [
    usual(("1 look", "the share is above the threshold at one look"), Measure::Share, (1, 1)),
    usual(("3 in row", "it is at three looks in a row"), Measure::Share, (3, 3)),
    usual(("3 of 5", "it is at three of the last five looks"), Measure::Share, (3, 5)),
    usual(("5 in all", "it is at five looks of the release"), Measure::Share, (5, LOOKS)),
    usual(("total", "the share since the release began is at one look"), Measure::Total, (1, 1)),
    usual(("total 3", "that one is at three looks in a row"), Measure::Total, (3, 3)),
    usual(("excess 3", "the share less stable's is at three of five"), Measure::Excess, (3, 5)),
    usual(("excess 5", "that one is at five looks of the release"), Measure::Excess, (5, LOOKS)),
];

/// What the usual gates look at in one release, look by look.
pub struct Measured([Vec<f64>; 3]);

impl Measured {
    pub fn new(looks: &[Look]) -> Self {
        let sums: Vec<_> = looks.iter().map(|look| (sum(&look.new), sum(&look.stable))).collect();
        let totals = sums.iter().scan(Counts::default(), |total, (new, _)| {
            *total = total.plus(*new);
            Some(share(*total))
        });
        let excess = |(new, stable): &(Counts, Counts)| share(*new) - share(*stable);
        let shares = sums.iter().map(|(new, _)| share(*new)).collect();
        Self([shares, sums.iter().map(excess).collect(), totals.collect()])
    }
}

impl Usual {
    /// The highest threshold that aborts, at each look.
    pub fn levels(self, measured: &Measured) -> impl Iterator<Item = f64> {
        let Measured([shares, excess, totals]) = measured;
        let values = match self.measure {
            Measure::Share => shares,
            Measure::Excess => excess,
            Measure::Total => totals,
        };
        let mut all = Highest::new(self.above);
        (1..=values.len()).map(move |end| {
            if self.of == LOOKS {
                return all.add(values[end - 1]);
            }
            let mut last = Highest::new(self.above);
            values[end.saturating_sub(self.of)..end].iter().fold(NONE, |_, value| last.add(*value))
        })
    }
}

/// No threshold aborts.
const NONE: f64 = f64::NEG_INFINITY;

/// The so many highest values, in their order.
struct Highest([f64; 5], usize);

impl Highest {
    fn new(many: usize) -> Self {
        Self([NONE; 5], many)
    }

    /// Takes a value; the lowest of the highest.
    fn add(&mut self, mut value: f64) -> f64 {
        for place in &mut self.0[..self.1] {
            let high = place.max(value);
            value = place.min(value);
            *place = high;
        }
        self.0[self.1 - 1]
    }
}

fn sum(pods: &[Counts]) -> Counts {
    pods.iter().fold(Counts::default(), |sum, one| sum.plus(*one))
}

fn share(counts: Counts) -> f64 {
    counts.errors() as f64 / counts.requests() as f64
}
