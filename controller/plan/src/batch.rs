//! What a batch asks of a workload of so many replicas. Arithmetic only; when a batch ends and
//! what it does to the workload's fields is decided elsewhere.

use crds::IntOrPercent;
use crds::rollout::Batch;
use crds::status::BatchStatus;

/// The division between old and new pods that a batch ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// So many new pods, and old ones for the rest: at least one of each.
    Share(i32),
    /// The same where the batch is a percentage that this is exactly: that share of any other
    /// number of replicas, rounded down, is no more than the batch allows there.
    Ratio(i32),
    /// One replica and a surge: the new pod stands beside the old one.
    Beside,
    /// One replica and no surge: no new pod before everything is released.
    Shut,
    /// The last batch: all pods are new.
    All,
}

impl Goal {
    /// New pods that the batch allows, and that have to be ready for it to be done.
    pub(crate) fn new_pods(self, replicas: i32) -> i32 {
        match self {
            Self::Share(pods) | Self::Ratio(pods) => pods,
            Self::Beside => 1,
            Self::Shut => 0,
            Self::All => replicas,
        }
    }

    /// Old pods that have to stay.
    pub(crate) fn old_pods(self, replicas: i32) -> i32 {
        match self {
            Self::Share(pods) | Self::Ratio(pods) => replicas - pods,
            Self::Beside | Self::Shut => 1,
            Self::All => 0,
        }
    }
}

/// One batch of a release.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// 1 for the first.
    pub(crate) index: u32,
    /// Batches of the release.
    pub(crate) count: u32,
    /// What the spec said when it started; None where the spec has no such batch any more.
    pub(crate) definition: Option<Batch>,
}

impl Step {
    /// Batch `index` as it began: from the status if that speaks of it, otherwise from the spec.
    /// So an edit of the spec in mid release takes effect at the next batch, and makes that one no
    /// smaller than the one that has begun: pods are moved on, not back.
    pub(crate) fn of(
        spec: &[Batch],
        begun: Option<&BatchStatus>,
        index: u32,
        replicas: i32,
    ) -> Self {
        let index = index.max(1);
        match begun.filter(|batch| batch.index == index && batch.definition.is_some()) {
            Some(batch) => Self { index, count: batch.count, definition: batch.definition.clone() },
            None => {
                let count = u32::try_from(spec.len()).unwrap_or(u32::MAX).max(index);
                let mut definition = spec.get(index as usize - 1).cloned();
                if let (Some(next), Some(begun)) = (&mut definition, last(begun, index))
                    && begun.replicas.ceil_of(replicas) > next.replicas.ceil_of(replicas)
                {
                    next.replicas = begun.replicas;
                }
                Self { index, count, definition }
            }
        }
    }

    /// No batch follows.
    pub(crate) fn is_last(&self) -> bool {
        self.index >= self.count
    }

    /// The division that this batch ends with, never with fewer new pods than the batches before
    /// it. `surge` is the user's own, in pods. `replicas` is at least 1.
    pub(crate) fn goal(&self, spec: &[Batch], replicas: i32, surge: i32) -> Goal {
        if self.is_last() {
            return Goal::All;
        }
        if replicas <= 1 {
            return if surge > 0 { Goal::Beside } else { Goal::Shut };
        }
        // Of a list that was edited since, only the batch itself is known as it was.
        let spec = spec.get(..self.index as usize).unwrap_or_default();
        let begun = self.definition.as_ref().map(|batch| batch.replicas);
        let same = spec.iter().any(|batch| Some(batch.replicas) == begun);
        let batches = || (if same { spec } else { &[] }).iter().chain(&self.definition);
        let pods = batches().map(|batch| batch.replicas.ceil_of(replicas)).max().unwrap_or(1);
        let exact =
            |percent: i32| i64::from(percent) * i64::from(replicas) == 100 * i64::from(pods);
        let is_ratio = batches().any(|batch| match batch.replicas {
            IntOrPercent::Percent(percent) => exact(percent),
            IntOrPercent::Count(_) => false,
        });
        match pods.clamp(1, replicas - 1) {
            share if share == pods && is_ratio => Goal::Ratio(share),
            share => Goal::Share(share),
        }
    }
}

/// The batch before `index`, as it has begun.
fn last(begun: Option<&BatchStatus>, index: u32) -> Option<&Batch> {
    begun.filter(|batch| batch.index + 1 == index)?.definition.as_ref()
}

#[cfg(test)]
mod tests;
