//! Rules of the writes that move the pods of any kind whose hold counts them: what stays, in which
//! order the batches come, how many pods each lets be. What a kind's fields let be it says itself.

use crds::Held;

use super::Lint;
use super::hold::Release;

/// What the fields of a hold let happen.
pub(super) struct Lets {
    /// Nothing more moves.
    pub(super) shut: bool,
    /// So many new pods may be; None: nobody knows.
    pub(super) pods: Option<i32>,
}

/// A hold goes from `now` (none: the workload is at rest, or barred) to `next`.
pub(super) fn check<T, O: PartialEq>(
    lint: &mut Lint,
    release: &Release<'_>,
    (now, next): (Option<&Held<T, O>>, &Held<T, O>),
    lets: &Lets,
) {
    let detail = || release.detail();
    let Some(now) = now else {
        return lint.must(lets.shut, "a first hold lets nothing move", detail);
    };
    let live = &release.workload.revision;
    lint.must(next.original == now.original, "originals stay", detail);
    lint.must(next.stable == now.stable, "the stable revision stays", detail);
    lint.must(next.revision == *live, "a hold speaks of the live template", detail);
    if next.revision != now.revision {
        let starts = next.batch == 0 && lets.shut;
        return lint.must(starts, "another template starts again", detail);
    }
    let follows = next.batch == now.batch || next.batch == now.batch + 1;
    lint.must(follows, "batches follow each other", detail);
    let most = most(release, next.batch);
    let within = lets.pods.is_some_and(|pods| most.is_none_or(|most| pods <= most));
    lint.must(lets.shut || most.is_none() || within, "no pod is let beyond its batch", || {
        format!("{:?} pods, {most:?} allowed: {}", lets.pods, release.detail())
    });
}

/// The most new pods that a batch allows; None: all of them.
fn most(release: &Release<'_>, batch: u32) -> Option<i32> {
    let (plan, replicas) = (release.plan, release.workload.replicas);
    let begun = plan.status.batch.as_ref().map_or(0, |batch| batch.count);
    let spec = &release.seen.rollout.spec.strategy.batches;
    let last = begun.max(u32::try_from(spec.len()).unwrap_or(u32::MAX));
    if batch >= last.min(begun.max(1)) {
        return None;
    }
    let allowed = spec.get(..batch as usize).unwrap_or(spec).iter();
    let begun = plan.status.batch.iter().filter_map(|batch| batch.definition.as_ref());
    let most = allowed.chain(begun).map(|batch| batch.replicas.ceil_of(replicas)).max();
    Some(most.unwrap_or(0).min((replicas - 1).max(0)))
}
