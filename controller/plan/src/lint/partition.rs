//! Rules of the writes that move a StatefulSet's pods.

use crds::{Partitioned, contract};

use super::batches::{self, Lets};
use super::hold::Release;
use super::{Lint, all};
use crate::observed::{Fact, Live, Stateful, Workload};

/// The hold of a StatefulSet goes from `now` (none: it is at rest, or barred) to `next`.
pub(super) fn check(
    lint: &mut Lint,
    release: &Release<'_>,
    (now, next): (Option<&Partitioned>, &Partitioned),
) {
    let detail = || release.detail();
    let Live::StatefulSet(live) = &release.workload.fields else {
        return lint.must(false, "a hold is of the workload's kind", detail);
    };
    let partition = next.target.partition;
    let own = now.map_or(0, |now| now.original.partition);
    lint.must(partition >= own, "the user's partition is never passed", detail);
    let shut = partition == contract::FENCE_PARTITION;
    let lets = Lets { shut, pods: reach(live, release.workload, next) };
    batches::check(lint, release, (now, next), &lets);
}

/// New pods that a partition lets exist: from it on, and those that there are below it.
fn reach(live: &Stateful, workload: &Workload, next: &Partitioned) -> Option<i32> {
    let Fact::Known(sets) = &workload.sets else { return None };
    let new = all(sets).filter(|set| set.revision == next.revision).flat_map(|set| &set.pods);
    let below = |index: &i32| *index < next.target.partition.min(live.size);
    let below = new.filter_map(|pod| live.index_of(&pod.name)).filter(below).count();
    Some((live.size - next.target.partition).max(0) + i32::try_from(below).ok()?)
}
