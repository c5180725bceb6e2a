//! How noisy counts are: given by the user, or learned. Owns the estimate, and errs on the side of
//! noise.
//!
//! Learned is how much the pods of one version differ in one interval. What hits all pods alike,
//! as a slow database does, is no noise to a comparison of pods at the same time: it cancels.
//! Where only the sum of a version is known, or it has one pod, intervals that follow each other
//! are compared instead.

use serde::{Deserialize, Serialize};

use super::Counts;
use super::factor::float;
use crate::Decimal;

/// Before anything is known, counts are taken to be as noisy as this, with the weight of
/// [`PRIOR_WEIGHT`] differences.
const PRIOR: f64 = 2.0;
const PRIOR_WEIGHT: f64 = 5.0;
/// The estimate is taken at its upper bound: so many of its standard deviations above it, of
/// which one is `sqrt(2 / differences)` of it.
const DEVIATIONS: f64 = 1.65;

/// How noisy the counts of errors may be: variance over mean, 1 for independent requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Noise {
    /// At most this. The stated alpha is proved for it.
    AtMost(Decimal),
    /// Learned from both versions, and from stable's past if there is any. That alpha holds is
    /// then measured, not proved: what was learned can fall short of the truth.
    #[default]
    Learned,
}

/// What was learned of one version. Intervals with more errors weigh more: their differences say
/// more, and rare bursts are not missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    last: Option<Counts>,
    weight: f64,
    squares: f64,
    sum: f64,
}

impl Record {
    /// Takes the pods of one more interval.
    ///
    /// Of one pod only intervals that follow each other are compared: a rate that moves to
    /// another level, as that of a version that turns bad, is noise once and not for ever.
    pub fn add(&mut self, pods: &[Counts]) {
        let all = pods.iter().fold(Counts::default(), |sum, pod| sum.plus(*pod));
        let before = self.last.replace(all);
        let served = pods.iter().filter(|pod| pod.requests() > 0).count();
        match (served, before) {
            (0, _) | (1, None) => {}
            (1, Some(before)) => self.learn(&[before, all]),
            _ => self.learn(pods),
        }
    }

    /// Pearson's statistic of counts that would have the same share if nothing but chance made
    /// them differ.
    fn learn(&mut self, counts: &[Counts]) {
        let served = || counts.iter().filter(|one| one.requests() > 0);
        let all = served().fold(Counts::default(), |sum, one| sum.plus(*one));
        let (differences, errors) = (served().count().saturating_sub(1), float(all.errors()));
        if differences == 0 || all.errors() == 0 || all.errors() == all.requests() {
            return;
        }
        let (differences, share) = (float(differences as u64), errors / float(all.requests()));
        let square = |one: &Counts| {
            let expected = share * float(one.requests());
            (float(one.errors()) - expected).powi(2) / (expected * (1.0 - share))
        };
        self.sum += errors * served().map(square).sum::<f64>();
        self.weight += errors * differences;
        self.squares += errors * errors * differences;
    }

    /// How many differences of equal weight say as much.
    fn differences(&self) -> f64 {
        if self.squares > 0.0 { self.weight * self.weight / self.squares } else { 0.0 }
    }

    /// What is known, with its weight, before and after this record.
    fn refine(&self, (before, weight): (f64, f64)) -> (f64, f64) {
        let differences = self.differences();
        let seen = if self.weight > 0.0 { self.sum / self.weight } else { 0.0 };
        let all = weight + differences;
        ((before * weight + seen * differences) / all, all)
    }
}

/// The dispersion to reckon with at the next look, from the looks before it alone.
pub(super) fn dispersion(noise: Noise, stable: &Record, new: &Record) -> f64 {
    match noise {
        Noise::AtMost(most) => most.nearest(),
        Noise::Learned => {
            let usual = stable.refine((PRIOR, PRIOR_WEIGHT));
            let own = new.refine((usual.0, PRIOR_WEIGHT));
            upper(usual).max(upper((own.0, own.1 + usual.1 - PRIOR_WEIGHT))).max(1.0)
        }
    }
}

/// The upper bound of an estimate of this weight.
fn upper((estimate, weight): (f64, f64)) -> f64 {
    estimate * (1.0 + DEVIATIONS * (2.0 / weight).sqrt())
}
