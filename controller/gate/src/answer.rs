//! What Prometheus answered: the body of `/api/v1/query`, read into types. Owns the parsing, of
//! any bytes whatever; judges nothing.

mod wire;

use std::collections::BTreeMap;

use jiff::Timestamp;

/// A longer body is not read.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Of a message that Prometheus sent only so many characters are kept.
const MESSAGE_CHARS_MAX: usize = 500;

/// A value at a moment. The moment is that of the evaluation, not that of the scrape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Any double, NaN and the infinities included.
    pub value: f64,
    /// When it was so.
    pub at: Timestamp,
}

/// A sample and what it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Labels by name; `__name__` is the metric's.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub sample: Sample,
}

/// What a query gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// One number without labels.
    Scalar(Sample),
    /// Any number of series, none included.
    Vector(Vec<Series>),
}

/// An answer that could be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What the query gave.
    pub data: Data,
    /// The data may be incomplete, and why.
    pub warnings: Vec<String>,
    /// Remarks on the query; the data is complete.
    pub infos: Vec<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Prometheus refused the query.
    #[error("Prometheus says {kind}: {message}")]
    Refused {
        /// Its errorType, such as `bad_data`.
        kind: String,
        /// Its own words.
        message: String,
    },
    /// Not what Prometheus writes.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// Too large to be read.
    #[error("the answer has {0} bytes, more than 1 MiB: aggregate in the query, such as sum(...)")]
    TooLarge(usize),
    /// A range or a text.
    #[error("the query gives a {0}, not one number: leave the range out or aggregate over it")]
    ResultType(String),
    /// A series of native histograms.
    #[error("the query gives a histogram, not a number: use histogram_quantile or a fraction")]
    Histogram,
    /// A value that is none.
    #[error("{0:?} is no sample value")]
    Value(String),
    /// A time out of all calendars.
    #[error("{0} is no time of a sample")]
    Time(String),
}

impl AnswerError {
    /// A stable CamelCase word.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "QueryRefused",
            Self::Unreadable(_) => "AnswerUnreadable",
            Self::TooLarge(_) => "AnswerTooLarge",
            Self::ResultType(_) | Self::Histogram => "WrongResultType",
            Self::Value(_) | Self::Time(_) => "BadSample",
        }
    }
}

/// Reads the body of an answer, whatever its HTTP status was.
///
/// # Errors
/// Prometheus refused the query, or the body is not one number or a set of them.
pub fn parse(body: &[u8]) -> Result<Answer, AnswerError> {
    if body.len() > BODY_BYTES_MAX {
        return Err(AnswerError::TooLarge(body.len()));
    }
    let body: wire::Body = serde_json::from_slice(body)
        .map_err(|error| AnswerError::Unreadable(shortened(&error.to_string())))?;
    let data = match (body.status.as_str(), body.error, body.data) {
        ("success", None, Some(data)) => data.read()?,
        ("error", error, _) => {
            return Err(AnswerError::Refused {
                kind: shortened(&body.error_type.unwrap_or_default()),
                message: shortened(&error.unwrap_or_default()),
            });
        }
        (status, error, _) => {
            let with = error.map_or("no data".to_owned(), |error| format!("error {error:?}"));
            let wrong = format!("status {status:?} with {with}");
            return Err(AnswerError::Unreadable(shortened(&wrong)));
        }
    };
    let mut warnings = remarks(body.warnings);
    if body.is_partial {
        warnings.push("the answer is partial".into());
    }
    Ok(Answer { data, warnings, infos: remarks(body.infos) })
}

fn remarks(list: Option<Vec<String>>) -> Vec<String> {
    list.unwrap_or_default().iter().map(|remark| shortened(remark)).collect()
}

fn shortened(text: &str) -> String {
    text.chars().take(MESSAGE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
