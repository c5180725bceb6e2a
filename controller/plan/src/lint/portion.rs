//! Rules of the writes that move a CloneSet's pods.

use crds::{Kept, Portioned};

use super::Lint;
use crate::action::{Plan, WriteHold};
use crate::observed::{Live, Observed, Workload};

/// The hold of a CloneSet goes from `now` (none: it is at rest, or barred) to `next`.
pub(super) fn check(
    lint: &mut Lint,
    seen: &Observed,
    workload: &Workload,
    plan: &Plan,
    write: &WriteHold,
    (now, next): (Option<&Portioned>, &Portioned),
) {
    let detail = || format!("{write:?} over {workload:?}");
    let Live::CloneSet(live) = &workload.fields else {
        return lint.must(false, "a hold is of the workload's kind", detail);
    };
    let partition = next.target.partition;
    let fenced = partition == Kept::ALL;
    let Some(now) = now else {
        return lint.must(fenced, "a first hold lets nothing move", detail);
    };
    let own = now.original.partition;
    lint.must(next.original == now.original, "originals stay", detail);
    lint.must(next.stable == now.stable, "the stable revision stays", detail);
    lint.must(next.revision == workload.revision, "a hold speaks of the live template", detail);
    let kept = |kept: Kept| kept.pods(live.size);
    lint.must(kept(partition) >= kept(own), "the user's partition is never passed", detail);
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
    let pods = live.size - kept(partition);
    let bounded = fenced || free || pods <= most;
    lint.must(bounded, "a partition lets no pod beyond its batch", || {
        format!("{pods} pods, {most} allowed: {}", detail())
    });
}
