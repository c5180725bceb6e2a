//! The controller's own metrics. Counts and times; what a Rollout's numbers are is read from
//! `world` at each scrape.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crds::status::Phase;
use gate::Verdict;
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::observe::RolloutSeen;
use crate::world::World;

/// From a plan on what is known to a chain of slow writes.
const RECONCILE_SECONDS: [f64; 10] = [0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];

/// From a Prometheus next door to one that is too slow.
const ANSWER_SECONDS: [f64; 8] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0];

const VERDICTS: [Verdict; 5] =
    [Verdict::Pass, Verdict::Fail, Verdict::Unknown, Verdict::Error, Verdict::Pending];

/// Counters and times.
#[derive(Clone, Debug)]
pub struct Metrics {
    reconcile: Histogram,
    errors: Family<Kind, Counter>,
    writes: Family<Kind, Counter>,
    answers: Histogram,
    hooks: Histogram,
    measurements: Family<Judged, Counter>,
    notifications: Family<Delivered, Counter>,
    lease_held: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Judged {
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Delivered {
    result: &'static str,
}

impl Metrics {
    /// Registers all of them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            reconcile: Histogram::new(RECONCILE_SECONDS),
            errors: Family::default(),
            writes: Family::default(),
            answers: Histogram::new(ANSWER_SECONDS),
            hooks: Histogram::new(ANSWER_SECONDS),
            measurements: Family::default(),
            notifications: Family::default(),
            lease_held: Gauge::default(),
        };
        registry.register_with_unit(
            "reconcile",
            "Time of one Rollout's turn, its writes included",
            Unit::Seconds,
            metrics.reconcile.clone(),
        );
        registry.register("errors", "Failures by kind", metrics.errors.clone());
        registry.register("writes", "API writes by kind", metrics.writes.clone());
        registry.register_with_unit(
            "gate_answer",
            "Time of a gate's question to its metric provider",
            Unit::Seconds,
            metrics.answers.clone(),
        );
        metrics.register_gates(registry);
        registry.register("lease_held", "1 while this replica leads", metrics.lease_held.clone());
        metrics
    }

    fn register_gates(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "hook_answer",
            "Time of a gate's request to its HookProvider",
            Unit::Seconds,
            self.hooks.clone(),
        );
        registry.register(
            "gate_measurements",
            "Measurements of gates by verdict",
            self.measurements.clone(),
        );
        registry.register(
            "notifications",
            "Notifications by what became of them",
            self.notifications.clone(),
        );
        // From the first scrape on, so that the first failure is an increase.
        VERDICTS.iter().for_each(|verdict| drop(self.judged(*verdict)));
        for result in ["delivered", "lost", "dropped"] {
            self.notified(result, 0);
        }
    }

    /// A turn has ended.
    pub fn reconciled(&self, took: Duration) {
        self.reconcile.observe(took.as_secs_f64());
    }

    /// Something failed.
    pub fn error(&self, kind: &'static str) {
        self.errors.get_or_create(&Kind { kind }).inc();
    }

    /// Something is being written.
    pub fn write(&self, kind: &'static str) {
        self.writes.get_or_create(&Kind { kind }).inc();
    }

    /// A gate's question was answered, or not.
    pub fn asked(&self, took: Duration, answered: bool) {
        self.answers.observe(took.as_secs_f64());
        if !answered {
            self.error("metrics");
        }
    }

    /// A hook was answered, or not.
    pub fn sent(&self, took: Duration, answered: bool) {
        self.hooks.observe(took.as_secs_f64());
        if !answered {
            self.error("hook");
        }
    }

    /// A gate was measured, and the status says so.
    pub fn measured(&self, verdict: Verdict) {
        self.judged(verdict).inc();
    }

    fn judged(&self, verdict: Verdict) -> Counter {
        let verdict = match verdict {
            Verdict::Pass => "Pass",
            Verdict::Fail => "Fail",
            Verdict::Unknown => "Unknown",
            Verdict::Error => "Error",
            Verdict::Pending => "Pending",
        };
        self.measurements.get_or_create(&Judged { verdict }).clone()
    }

    /// So many notifications were `delivered`, `lost` after several attempts, or `dropped` because
    /// there were too many.
    pub fn notified(&self, result: &'static str, count: u64) {
        self.notifications.get_or_create(&Delivered { result }).inc_by(count);
    }

    /// We lead, or do not.
    pub fn leading(&self, leads: bool) {
        self.lease_held.set(i64::from(leads));
    }
}

/// Releases by phase and the age of the oldest, as `world` has them when it is asked.
#[derive(Debug)]
pub struct Releases(pub Arc<Mutex<World>>);

impl Collector for Releases {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = [0_i64; PHASES.len()];
        let mut oldest: Option<Timestamp> = None;
        for rollout in world.rollouts() {
            if let Some(index) = PHASES.iter().position(|phase| *phase == rollout.status.phase) {
                counts[index] += 1;
            }
            oldest = [oldest, held_since(rollout)].into_iter().flatten().min();
        }
        drop(world);
        let mut family =
            encoder.encode_descriptor("releases", "Rollouts by phase.", None, MetricType::Gauge)?;
        for (phase, count) in PHASES.iter().zip(counts) {
            let labels = [("phase", format!("{phase:?}"))];
            ConstGauge::<i64>::new(count).encode(family.encode_family(&labels)?)?;
        }
        let age = oldest.map_or(0, |since| (runtime::clock::now() - since).get_seconds());
        let gauge = ConstGauge::<i64>::new(age);
        let descriptor = encoder.encode_descriptor(
            "oldest_hold",
            "Age of the oldest release that is not done.",
            Some(&Unit::Seconds),
            gauge.metric_type(),
        )?;
        gauge.encode(descriptor)
    }
}

const PHASES: [Phase; 12] = [
    Phase::Pending,
    Phase::Ready,
    Phase::Held,
    Phase::Progressing,
    Phase::Judging,
    Phase::Paused,
    Phase::RollingBack,
    Phase::Aborting,
    Phase::Rejected,
    Phase::Failed,
    Phase::Stalled,
    Phase::Terminating,
];

/// Since when a release is on: since the Rollout was last settled.
fn held_since(rollout: &RolloutSeen) -> Option<Timestamp> {
    let mut conditions = rollout.status.conditions.iter();
    let batch = rollout.status.batch.as_ref()?;
    let reconciling = conditions.find(|one| one.type_ == "Reconciling" && one.status == "True");
    Some(reconciling.map_or(batch.started_at.0, |one| one.last_transition_time.0))
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn every_verdict_and_every_end_of_a_notification_is_there_from_the_start() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(registry.sub_registry_with_prefix("sluice"));
        metrics.measured(Verdict::Fail);
        metrics.notified("dropped", 3);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "sluice_gate_measurements_total{verdict=\"Pass\"} 0",
            "sluice_gate_measurements_total{verdict=\"Fail\"} 1",
            "sluice_gate_measurements_total{verdict=\"Unknown\"} 0",
            "sluice_gate_measurements_total{verdict=\"Error\"} 0",
            "sluice_gate_measurements_total{verdict=\"Pending\"} 0",
            "sluice_notifications_total{result=\"delivered\"} 0",
            "sluice_notifications_total{result=\"lost\"} 0",
            "sluice_notifications_total{result=\"dropped\"} 3",
            "sluice_hook_answer_seconds_count 0",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
    }
}
