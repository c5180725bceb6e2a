//! The figures: their names in the file, their targets, and the table that a person reads. Knows
//! nothing of how they are measured.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::failure::{Failure, Outcome};

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// From the user's write to the first new pod.
    FirstPod,
    /// The same of a native rollout.
    NativeFirstPod,
    /// From a batch's last pod ready to the next batch's write.
    NextBatch,
    /// A release, from the user's write to the restored end.
    Release,
    /// A native rollout.
    NativeRelease,
    /// The time that the pods of the batches took by themselves.
    Readiness,
    /// What the release takes beyond that.
    Overhead,
    /// Writes of Sluice in a release.
    Writes,
    /// Writes of Sluice while nothing happens.
    RestWrites,
    /// What the webhook adds to an UPDATE in a release, typically.
    AddedMedian,
    /// What it adds at the slow end, at 10 in flight.
    AddedTail,
    /// What Sluice adds to an UPDATE of an armed workload that it need not see, typically.
    AddedMedianAtRest,
    /// What it adds at the slow end, at 10 in flight.
    AddedTailAtRest,
    /// Memory of a controller.
    ControllerRss,
    /// Memory of a webhook.
    WebhookRss,
    /// From a bad metric to the first write that takes the release back, the longest.
    BadMetric,
    /// The latest of the measurements of a thousand gates.
    GatesLate,
    /// Their questions in a second.
    GatesAsked,
    /// The controller's processor time for them in a minute.
    GatesProcessor,
    /// The controller's memory with them.
    GatesRss,
    /// A hundred releases at once, until the last one ends.
    Hundred,
    /// A hundred native updates at once.
    NativeHundred,
    /// The slowest of them over the median.
    HundredSlowest,
    /// Writes of Sluice for each of them.
    HundredWrites,
    /// The controller's processor time for all of them.
    HundredProcessor,
    /// Time without a write after the leader was killed.
    LeaderKill,
    /// Time without a write after the leader was told to stop.
    LeaderStop,
    /// Memory of a controller of 1,000 armed workloads.
    Rss1000,
    /// Memory of a webhook then.
    WebhookRss1000,
    /// Calls of Sluice while nothing happens to them.
    Calls1000,
    /// Memory of a controller of 10,000 armed workloads.
    Rss10000,
    /// Memory of a webhook then.
    WebhookRss10000,
    /// Calls of Sluice while nothing happens to them.
    Calls10000,
}

#[derive(Clone, Copy)]
enum Unit {
    Ms,
    Seconds,
    Percent,
    Count,
    Mib,
    Times,
}

/// A line of the table.
struct Line {
    key: Key,
    title: &'static str,
    unit: Unit,
    /// The same of a native rollout.
    native: Option<Key>,
    /// The target: at most so much.
    most: Option<f64>,
}

const fn line(key: Key, title: &'static str, unit: Unit, most: Option<f64>) -> Line {
    Line { key, title, unit, native: None, most }
}

const LINES: [Line; 30] = [
    Line {
        native: Some(Key::NativeFirstPod),
        ..line(Key::FirstPod, "user's write to first new pod, p50", Unit::Ms, Some(100.0))
    },
    line(Key::NextBatch, "batch ready to the next one's write, p50", Unit::Ms, Some(50.0)),
    Line {
        native: Some(Key::NativeRelease),
        ..line(Key::Release, "whole release, median", Unit::Seconds, None)
    },
    line(Key::Readiness, "  its batches' own pod readiness", Unit::Seconds, None),
    line(Key::Overhead, "  what it takes beyond that, median", Unit::Percent, Some(10.0)),
    line(Key::Writes, "writes in a release, median", Unit::Count, Some(14.0)),
    line(Key::RestWrites, "writes at rest", Unit::Count, Some(0.0)),
    line(Key::AddedMedian, "webhook's addition to an UPDATE, p50", Unit::Ms, Some(1.0)),
    line(Key::AddedTail, "  at 10 in flight, p99", Unit::Ms, Some(5.0)),
    line(Key::AddedMedianAtRest, "  to one that it need not see, p50", Unit::Ms, Some(1.0)),
    line(Key::AddedTailAtRest, "    at 10 in flight, p99", Unit::Ms, Some(5.0)),
    line(Key::ControllerRss, "controller's memory (RSS)", Unit::Mib, Some(15.0)),
    line(Key::WebhookRss, "webhook's memory (RSS)", Unit::Mib, Some(12.0)),
    // The gate's interval of 1 s, and 100 ms.
    line(Key::BadMetric, "bad metric to the abort's write, longest", Unit::Ms, Some(1_100.0)),
    line(Key::GatesLate, "1,000 gates of 30 s: the latest by", Unit::Ms, Some(1_000.0)),
    line(Key::GatesAsked, "  questions in a second", Unit::Count, None),
    line(Key::GatesProcessor, "  controller's CPU in a minute", Unit::Seconds, None),
    line(Key::GatesRss, "  controller's memory (RSS)", Unit::Mib, None),
    Line {
        native: Some(Key::NativeHundred),
        ..line(Key::Hundred, "100 releases at once, the last one's end", Unit::Seconds, None)
    },
    line(Key::HundredSlowest, "  the slowest over the median", Unit::Times, Some(2.0)),
    line(Key::HundredWrites, "  writes of each", Unit::Count, None),
    line(Key::HundredProcessor, "  controller's CPU", Unit::Seconds, None),
    line(Key::LeaderKill, "  without a write, leader killed", Unit::Seconds, Some(8.0)),
    line(Key::LeaderStop, "  without a write, leader stopped", Unit::Seconds, Some(1.0)),
    line(Key::Rss1000, "1,000 armed: controller's memory", Unit::Mib, Some(30.0)),
    line(Key::WebhookRss1000, "  webhook's memory", Unit::Mib, Some(12.0)),
    line(Key::Calls1000, "  calls at rest", Unit::Count, Some(0.0)),
    line(Key::Rss10000, "10,000 armed: controller's memory", Unit::Mib, Some(60.0)),
    line(Key::WebhookRss10000, "  webhook's memory", Unit::Mib, Some(12.0)),
    line(Key::Calls10000, "  calls at rest", Unit::Count, Some(0.0)),
];

impl Key {
    /// Its name in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstPod => "first_pod_p50_ms",
            Self::NativeFirstPod => "native_first_pod_p50_ms",
            Self::NextBatch => "next_batch_p50_ms",
            Self::Release => "release_seconds",
            Self::NativeRelease => "native_release_seconds",
            Self::Readiness => "pod_readiness_sum_seconds",
            Self::Overhead => "release_over_readiness_percent",
            Self::Writes => "writes_per_release",
            Self::RestWrites => "writes_at_rest",
            Self::AddedMedian => "webhook_added_p50_ms",
            Self::AddedTail => "webhook_added_p99_ms",
            Self::AddedMedianAtRest => "unseen_added_p50_ms",
            Self::AddedTailAtRest => "unseen_added_p99_ms",
            Self::ControllerRss => "controller_rss_mib",
            Self::WebhookRss => "webhook_rss_mib",
            Self::BadMetric => "bad_metric_to_abort_max_ms",
            Self::GatesLate => "thousand_gates_late_max_ms",
            Self::GatesAsked => "thousand_gates_questions_per_second",
            Self::GatesProcessor => "thousand_gates_cpu_seconds_per_minute",
            Self::GatesRss => "thousand_gates_controller_rss_mib",
            Self::Hundred => "hundred_releases_seconds",
            Self::NativeHundred => "hundred_native_updates_seconds",
            Self::HundredSlowest => "hundred_releases_slowest_over_median",
            Self::HundredWrites => "hundred_releases_writes_each",
            Self::HundredProcessor => "hundred_releases_cpu_seconds",
            Self::LeaderKill => "leader_kill_seconds",
            Self::LeaderStop => "leader_stop_seconds",
            Self::Rss1000 => "controller_rss_mib_1000",
            Self::WebhookRss1000 => "webhook_rss_mib_1000",
            Self::Calls1000 => "calls_at_rest_1000",
            Self::Rss10000 => "controller_rss_mib_10000",
            Self::WebhookRss10000 => "webhook_rss_mib_10000",
            Self::Calls10000 => "calls_at_rest_10000",
        }
    }
}

/// What was measured, and what could not be.
#[derive(Debug, Default)]
pub struct Report {
    values: BTreeMap<Key, f64>,
    failures: Vec<Failure>,
}

impl Report {
    /// Takes what a part has measured.
    pub fn take(&mut self, part: Outcome<Vec<(Key, f64)>>) {
        match part {
            Ok(values) => self.values.extend(values),
            Err(failure) => self.failures.push(failure),
        }
    }

    /// What could not be measured.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Every figure of the table was measured.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let native = LINES.iter().filter_map(|line| line.native);
        let mut keys = LINES.iter().map(|line| line.key).chain(native);
        self.failures.is_empty() && keys.all(|key| self.values.contains_key(&key))
    }

    /// The figures as flat JSON, to a thousandth; a figure that was not measured is not in it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let rounded = |value: f64| Value::from((value * 1000.0).round() / 1000.0);
        let values = self.values.iter();
        let values = values.map(|(key, value)| (key.as_str().to_owned(), rounded(*value)));
        Value::Object(values.collect::<Map<_, _>>())
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Ms if value.abs() < 10.0 => format!("{value:.2} ms"),
            Self::Ms => format!("{value:.0} ms"),
            Self::Seconds => format!("{value:.2} s"),
            Self::Percent => format!("{value:.1} %"),
            Self::Count => format!("{value:.0}"),
            Self::Mib => format!("{value:.1} MiB"),
            Self::Times => format!("{value:.2}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:42}{:>11}{:>11}   {:12}", "", "Sluice", "native", "target")?;
        for Line { key, title, unit, native, most } in &LINES {
            let show = |key: &Key| self.values.get(key).map(|value| unit.show(*value));
            let value = show(key).unwrap_or_else(|| "-".to_owned());
            let native = native.as_ref().and_then(show).unwrap_or_default();
            let target = most.map(|most| format!("<= {}", unit.show(most))).unwrap_or_default();
            let verdict = match (self.values.get(key), most) {
                (None, _) => "NOT MEASURED",
                (Some(value), Some(most)) if value > most => "MISSED",
                (Some(_), Some(_)) => "reached",
                (Some(_), None) => "",
            };
            let line = format!("{title:42}{value:>11}{native:>11}   {target:14}{verdict}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
