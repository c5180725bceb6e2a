//! The verdict on one measurement: what an answer means under a bound. Owns when a sample counts
//! at all. Neither Unknown nor Error is ever a pass, and neither is a fail.

mod bound;
mod reason;

use std::cmp::Ordering;
use std::fmt::Display;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bound::{Bound, BoundError};
pub use reason::Reason;

use crate::answer::{self, Answer, AnswerError, Data, Sample};

/// What one measurement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// Real samples, within the bound.
    Pass,
    /// Real samples, out of the bound.
    Fail,
    /// No samples to judge by, or doubtful ones.
    Unknown,
    /// Nothing that could be judged: a wrong query, a broken answer, no answer.
    Error,
    /// A proper answer that there is no verdict yet. It counts for nothing and is waited for.
    Pending,
}

/// How one measurement is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What is acceptable.
    pub bound: Bound,
    /// Fewer requests within the window say nothing; 0 asks for none.
    pub least_requests: u64,
    /// How far back the query looked. An older sample is stale.
    pub window: Duration,
}

/// Why there is no answer to judge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No answer came: no connection, a time-out, an HTTP status without a body.
    #[error("Prometheus does not answer: {0}")]
    Unreachable(String),
    /// There is nobody to ask, or nothing to prove who asks.
    #[error("nobody was asked: {0}")]
    Unasked(String),
    /// Others were before it for longer than the gate's interval.
    #[error("it was not asked: {0}")]
    Queued(String),
    /// One came that is none.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// An answer, or why there is none.
pub type Asked = Result<Answer, Trouble>;

/// Reads what an HTTP server answered, with its status. What is no answer of Prometheus is told by
/// its status.
///
/// # Errors
/// It is none.
pub fn read(success: bool, status: impl Display, body: &[u8]) -> Asked {
    match answer::parse(body) {
        Ok(_) | Err(AnswerError::Unreadable(_)) if !success => {
            Err(Trouble::Unreachable(format!("HTTP {status}")))
        }
        parsed => Ok(parsed?),
    }
}

/// A reason, and the verdict that follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Why.
    pub reason: Reason,
    /// The value that was judged, where there was one.
    pub value: Option<f64>,
}

impl Judgement {
    /// What follows.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.reason.verdict()
    }
}

/// Judges one measurement. `requests` is the answer to how many requests there were in the same
/// window, where the rules ask for some.
#[must_use]
pub fn judge(rules: &Rules, asked: &Asked, requests: Option<&Asked>, now: Timestamp) -> Judgement {
    let sample = match sound(asked, rules.window, now) {
        Ok(sample) => sample,
        Err(reason) => return Judgement { reason, value: None },
    };
    let enough = if rules.least_requests == 0 {
        Ok(())
    } else {
        requests.map_or(Err(Reason::RequestsUnasked), |requests| enough(rules, requests, now))
    };
    let reason = enough.map_or_else(|reason| reason, |()| compare(rules.bound, sample.value));
    Judgement { reason, value: Some(sample.value) }
}

/// The one sample of an answer, if it can be judged by. What is broken comes before what is
/// missing, and what is missing before what is doubtful.
fn sound(asked: &Asked, window: Duration, now: Timestamp) -> Result<Sample, Reason> {
    let answer = asked.as_ref().map_err(|trouble| Reason::Trouble(trouble.clone()))?;
    let sample = single(&answer.data)?;
    if let Some(sample) = sample.filter(|sample| sample.value.is_infinite()) {
        return Err(Reason::Infinite { value: sample.value });
    }
    if let Some(warning) = answer.warnings.first() {
        return Err(Reason::Partial { warning: warning.clone() });
    }
    let sample = sample.ok_or(Reason::NoData)?;
    if sample.value.is_nan() {
        return Err(Reason::NotANumber);
    }
    fresh(sample, window, now)?;
    Ok(sample)
}

fn single(data: &Data) -> Result<Option<Sample>, Reason> {
    match data {
        Data::Scalar(sample) => Ok(Some(*sample)),
        Data::Vector(series) => match series.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.sample)),
            several => Err(Reason::SeveralSeries { count: several.len() }),
        },
    }
}

/// Neither older than the window nor as far ahead of the clock.
pub(crate) fn fresh(sample: Sample, window: Duration, now: Timestamp) -> Result<(), Reason> {
    let age = now.duration_since(sample.at);
    let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
    if age > window {
        return Err(Reason::Stale { age, window });
    }
    if age < -window {
        return Err(Reason::Ahead { by: -age });
    }
    Ok(())
}

fn enough(rules: &Rules, requests: &Asked, now: Timestamp) -> Result<(), Reason> {
    let sample =
        sound(requests, rules.window, now).map_err(|reason| Reason::Requests(Box::new(reason)))?;
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
    let least = rules.least_requests as f64;
    if sample.value < least {
        return Err(Reason::FewRequests { requests: sample.value, least: rules.least_requests });
    }
    Ok(())
}

/// On the bound is within it.
fn compare(bound: Bound, value: f64) -> Reason {
    match (bound.max(), bound.min()) {
        (Some(max), _) if max.order(value) == Some(Ordering::Greater) => {
            Reason::AboveMax { value, max }
        }
        (_, Some(min)) if min.order(value) == Some(Ordering::Less) => {
            Reason::BelowMin { value, min }
        }
        _ => Reason::Within { value, bound },
    }
}

#[cfg(test)]
mod tests;
