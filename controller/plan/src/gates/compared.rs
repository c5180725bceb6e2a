//! A gate that compares with stable: which counts it asks for, of which interval, and what the
//! answers add to its evidence. The test itself is the `gate` crate's.
//!
//! The evidence is of the whole release: it goes from batch to batch in the status, so that a
//! controller that starts anew goes on where the last one was. A request counts once: each
//! interval begins where the one before it ended, and an answer about any other is left out.

use std::time::Duration;

use crds::Gate;
use crds::gates::{Counts, PrometheusGate};
use crds::status::{Comparison, GateStatus};
use gate::Look;
use gate::compare::{Counted, Evidence, Finding, Pods};
use gate::history::Measurement;
use gate::query::{RenderError, Values};
use gate::verdict::Reason;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::unasked::Unasked;
use super::{About, Judged};
use crate::action::{Ask, Both};
use crate::measured::compared;
use crate::observed::{Answered, Past};

/// So many intervals of before the release show how noisy stable's counts are.
const PAST: i64 = 20;

/// What a look is to cover.
pub(super) struct Interval {
    /// Where it begins.
    pub(super) from: Timestamp,
    /// When the batch's pods were ready.
    pub(super) since: Timestamp,
    /// The present.
    pub(super) at: Timestamp,
}

/// No pods are left to compare with.
pub(super) fn is_over(gate: &Gate, batch: &Judged) -> bool {
    gate.compares() && batch.index >= batch.count
}

/// What was found so far. Whoever let a version go on that had been found worse has overruled
/// that: a new start of the gate begins anew.
pub(super) fn carried(old: Option<&GateStatus>, same_start: bool) -> Option<Comparison> {
    let comparison = old?.comparison.clone()?;
    let evidence = Evidence::from_text(&comparison.evidence);
    let overruled =
        || evidence.is_some_and(|evidence| matches!(evidence.finding(), Finding::Worse { .. }));
    (same_start || !overruled()).then_some(comparison)
}

/// The question about an interval.
pub(super) fn question(
    counts: &Counts,
    begun: Option<&Comparison>,
    interval: &Interval,
    about: &About,
    ask: Ask,
) -> Result<Ask, Unasked> {
    let pods = Pods {
        new: about.values.pods.iter().cloned().collect(),
        stable: about.stable_pods.iter().cloned().collect(),
    };
    if pods.new.is_empty() {
        return Err(RenderError::NoPods.into());
    }
    if pods.stable.is_empty() {
        return Err(Unasked::NoStablePods);
    }
    let until = whole_seconds(interval.at);
    let span = Duration::try_from(until.duration_since(interval.from)).unwrap_or_default();
    let window = span.min(ask.window);
    let pods_of_both = pods.new.iter().chain(&pods.stable).cloned().collect();
    let values = Values { window, pods: pods_of_both, ..about.values.clone() };
    let past = match evidence(begun, counts).is_fresh() {
        true => past(interval.since, window),
        false => Vec::new(),
    };
    Ok(Ask {
        query: counts.queries.errors.render(&values)?,
        requests: Some(counts.queries.requests.render(&values)?),
        window,
        both: Some(Both { until, pods, past }),
        ..ask
    })
}

/// The ends of intervals of before the release, oldest first, each as long as the look.
fn past(since: Timestamp, window: Duration) -> Vec<Timestamp> {
    let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
    let at = |number: i64| {
        let back = window.checked_mul(i32::try_from(number).unwrap_or(i32::MAX))?;
        since.checked_sub(back).ok()
    };
    (0..PAST).rev().filter_map(at).collect()
}

/// Takes an answer into the evidence, and says what follows from all of it.
pub(super) fn take(
    prometheus: &PrometheusGate,
    comparison: &mut Option<Comparison>,
    answered: &Answered,
    both: &Both,
) -> Option<Measurement> {
    let ask = &answered.ask;
    let counts = prometheus.counts()?.ok()?;
    let begins = both.until.checked_sub(SignedDuration::try_from(ask.window).ok()?).ok()?;
    if comparison.as_ref().is_some_and(|kept| begins < kept.until.0) {
        return None;
    }
    let counted = Counted {
        errors: &answered.asked,
        requests: answered.requests.as_ref()?,
        label: &counts.pod_label,
        pods: &both.pods,
        window: ask.window,
    };
    let look = match counted.look(both.until).and_then(Look::of_both) {
        Ok(look) => look,
        Err(reason) => return Some(compared(ask, None, &reason)),
    };
    let mut evidence = evidence(comparison.as_ref(), &counts);
    if evidence.is_fresh() {
        evidence = evidence.with_past(&looks_of(&answered.past, counted));
    }
    evidence.add(&look);
    let measured = compared(ask, Some(&look), &Reason::Compared(evidence.finding()));
    *comparison = Some(Comparison {
        until: Time(both.until),
        counts: counts.queries.errors.text().to_owned(),
        evidence: evidence.to_text(),
    });
    Some(measured)
}

/// The stable pods' counts of the past, as far as there are any.
fn looks_of(past: &[Past], counted: Counted<'_>) -> Vec<Vec<gate::Counts>> {
    let look = |past: &Past| {
        let counted = Counted { errors: &past.asked, requests: &past.requests, ..counted };
        counted.look(past.at).ok().map(|look| look.stable)
    };
    past.iter().filter_map(look).collect()
}

/// What was found of these counts on these terms; none where there is nothing of them yet.
fn evidence(begun: Option<&Comparison>, counts: &Counts) -> Evidence {
    let same = begun.filter(|kept| kept.counts == counts.queries.errors.text());
    let found = same.and_then(|kept| Evidence::from_text(&kept.evidence));
    let found = found.filter(|found| *found.terms() == counts.terms);
    found.unwrap_or_else(|| Evidence::new(counts.terms.clone()))
}

/// Prometheus is asked about whole seconds.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
