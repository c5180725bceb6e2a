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
            _ => &spec["strategy"]["rollingUpdate"],
        };
        let quantity = |name: &str| {
            let value = &rolling[name];
            serde_json::from_value(value.clone()).unwrap_or(IntOrPercent::Percent(25))
        };
        // A StatefulSet has no pod beyond its replicas, and one at a time goes.
        let stateful = deployment["kind"] == "StatefulSet";
        let of = |name, stock| {
            if stateful { IntOrPercent::Count(stock) } else { quantity(name) }
        };
        Self {
            surge: of("maxSurge", 0),
            unavailable: of("maxUnavailable", 1),
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
