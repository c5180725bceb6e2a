//! From an answer and its judgement to the measurement that the status keeps: bounded in size,
//! without a float. Decides nothing.

use crds::RolloutStatus;
use crds::status::GateStatus;
use gate::answer::{Data, Series};
use gate::history::{Measurement, Requests, Value, cut};
use gate::verdict::{Asked, Reason};
use gate::{Answer, Counts, Judgement, Look};

use crate::action::Ask;
use crate::observed::Answered;

/// More of a query is not kept: what a Rollout may write, and less than all pods of a large one
/// make of it.
const QUERY_CHARS_MAX: usize = 4000;
/// More of a sentence, or of a label's value, is not kept.
const WORDS_CHARS_MAX: usize = 300;
/// More series are not kept.
const SERIES_MAX: usize = 5;

/// What was measured from `before` to `after`, and the gate that did.
pub fn between<'a>(
    before: &RolloutStatus,
    after: &'a RolloutStatus,
) -> impl Iterator<Item = (&'a GateStatus, &'a Measurement)> {
    let all = after.gates.iter().flat_map(move |gate| {
        let known = before.gates.iter().find(|old| {
            let same = |gate: &GateStatus| (gate.batch, gate.measured.since());
            old.name == gate.name && same(old) == same(gate)
        });
        let known = known.and_then(|old| Some(old.measured.last().last()?.at));
        let fresh = move |one: &&Measurement| known.is_none_or(|known| one.at > known);
        gate.measured.last().iter().filter(fresh).map(move |one| (gate, one))
    });
    all.collect::<Vec<_>>().into_iter()
}

/// What is kept.
pub(crate) fn measurement(answered: &Answered, judgement: &Judgement) -> Measurement {
    let Answered { ask, asked, requests, .. } = answered;
    Measurement {
        values: asked.as_ref().map(values).unwrap_or_default(),
        requests: ask.requests.as_deref().map(|query| counted(query, requests.as_ref())),
        ..reasoned(ask, &judgement.reason)
    }
}

/// How many requests there were, if that is one number.
fn counted(query: &str, asked: Option<&Asked>) -> Requests {
    let values = asked.and_then(|asked| asked.as_ref().ok()).map(values);
    let value = values.filter(|values| values.len() == 1).and_then(|mut values| values.pop());
    Requests { query: cut(query, QUERY_CHARS_MAX), value: value.map(|value| value.value) }
}

/// What is kept of a comparison: the counts of the look, where there was one.
pub(crate) fn compared(ask: &Ask, look: Option<&Look>, reason: &Reason) -> Measurement {
    let values = look.map(counts).unwrap_or_default();
    Measurement { values, ..reasoned(ask, reason) }
}

/// What is kept of a measurement without values.
pub(crate) fn reasoned(ask: &Ask, reason: &Reason) -> Measurement {
    Measurement {
        at: ask.at,
        verdict: reason.verdict(),
        reason: reason.word().into(),
        told: cut(&reason.to_string(), WORDS_CHARS_MAX),
        query: cut(&ask.query, QUERY_CHARS_MAX),
        values: Vec::new(),
        requests: None,
    }
}

fn counts(look: &Look) -> Vec<Value> {
    let (new, stable) = look.sums();
    let value = |version: &str, what: &str, count: u64| {
        let labels = [("version", version), ("counts", what)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Value { value: count.to_string(), labels: labels.into() }
    };
    let both = [("new", new), ("stable", stable)].into_iter();
    let of = |(version, counts): (&str, Counts)| {
        [value(version, "bad", counts.errors()), value(version, "requests", counts.requests())]
    };
    both.flat_map(of).collect()
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
