//! Rules of the writes that move a StatefulSet's pods.

use crds::{Partitioned, contract};

use super::{Lint, all};
use crate::action::{Plan, WriteHold};
use crate::observed::{Fact, Live, Observed, Stateful, Workload};

/// The hold of a StatefulSet goes from `now` (none: it is at rest, or barred) to `next`.
pub(super) fn check(
    lint: &mut Lint,
    seen: &Observed,
    workload: &Workload,
    plan: &Plan,
    write: &WriteHold,
    (now, next): (Option<&Partitioned>, &Partitioned),
) {
    let detail = || format!("{write:?} over {workload:?}");
    let Live::StatefulSet(live) = &workload.fields else {
        return lint.must(false, "a hold is of the workload's kind", detail);
    };
    let partition = next.target.partition;
    let fenced = partition == contract::FENCE_PARTITION;
    let Some(now) = now else {
        return lint.must(fenced, "a first hold lets nothing move", detail);
    };
    let own = now.original.partition;
    lint.must(next.original == now.original, "originals stay", detail);
    lint.must(next.stable == now.stable, "the stable revision stays", detail);
    lint.must(next.revision == workload.revision, "a hold speaks of the live template", detail);
    lint.must(partition >= own, "the user's partition is never passed", detail);
    if next.revision != now.revision {
        return lint.must(next.batch == 0 && fenced, "another template starts again", detail);
    }
    let follows = next.batch == now.batch || next.batch == now.batch + 1;
    lint.must(follows, "batches follow each other", detail);
    let begun = plan.status.batch.as_ref().map_or(0, |batch| batch.count);
    let spec = &seen.rollout.spec.strategy.batches;
    let last = begun.max(u32::try_from(spec.len()).unwrap_or(u32::MAX));
    let free = next.batch >= last.min(begun.max(1));
    let allowed = spec.get(..next.batch as usize).unwrap_or(spec).iter();
    let begun = plan.status.batch.iter().filter_map(|batch| batch.definition.as_ref());
    let most = allowed.chain(begun).map(|batch| batch.replicas.ceil_of(workload.replicas)).max();
    let most = most.unwrap_or(0).min((workload.replicas - 1).max(0));
    let pods = reach(live, workload, next);
    let bounded = fenced || free || pods.is_some_and(|pods| pods <= most);
    lint.must(bounded, "a partition lets no pod beyond its batch", || {
        format!("{pods:?} pods, {most} allowed: {}", detail())
    });
}

/// New pods that a partition lets exist: from it on, and those that there are below it.
fn reach(live: &Stateful, workload: &Workload, next: &Partitioned) -> Option<i32> {
    let Fact::Known(sets) = &workload.sets else { return None };
    let new = all(sets).filter(|set| set.revision == next.revision).flat_map(|set| &set.pods);
    let below = |index: &i32| *index < next.target.partition.min(live.size);
    let below = new.filter_map(|pod| live.index_of(&pod.name)).filter(below).count();
    Some((live.size - next.target.partition).max(0) + i32::try_from(below).ok()?)
}
