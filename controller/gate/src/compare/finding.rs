//! What a comparison has found, and the one sentence that says it with its numbers.

use super::factor::float;
use super::{Counts, Terms};
use crate::Verdict;

/// What the looks so far say of the new version.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// It is worse than is acceptable.
    Worse {
        /// The stake, of which 1 / alpha was needed.
        evidence: f64,
        /// One sentence.
        told: String,
    },
    /// It was not found to be worse, in requests enough. That is no proof that it is not.
    NotWorse {
        /// The largest that the stake has been.
        evidence: f64,
        /// One sentence.
        told: String,
    },
    /// Too few requests to say anything.
    TooFew {
        /// One sentence.
        told: String,
    },
}

impl Finding {
    /// What it means for a gate.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Worse { .. } => Verdict::Fail,
            Self::NotWorse { .. } => Verdict::Pass,
            Self::TooFew { .. } => Verdict::Unknown,
        }
    }

    /// One sentence with its numbers.
    #[must_use]
    pub fn told(&self) -> &str {
        match self {
            Self::Worse { told, .. } | Self::NotWorse { told, .. } | Self::TooFew { told } => told,
        }
    }
}

/// The numbers in one sentence.
pub(super) fn sentence(
    terms: &Terms,
    (new, stable): (Counts, Counts),
    looks: u64,
    evidence: f64,
) -> String {
    let shares = format!("new {}, stable {}", share(new), share(stable));
    let times = if looks == 1 { "1 look".to_owned() } else { format!("{looks} looks") };
    if stable.requests() == 0 {
        return format!("{shares} after {times}: there is nothing to compare with");
    }
    let (bound, needed) = (terms.bound(), terms.needed());
    let found = evidence_text(evidence);
    let proof = format!("evidence {found} of {needed:.0} that it is worse than {bound}");
    let least = terms.least_requests();
    if new.requests() < least && evidence < needed {
        return format!("{shares} after {times}: {proof}, and {least} requests are needed");
    }
    format!("{shares} after {times}: {proof}")
}

/// Beyond a million it says no more.
fn evidence_text(evidence: f64) -> String {
    if evidence > 1e6 { "over 1000000".into() } else { format!("{evidence:.1}") }
}

/// Errors, requests and their share.
fn share(counts: Counts) -> String {
    let (errors, requests) = (counts.errors(), counts.requests());
    if requests == 0 {
        return "0 requests".into();
    }
    let percent = 100.0 * float(errors) / float(requests);
    format!("{errors} of {requests} requests ({percent:.2}%)")
}
