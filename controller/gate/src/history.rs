//! The measurements of one gate in one batch: when the next is due, and what they come to. Owns
//! the counting; judges no sample and reads no clock.

mod measurement;
mod state;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use measurement::{Measurement, Requests, Value, cut};
pub use state::{Effect, State};

use crate::Verdict;

/// So many measurements are kept to be shown. The counts are of all.
pub const KEPT_MAX: usize = 10;

/// How a gate measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// From one measurement to the next.
    pub interval: Duration,
    /// So many passes let the batch pass.
    pub count: u32,
    /// So long after the batch took traffic its first interval begins.
    pub initial_delay: Duration,
    /// So many fails in the whole batch are let go; one more fails it.
    pub failed_limit: u32,
    /// So many Unknown in a row, without a proper answer between, are waited for.
    pub unknown_limit: u32,
    /// So many Errors in a row, likewise.
    pub error_limit: u32,
    /// What follows beyond the last two limits.
    pub on_unknown: OnUnknown,
    /// It measures on after it passed, and can fail then.
    pub background: bool,
    /// It measures and decides nothing.
    pub dry_run: bool,
    /// A bake ends at this moment: one measurement is due then, and without a pass of then or
    /// later the bake does not end.
    pub until: Option<Timestamp>,
}

/// What follows when a gate could not be judged for too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnUnknown {
    /// The batch stays as it is.
    #[default]
    Pause,
    /// The release is taken back.
    Abort,
}

/// What was measured in this batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// When the batch took traffic.
    since: Timestamp,
    #[serde(flatten)]
    tally: Tally,
    /// The last measurements, oldest first.
    last: Vec<Measurement>,
}

/// How many measurements came to what. They are of all measurements, not of the kept ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// In the whole batch.
    pub passed: u32,
    /// In the whole batch.
    pub failed: u32,
    /// In a row, without a proper answer between.
    pub unknown: u32,
    /// In a row, likewise.
    pub errors: u32,
    /// How often it was measured in the whole batch, whatever came.
    #[serde(default)]
    pub attempts: u32,
}

impl Tally {
    fn add(&mut self, verdict: Verdict) {
        self.attempts = self.attempts.saturating_add(1);
        if matches!(verdict, Verdict::Pass | Verdict::Fail | Verdict::Pending) {
            (self.unknown, self.errors) = (0, 0);
        }
        let count = match verdict {
            Verdict::Pass => &mut self.passed,
            Verdict::Fail => &mut self.failed,
            Verdict::Unknown => &mut self.unknown,
            Verdict::Error => &mut self.errors,
            Verdict::Pending => return,
        };
        *count = count.saturating_add(1);
    }
}

impl History {
    /// Of a batch that took traffic at this moment.
    #[must_use]
    pub fn new(since: Timestamp) -> Self {
        Self { since, tally: Tally::default(), last: Vec::new() }
    }

    /// When the batch took traffic.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// The counts so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The last measurements, oldest first.
    #[must_use]
    pub fn last(&self) -> &[Measurement] {
        &self.last
    }

    /// How far back a query may look at this moment: never to before the batch took traffic, so
    /// that old samples do not thin out new ones.
    #[must_use]
    pub fn window(&self, longest: Duration, now: Timestamp) -> Duration {
        let past = Duration::try_from(now.duration_since(self.since)).unwrap_or_default();
        past.min(longest)
    }

    /// A measurement of this moment would be counted.
    #[must_use]
    pub fn is_new(&self, at: Timestamp) -> bool {
        at > self.last.last().map_or(self.since, |last| last.at)
    }

    /// Counts one more measurement; of those before it the queries need not be kept in full. One of
    /// before this batch, or not later than the last, is left out: an answer that came late, or
    /// twice.
    pub fn record(&mut self, measurement: Measurement) {
        if !self.is_new(measurement.at) {
            return;
        }
        self.tally.add(measurement.verdict);
        // Days of "not yet" leave what came before them to be seen.
        if measurement.verdict == Verdict::Pending {
            self.last.pop_if(|last| last.verdict == Verdict::Pending);
        }
        self.last.iter_mut().for_each(Measurement::shorten);
        self.last.push(measurement);
        self.drop_oldest();
    }

    fn drop_oldest(&mut self) {
        let beyond = self.last.len().saturating_sub(KEPT_MAX);
        self.last.drain(..beyond);
    }

    /// Where the gate stands. What failed has failed, whatever else is the case.
    #[must_use]
    pub fn state(&self, course: &Course, now: Timestamp) -> State {
        let (next, tally) = (self.next(course), self.tally);
        if tally.failed > course.failed_limit {
            return State::Failed { told: self.told(Verdict::Fail, tally.failed) };
        }
        if tally.errors > course.error_limit {
            let told = self.told(Verdict::Error, tally.errors);
            return State::ErrorLimit { follows: course.on_unknown, next, told };
        }
        if tally.unknown > course.unknown_limit {
            let told = self.told(Verdict::Unknown, tally.unknown);
            return State::UnknownLimit { follows: course.on_unknown, next, told };
        }
        if tally.passed >= course.count.max(1) {
            return match self.doubt(course, now) {
                Some(told) => State::Doubtful { next, told },
                None => State::Passed { next: course.background.then_some(next) },
            };
        }
        if self.last.is_empty() && now < next {
            return State::Waiting { until: next };
        }
        State::Measuring { next, passed: tally.passed, count: course.count.max(1) }
    }

    /// Why passes of before are not enough: nobody knows how the version is now.
    fn doubt(&self, course: &Course, now: Timestamp) -> Option<String> {
        let Some(last) = self.last.last() else { return Some("nothing is kept".to_owned()) };
        if last.verdict != Verdict::Pass {
            let (what, words) = (last.verdict, &last.told);
            return Some(format!("passed, but the last measurement is {what:?}: {words}"));
        }
        let until = course.until.filter(|until| now >= *until && last.at < *until)?;
        Some(format!("passed, and is not measured yet at the end of the bake time, {until:.0}"))
    }

    /// The next measurement: of the schedule, or that at the end of a bake.
    fn next(&self, course: &Course) -> Timestamp {
        let next = self.scheduled(course);
        let measured = self.last.last().map(|last| last.at);
        match (course.until, measured) {
            (Some(until), Some(at)) if at < until => next.min(until),
            _ => next,
        }
    }

    /// The first moment of the schedule after the last measurement. The schedule begins with the
    /// batch, one interval after the delay, and does not drift; missed moments are left out.
    fn scheduled(&self, course: &Course) -> Timestamp {
        let interval = signed(course.interval).max(SignedDuration::from_millis(1));
        let first = later(later(self.since, signed(course.initial_delay)), interval);
        let Some(last) = self.last.last().filter(|last| last.at >= first) else { return first };
        let past = last.at.duration_since(first).as_millis() / interval.as_millis().max(1) + 1;
        let past = i64::try_from(past.saturating_mul(interval.as_millis())).unwrap_or(i64::MAX);
        later(first, SignedDuration::from_millis(past))
    }

    /// What is waited for in the words of the last answer, if that says "not yet".
    #[must_use]
    pub fn pending(&self) -> Option<&str> {
        let last = self.last.last().filter(|last| last.verdict == Verdict::Pending);
        last.map(|last| last.told.as_str())
    }

    /// How many, and the last of them in its own words.
    fn told(&self, verdict: Verdict, times: u32) -> String {
        let of = self.last.iter().rev().find(|one| one.verdict == verdict);
        let words = of.map_or("", |one| one.told.as_str());
        let what = match verdict {
            Verdict::Pass => "passed",
            Verdict::Fail => "failed",
            Verdict::Unknown => "unknown in a row",
            Verdict::Error => "errors in a row",
            Verdict::Pending => "pending",
        };
        if words.is_empty() {
            format!("{times} {what}")
        } else {
            format!("{times} {what}: {words}")
        }
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// A moment beyond the calendar is its end.
fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
