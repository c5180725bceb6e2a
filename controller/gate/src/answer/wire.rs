//! The JSON of Prometheus' answers. Owns its shape and the reading of single samples.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{AnswerError, Data, Sample, Series, shortened};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    pub status: String,
    pub data: Option<RawData>,
    pub error_type: Option<String>,
    pub error: Option<String>,
    pub warnings: Option<Vec<String>>,
    pub infos: Option<Vec<String>>,
    /// What VictoriaMetrics says instead of warning.
    #[serde(default)]
    pub is_partial: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawData {
    result_type: String,
    result: Box<RawValue>,
}

#[derive(Deserialize)]
struct RawSeries {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: Option<RawSample>,
    histogram: Option<serde::de::IgnoredAny>,
}

/// Seconds since 1970 and a text.
#[derive(Deserialize)]
struct RawSample(f64, String);

impl RawData {
    pub fn read(self) -> Result<Data, AnswerError> {
        match self.result_type.as_str() {
            "scalar" => Ok(Data::Scalar(json::<RawSample>(&self.result)?.read()?)),
            "vector" => {
                let all = json::<Vec<RawSeries>>(&self.result)?;
                Ok(Data::Vector(all.into_iter().map(RawSeries::read).collect::<Result<_, _>>()?))
            }
            other => Err(AnswerError::ResultType(shortened(other))),
        }
    }
}

fn json<'de, T: Deserialize<'de>>(raw: &'de RawValue) -> Result<T, AnswerError> {
    serde_json::from_str(raw.get())
        .map_err(|error| AnswerError::Unreadable(shortened(&error.to_string())))
}

impl RawSeries {
    fn read(self) -> Result<Series, AnswerError> {
        match (self.value, self.histogram) {
            (_, Some(_)) => Err(AnswerError::Histogram),
            (Some(value), None) => Ok(Series { labels: self.metric, sample: value.read()? }),
            (None, None) => Err(AnswerError::Unreadable("a series without a value".into())),
        }
    }
}

impl RawSample {
    fn read(self) -> Result<Sample, AnswerError> {
        let Self(seconds, text) = self;
        let value = number(&text).ok_or_else(|| AnswerError::Value(shortened(&text)))?;
        let wrong = || AnswerError::Time(seconds.to_string());
        let millis = (seconds * 1000.0).round();
        if !(-1e15..=1e15).contains(&millis) {
            return Err(wrong());
        }
        #[expect(clippy::cast_possible_truncation, reason = "within 2^53")]
        let at = Timestamp::from_millisecond(millis as i64).map_err(|_| wrong())?;
        Ok(Sample { value, at })
    }
}

/// As Prometheus prints doubles; a number too large for one is none.
fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        _ => {
            let known = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
            let number = text.bytes().all(known).then(|| text.parse().ok()).flatten();
            number.filter(|number: &f64| number.is_finite())
        }
    }
}
