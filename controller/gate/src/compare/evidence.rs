//! The evidence that a new version is worse, from look to look. Owns the stakes; it forgets no
//! look and keeps none: its size does not grow.

use serde::{Deserialize, Serialize};

use super::dispersion::{Record, dispersion};
use super::factor::{TILTS, float, ln_factor};
use super::{Counts, Finding, Look, Terms};

/// A stake grows no further: JSON has no infinity, and a smaller stake is still a valid one.
const STAKE_MAX: f64 = 1e300;

/// What the looks so far say. It belongs to one release of one revision: carried from batch to
/// batch, alpha holds for the whole release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    terms: Terms,
    looks: u64,
    new: Counts,
    stable: Counts,
    /// What each tilt's stakes, put down at the looks so far, have become.
    stakes: [f64; TILTS.len()],
    /// The largest that all stakes together were.
    highest: f64,
    noise_new: Record,
    noise_stable: Record,
}

impl Evidence {
    /// None yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            looks: 0,
            new: Counts::default(),
            stable: Counts::default(),
            stakes: [0.0; TILTS.len()],
            highest: 1.0,
            noise_new: Record::default(),
            noise_stable: Record::default(),
        }
    }

    /// The terms that it was found on.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What both versions did at all looks: the new one first.
    #[must_use]
    pub fn counts(&self) -> (Counts, Counts) {
        (self.new, self.stable)
    }

    /// No look yet: it may still learn from the past.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.looks == 0
    }

    /// Stakes are numbers and not below 0: another one was written by somebody else.
    pub(super) fn is_sound(&self) -> bool {
        let stakes = self.stakes.iter().chain([&self.highest]);
        stakes.into_iter().all(|stake| stake.is_finite() && *stake >= 0.0)
    }

    /// Learns from stable's intervals before the release how noisy its counts are: its pods at
    /// each, oldest first. They are as long as the looks will be. To be told before the first.
    #[must_use]
    pub fn with_past(mut self, past: &[Vec<Counts>]) -> Self {
        for pods in past {
            self.noise_stable.add(pods);
        }
        self
    }

    /// Takes one more look.
    ///
    /// A part of the stake is put down at every look, half of it at the first, a sixth at the
    /// second, `1 / (t (t + 1))` at the one of number t; the rest waits. So a version that turns
    /// bad late is not excused by its good beginning.
    pub fn add(&mut self, look: &Look) {
        let sums = look.sums();
        let noise = dispersion(self.terms.noise(), &self.noise_stable, &self.noise_new);
        self.looks = self.looks.saturating_add(1);
        let number = float(self.looks);
        let fresh = 1.0 / (number * (number + 1.0));
        for (stake, tilt) in self.stakes.iter_mut().zip(TILTS) {
            let grown = ln_factor(sums, self.terms.null(), noise, tilt).exp();
            *stake = ((*stake + fresh) * grown).min(STAKE_MAX);
        }
        self.highest = self.highest.max(self.stake());
        self.new = self.new.plus(sums.0);
        self.stable = self.stable.plus(sums.1);
        self.noise_new.add(&look.new);
        self.noise_stable.add(&look.stable);
    }

    /// All stakes together, and the part that was not put down yet.
    fn stake(&self) -> f64 {
        let waiting = 1.0 / (float(self.looks) + 1.0);
        waiting + self.stakes.iter().sum::<f64>() / float(TILTS.len() as u64)
    }

    /// What follows from all looks so far. Once found worse, it stays so.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let needed = self.terms.needed();
        let evidence = self.highest;
        let told = self.sentence(evidence);
        if evidence >= needed {
            return Finding::Worse { evidence, told };
        }
        if self.new.requests() < self.terms.least_requests() || self.stable.requests() == 0 {
            return Finding::TooFew { told };
        }
        Finding::NotWorse { evidence, told }
    }

    fn sentence(&self, evidence: f64) -> String {
        super::finding::sentence(&self.terms, (self.new, self.stable), self.looks, evidence)
    }
}
