//! What the user wants, read from the user's own two manifests, and the arithmetic of it. Nothing
//! of Sluice's goes in here.

use std::time::Duration;

use crds::rollout::Batch;
use crds::{IntOrPercent, RolloutSpec};
use serde_json::Value;

/// The user's own wishes of one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Wishes {
    /// maxSurge.
    pub surge: IntOrPercent,
    /// maxUnavailable.
    pub unavailable: IntOrPercent,
    /// Fractions of unavailable are rounded up, and it is at least one: a DaemonSet's.
    pub generous: bool,
    /// minReadySeconds.
    pub min_ready: Duration,
    /// The batches.
    pub batches: Vec<Batch>,
}

impl Wishes {
    /// Reads a Deployment's and a Rollout's manifest. What the Deployment leaves out has the
    /// API's defaults.
    #[must_use]
    pub fn new(deployment: &Value, rollout: &RolloutSpec) -> Self {
        let spec = &deployment["spec"];
        let rolling = match deployment["kind"].as_str() {
            Some("CloneSet") => &spec["updateStrategy"],
            Some("DaemonSet") => &spec["updateStrategy"]["rollingUpdate"],
            _ => &spec["strategy"]["rollingUpdate"],
        };
        let stated = |name: &str| serde_json::from_value(rolling[name].clone()).ok();
        let quantity = |name: &str| stated(name).unwrap_or(IntOrPercent::Percent(25));
        let count = IntOrPercent::Count;
        let generous = deployment["kind"] == "DaemonSet";
        let (surge, unavailable) = match deployment["kind"].as_str() {
            // It has no pod beyond its replicas, and one at a time goes.
            Some("StatefulSet") => (count(0), count(1)),
            // In a release of ours no node has two pods.
            Some("DaemonSet") => (count(0), stated("maxUnavailable").unwrap_or(count(1))),
            _ => (quantity("maxSurge"), quantity("maxUnavailable")),
        };
        Self {
            surge,
            unavailable,
            generous,
            min_ready: Duration::from_secs(spec["minReadySeconds"].as_u64().unwrap_or(0)),
            batches: rollout.strategy.batches.clone(),
        }
    }

    /// Pods above `replicas` that the user allows.
    #[must_use]
    pub fn surge_of(&self, replicas: i32) -> i32 {
        self.surge.ceil_of(replicas)
    }

    /// Pods of `replicas` that the user allows to be unavailable. Where both numbers come out as
    /// nothing the stock controller takes one, or no update could ever move.
    #[must_use]
    pub fn unavailable_of(&self, replicas: i32) -> i32 {
        if self.generous {
            return self.unavailable.ceil_of(replicas).max(1).min(replicas);
        }
        let unavailable = self.unavailable.floor_of(replicas).min(replicas);
        if unavailable == 0 && self.surge_of(replicas) == 0 { 1 } else { unavailable }
    }

    /// Whether `batch` (0 for the first) is the last.
    #[must_use]
    pub fn is_last(&self, batch: usize) -> bool {
        batch + 1 >= self.batches.len()
    }

    /// Pods of the update that `batch` (0 for the first) allows of `replicas`: never less than
    /// the batch before, and an old pod stays until the last one.
    #[must_use]
    pub fn allowed(&self, batch: usize, replicas: i32) -> i32 {
        if self.is_last(batch) {
            return replicas;
        }
        let upto = self.batches.iter().take(batch + 1);
        let wanted = upto.map(|b| b.replicas.ceil_of(replicas)).max().unwrap_or(0);
        match replicas {
            ..=0 => 0,
            // The only pod is joined by a new one where the user allows a surge.
            1 => wanted.min(self.surge_of(1)).min(1),
            _ => wanted.min(replicas - 1),
        }
    }

    /// What a scaling from `from` to `to` replicas may leave at once, with `running` pods of the
    /// update: the stock controller keeps the share, rounded.
    #[must_use]
    pub fn allowed_in_scaling(&self, batch: usize, running: i32, from: i32, to: i32) -> i32 {
        let share = match from {
            ..=0 => 0,
            _ => rounded(running * to, from) + 1,
        };
        self.allowed(batch, to).max(share)
    }
}

fn rounded(part: i32, whole: i32) -> i32 {
    (2 * part + whole).div_euclid(2 * whole)
}
