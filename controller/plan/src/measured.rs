//! From an answer and its judgement to the measurement that the status keeps: bounded in size,
//! without a float. Decides nothing.

use gate::answer::{Data, Series};
use gate::history::{Measurement, Value};
use gate::verdict::Asked;
use gate::{Answer, Judgement};

use crate::action::Ask;

/// More of a query is not kept.
const QUERY_CHARS_MAX: usize = 1000;
/// More of a sentence, or of a label's value, is not kept.
const WORDS_CHARS_MAX: usize = 300;
/// More series are not kept.
const SERIES_MAX: usize = 5;

/// What is kept.
pub(crate) fn measurement(ask: &Ask, asked: &Asked, judgement: &Judgement) -> Measurement {
    Measurement {
        at: ask.at,
        verdict: judgement.verdict(),
        reason: judgement.reason.word().into(),
        told: cut(&judgement.reason.to_string(), WORDS_CHARS_MAX),
        query: cut(&ask.query, QUERY_CHARS_MAX),
        values: asked.as_ref().map(values).unwrap_or_default(),
    }
}

fn values(answer: &Answer) -> Vec<Value> {
    match &answer.data {
        Data::Scalar(sample) => {
            vec![Value { value: sample.value.to_string(), labels: Default::default() }]
        }
        Data::Vector(series) => series.iter().take(SERIES_MAX).map(value).collect(),
    }
}

fn value(series: &Series) -> Value {
    let labels = series.labels.iter();
    let labels =
        labels.map(|(name, value)| (cut(name, WORDS_CHARS_MAX), cut(value, WORDS_CHARS_MAX)));
    Value { value: series.sample.value.to_string(), labels: labels.collect() }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
