//! Why a measurement was judged as it was: the verdict, a stable word and a sentence of each
//! reason. Owns that every reason has exactly one verdict.

use std::fmt;

use jiff::SignedDuration;

use super::{Bound, Trouble, Verdict};
use crate::Decimal;
use crate::compare::{CountsError, Finding};
use crate::hook::HookFinding;

/// Why.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// Pass.
    Within {
        /// What was measured.
        value: f64,
        /// What it is within.
        bound: Bound,
    },
    /// Fail.
    AboveMax {
        /// What was measured.
        value: f64,
        /// The largest acceptable value.
        max: Decimal,
    },
    /// Fail.
    BelowMin {
        /// What was measured.
        value: f64,
        /// The smallest acceptable value.
        min: Decimal,
    },
    /// Unknown: no series.
    NoData,
    /// Unknown: as 0 / 0 is.
    NotANumber,
    /// Unknown: older than the window.
    Stale {
        /// How old.
        age: SignedDuration,
        /// How old it may be.
        window: SignedDuration,
    },
    /// Unknown: of the future, by more than the window.
    Ahead {
        /// By how much.
        by: SignedDuration,
    },
    /// Unknown: Prometheus warns that the data may be incomplete.
    Partial {
        /// Its first warning.
        warning: String,
    },
    /// Unknown: too few requests.
    FewRequests {
        /// How many there were.
        requests: f64,
        /// How many are needed.
        least: u64,
    },
    /// Unknown: nobody asked how many requests there were.
    RequestsUnasked,
    /// As the reason within, on the count of requests.
    Requests(Box<Reason>),
    /// By its finding: a comparison with stable.
    Compared(Finding),
    /// By its finding: the answer to a hook.
    Hook(HookFinding),
    /// Unknown: without requests of both versions nothing can be compared.
    Silent {
        /// The one without.
        version: &'static str,
    },
    /// Error: a comparison needs a sample for each pod.
    NotByPod {
        /// The label that should hold its name.
        label: String,
    },
    /// Error: the samples are no counts of requests.
    NoCounts(CountsError),
    /// Error: an infinity.
    Infinite {
        /// Which one.
        value: f64,
    },
    /// Error: one bound, several values.
    SeveralSeries {
        /// How many.
        count: usize,
    },
    /// Error: no answer, or none that can be read.
    Trouble(Trouble),
}

impl Reason {
    /// What follows.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Within { .. } => Verdict::Pass,
            Self::AboveMax { .. } | Self::BelowMin { .. } => Verdict::Fail,
            Self::Compared(finding) => finding.verdict(),
            Self::Hook(finding) => finding.verdict(),
            Self::NoData
            | Self::Silent { .. }
            | Self::NotANumber
            | Self::Stale { .. }
            | Self::Ahead { .. }
            | Self::Partial { .. }
            | Self::FewRequests { .. }
            | Self::RequestsUnasked => Verdict::Unknown,
            Self::Requests(reason) => match reason.verdict() {
                Verdict::Error => Verdict::Error,
                Verdict::Pass | Verdict::Fail | Verdict::Unknown | Verdict::Pending => {
                    Verdict::Unknown
                }
            },
            Self::NotByPod { .. }
            | Self::NoCounts(_)
            | Self::Infinite { .. }
            | Self::SeveralSeries { .. }
            | Self::Trouble(_) => Verdict::Error,
        }
    }

    /// A stable CamelCase word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Within { .. } => "WithinBound",
            Self::AboveMax { .. } => "AboveMax",
            Self::BelowMin { .. } => "BelowMin",
            Self::NoData => "NoData",
            Self::NotANumber => "NotANumber",
            Self::Stale { .. } => "Stale",
            Self::Ahead { .. } => "AheadOfClock",
            Self::Partial { .. } => "Partial",
            Self::FewRequests { .. } => "FewRequests",
            Self::RequestsUnasked => "RequestsUnasked",
            Self::Requests(reason) => reason.word(),
            Self::Compared(Finding::Worse { .. }) => "Worse",
            Self::Compared(Finding::NotWorse { .. }) => "NotWorse",
            Self::Compared(Finding::TooFew { .. }) => "FewRequests",
            Self::Hook(finding) => finding.word(),
            Self::Silent { .. } => "NoRequests",
            Self::NotByPod { .. } => "NotByPod",
            Self::NoCounts(_) => "NoCounts",
            Self::Infinite { .. } => "Infinite",
            Self::SeveralSeries { .. } => "SeveralSeries",
            Self::Trouble(Trouble::Unreachable(_)) => "Unreachable",
            Self::Trouble(Trouble::Unasked(_)) => "Unasked",
            Self::Trouble(Trouble::Queued(_)) => "Queued",
            Self::Trouble(Trouble::Answer(error)) => error.reason(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within { value, bound } => {
                let bounds = [bound.max(), bound.min()];
                write!(f, "{} is within {bound}", short(*value, &bounds))
            }
            Self::AboveMax { value, max } => {
                write!(f, "{} is above max {max}", short(*value, &[Some(*max)]))
            }
            Self::BelowMin { value, min } => {
                write!(f, "{} is below min {min}", short(*value, &[Some(*min)]))
            }
            Self::NoData => f.write_str("the query gives no series"),
            Self::NotANumber => f.write_str("the query gives NaN, as 0 / 0 does"),
            Self::Stale { age, window } => {
                let (age, window) = (age.as_secs(), window.as_secs());
                write!(f, "the sample is {age} s old, older than the window of {window} s")
            }
            Self::Ahead { by } => write!(f, "the sample is {} s ahead of our clock", by.as_secs()),
            Self::Partial { warning } => write!(f, "Prometheus warns: {warning}"),
            Self::FewRequests { requests, least } => {
                write!(f, "{requests} requests in the window, and {least} are needed")
            }
            Self::RequestsUnasked => {
                f.write_str("a least number of requests is asked for, and no query counts them")
            }
            Self::Requests(reason) => write!(f, "counting requests: {reason}"),
            Self::Compared(finding) => f.write_str(finding.told()),
            Self::Hook(finding) => finding.fmt(f),
            Self::Silent { version } => {
                write!(f, "the {version} version had no requests, so that nothing is compared")
            }
            Self::NotByPod { label } => {
                write!(
                    f,
                    "the counts have no label {label:?} of one pod each: name the pod's label"
                )
            }
            Self::NoCounts(error) => error.fmt(f),
            Self::Infinite { value } => {
                write!(f, "the query gives {value}, which no bound judges: it divides by 0")?;
                // No quantile comes out as -inf.
                let above = if *value > 0.0 {
                    ", or the quantile lies above the highest bucket"
                } else {
                    ""
                };
                f.write_str(above)
            }
            Self::SeveralSeries { count } => {
                write!(f, "the query gives {count} series, not one: aggregate, such as sum(...)")
            }
            Self::Trouble(trouble) => trouble.fmt(f),
        }
    }
}

/// Four digits of a value are enough for people, unless they would stand on the other side of a
/// bound.
fn short(value: f64, bounds: &[Option<Decimal>]) -> String {
    let text = format!("{value:.3e}");
    let rounded: f64 = text.parse().unwrap_or(value);
    let alike = bounds.iter().flatten().all(|bound| bound.order(rounded) == bound.order(value));
    if alike { rounded.to_string() } else { value.to_string() }
}
