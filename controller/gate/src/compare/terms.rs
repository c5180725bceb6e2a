//! What is compared and on which terms: counts, looks, and what is worth acting on. Owns their
//! validity.

use serde::{Deserialize, Serialize};

use super::Noise;
use super::factor::Null;
use crate::Decimal;

/// What one version did in one interval, or in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    errors: u64,
    requests: u64,
}

/// Why numbers are no counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountsError {
    /// NaN, an infinity, below zero, or beyond what a double counts exactly.
    #[error("{0} is no count: query an increase() of a counter")]
    NoCount(String),
    /// More errors than requests.
    #[error(
        "{errors} errors in {requests} requests: let both queries select the same requests over \
         the same window"
    )]
    MoreErrors {
        /// Errors.
        errors: u64,
        /// Requests.
        requests: u64,
    },
}

impl Counts {
    /// Errors among requests.
    ///
    /// # Errors
    /// More errors than requests.
    pub fn new(errors: u64, requests: u64) -> Result<Self, CountsError> {
        if errors > requests {
            return Err(CountsError::MoreErrors { errors, requests });
        }
        Ok(Self { errors, requests })
    }

    /// From two samples. `increase()` extrapolates to the ends of its window, hence the rounding,
    /// to the nearest whole number; an error more than requests by that alone is let go.
    ///
    /// # Errors
    /// A sample that is no count, or more errors than requests.
    pub fn from_samples(errors: f64, requests: f64) -> Result<Self, CountsError> {
        let (errors, requests) = (whole(errors)?, whole(requests)?);
        let near = if errors == requests.saturating_add(1) { requests } else { errors };
        Self::new(near, requests)
    }

    /// Requests that failed, or took longer than the bound.
    #[must_use]
    pub fn errors(self) -> u64 {
        self.errors
    }

    /// All requests.
    #[must_use]
    pub fn requests(self) -> u64 {
        self.requests
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            errors: self.errors.saturating_add(other.errors),
            requests: self.requests.saturating_add(other.requests),
        }
    }
}

/// The nearest whole number. A difference of two sums that is zero may come as a little less.
fn whole(sample: f64) -> Result<u64, CountsError> {
    let (exact, rounded) = (0.0..=9_007_199_254_740_992.0, sample.round());
    if !exact.contains(&rounded) {
        return Err(CountsError::NoCount(sample.to_string()));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 2^53")]
    Ok(rounded as u64)
}

/// What both versions did in one interval, pod by pod; or in one sum each, and then less is
/// learned of how noisy they are. Intervals must not overlap: a request counts once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Of the new version's pods.
    pub new: Vec<Counts>,
    /// Of the stable version's pods, in the same interval.
    pub stable: Vec<Counts>,
}

impl Look {
    /// The sums of both: the new version's first.
    #[must_use]
    pub fn sums(&self) -> (Counts, Counts) {
        let sum = |pods: &[Counts]| pods.iter().fold(Counts::default(), |sum, one| sum.plus(*one));
        (sum(&self.new), sum(&self.stable))
    }
}

/// On which terms two versions are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    alpha: Decimal,
    ratio: Decimal,
    margin: Decimal,
    least_requests: u64,
    noise: Noise,
}

/// Why terms cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// Not a small probability.
    #[error(
        "alpha {0} is not between 0 and 0.5: write the share of false aborts you accept, \"0.01\""
    )]
    Alpha(Decimal),
    /// A better version would be taken back.
    #[error("ratio {0} is below 1: write how many times stable's share is acceptable, \"1.2\"")]
    Ratio(Decimal),
    /// Not a share.
    #[error(
        "margin {0} is not between 0 and 1: write a share of requests, \"0.005\" for half a percent"
    )]
    Margin(Decimal),
    /// Below a fair coin's.
    #[error(
        "dispersion {0} is not between 1 and 1000: write variance over mean of the counts, \"2\""
    )]
    Dispersion(Decimal),
}

impl Terms {
    /// Acts on a new version whose share of errors is more than `ratio` times stable's plus
    /// `margin`; of versions that are not, at most the share `alpha` is taken back.
    /// `least_requests` of the new version are needed before "not worse" is said.
    ///
    /// # Errors
    /// The first term that is out of its range.
    pub fn new(
        alpha: Decimal,
        (ratio, margin): (Decimal, Decimal),
        least_requests: u64,
        noise: Noise,
    ) -> Result<Self, TermsError> {
        let within =
            |number: Decimal, low: f64, high: f64| (low..=high).contains(&number.nearest());
        if !within(alpha, 0.0, 0.5) || alpha == Decimal::ZERO {
            return Err(TermsError::Alpha(alpha));
        }
        if !within(ratio, 1.0, 1e9) {
            return Err(TermsError::Ratio(ratio));
        }
        if !within(margin, 0.0, 1.0) {
            return Err(TermsError::Margin(margin));
        }
        match noise {
            Noise::AtMost(most) if !within(most, 1.0, 1000.0) => Err(TermsError::Dispersion(most)),
            _ => Ok(Self { alpha, ratio, margin, least_requests, noise }),
        }
    }

    pub(super) fn null(&self) -> Null {
        Null { ratio: self.ratio.nearest(), margin: self.margin.nearest() }
    }

    /// What the stake has to reach.
    pub(super) fn needed(&self) -> f64 {
        1.0 / self.alpha.nearest()
    }

    pub(super) fn least_requests(&self) -> u64 {
        self.least_requests
    }

    pub(super) fn noise(&self) -> Noise {
        self.noise
    }

    /// What is acted on, in words.
    pub(super) fn bound(&self) -> String {
        match (self.ratio == Decimal::ONE, self.margin == Decimal::ZERO) {
            (true, true) => "stable".into(),
            (false, true) => format!("{} x stable", self.ratio),
            (true, false) => format!("stable + {}", self.margin),
            (false, false) => format!("{} x stable + {}", self.ratio, self.margin),
        }
    }
}
