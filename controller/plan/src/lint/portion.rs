//! Rules of the writes that move a CloneSet's pods.

use crds::{Kept, Portioned};

use super::Lint;
use super::batches::{self, Lets};
use super::hold::Release;
use crate::observed::Live;

/// The hold of a CloneSet goes from `now` (none: it is at rest, or barred) to `next`.
pub(super) fn check(
    lint: &mut Lint,
    release: &Release<'_>,
    (now, next): (Option<&Portioned>, &Portioned),
) {
    let detail = || release.detail();
    let Live::CloneSet(live) = &release.workload.fields else {
        return lint.must(false, "a hold is of the workload's kind", detail);
    };
    let kept = |kept: Kept| kept.pods(live.size);
    let partition = next.target.partition;
    let own = now.map_or(0, |now| kept(now.original.partition));
    lint.must(kept(partition) >= own, "the user's partition is never passed", detail);
    let lets = Lets { shut: partition == Kept::ALL, pods: Some(live.size - kept(partition)) };
    batches::check(lint, release, (now, next), &lets);
}
