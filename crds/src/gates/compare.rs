//! The comparison with stable as users write it: its fields and their defaults. What it does is
//! the `gate` crate's.

use gate::Decimal;
use gate::compare::{Noise, Terms, TermsError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fewer requests of the new version in the release say nothing, unless the gate says so.
const LEAST_REQUESTS: u32 = 100;

/// The new version's share of bad requests against that of the stable pods beside it, on the
/// evidence of the whole release so far. Every field has a default: `{}` is a comparison, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Compare {
    /// Of versions that are not worse, at most this share fails, however often it is measured.
    /// Default "0.01".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<Decimal>,
    /// Acceptable is so many times stable's share, from 1 on; default "1.2".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Decimal>,
    /// And so large a share of the requests more; default "0.001".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Decimal>,
    /// How noisy the counts of bad requests are at most: variance over mean, 1 for requests that
    /// fail independently. Default: it is learned from the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispersion: Option<Decimal>,
}

impl Compare {
    /// The terms of the judge.
    ///
    /// # Errors
    /// A field that is out of its range.
    pub fn terms(&self, least_requests: Option<u32>) -> Result<Terms, TermsError> {
        let thousandth = Decimal::thousandths;
        let alpha = self.alpha.unwrap_or(thousandth(10));
        let ratio = self.ratio.unwrap_or(thousandth(1200));
        let margin = self.margin.unwrap_or(thousandth(1));
        let noise = self.dispersion.map_or(Noise::Learned, Noise::AtMost);
        let least = least_requests.unwrap_or(LEAST_REQUESTS).into();
        Terms::new(alpha, (ratio, margin), least, noise)
    }
}
