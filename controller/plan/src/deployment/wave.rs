//! The stock Deployment controller's arithmetic, and how a batch uses it: maxSurge `s` and
//! maxUnavailable `u` of a fenced Deployment let exactly `s + u` new pods exist. Arithmetic only.

use crds::{IntOrPercent, Original, Target};

use crate::batch::Goal;

/// The user's own limits, in pods, rounded as the stock controller rounds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Pods beyond the replicas (rounded up).
    pub(crate) surge: i32,
    /// Pods that may be missing (rounded down; 1 where both would be 0).
    pub(crate) unavailable: i32,
}

impl Limits {
    /// The limits for `replicas` pods.
    pub(crate) fn of(original: &Original, replicas: i32) -> Self {
        let surge = original.max_surge.ceil_of(replicas).max(0);
        let unavailable = original.max_unavailable.floor_of(replicas).clamp(0, replicas.max(0));
        match (surge, unavailable) {
            (0, 0) => Self { surge, unavailable: 1 },
            _ => Self { surge, unavailable },
        }
    }
}

/// What is there, in pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// spec.replicas of the workload, at least 1.
    pub(crate) replicas: i32,
    /// New pods that have been ready for long enough.
    pub(crate) ready: i32,
    /// spec.replicas of the update ReplicaSet.
    pub(crate) new: i32,
    /// spec.replicas of all old ReplicaSets together.
    pub(crate) old: i32,
    /// maxUnavailable as it was written for this release, at the present replicas; 0 before the
    /// first batch.
    pub(crate) written: i32,
}

/// The fields that bring a batch to its goal without ever breaking the user's limits: the user's
/// surge, and as many old pods may go as new ones are ready (plus the user's maxUnavailable). `u`
/// never falls inside a batch: readiness may be lost again, and `old` may be stale, but neither
/// gives an old pod back, so a smaller `u` would only make room for more new pods.
pub(crate) fn target(goal: Goal, limits: Limits, original: &Original, count: Count) -> Target {
    let new_pods = goal.new_pods(count.replicas);
    match goal {
        // Both values 0 are refused by the API; paused is what holds here.
        Goal::Shut => Target {
            paused: true,
            max_surge: IntOrPercent::Count(0),
            max_unavailable: original.max_unavailable,
        },
        Goal::Beside => fields(0, 1, count.replicas),
        Goal::Share(_) | Goal::Ratio(_) | Goal::All => {
            let gone = count.replicas - count.old;
            if count.written > new_pods || gone > new_pods {
                // Scaling left more than the batch allows. What was written let go of at least as
                // many old pods as this does.
                return fields(new_pods, 0, count.replicas);
            }
            let paced = paced(new_pods, limits, count);
            let unavailable = count.written.max(gone).max(paced);
            // With more new pods than the batch allows there is nothing to surge for (but both
            // values 0 are refused by the API).
            let surge = if count.new > new_pods { 0 } else { limits.surge };
            let surge = surge.min(new_pods - unavailable).max(i32::from(unavailable == 0));
            fields(unavailable, surge, count.replicas)
        }
    }
}

/// Old pods that the stock controller may take away by these fields: 1 where they come out as none.
pub(crate) fn unavailable_of(target: Target, replicas: i32) -> i32 {
    let unavailable = target.max_unavailable.floor_of(replicas);
    match target.max_surge.ceil_of(replicas) {
        0 => unavailable.max(1).min(replicas),
        _ => unavailable.min(replicas),
    }
}

/// New pods that the stock controller may make by these fields.
pub(crate) fn pods_of(target: Target, replicas: i32) -> i32 {
    target.max_surge.ceil_of(replicas) + unavailable_of(target, replicas)
}

/// Old pods that are gone already or that the user can spare by now.
pub(crate) fn spare(limits: Limits, count: Count) -> i32 {
    let Count { replicas, ready, old, .. } = count;
    (replicas - old).max(ready.saturating_add(limits.unavailable))
}

/// `target` cut down to `most` new pods, at least 1, and to old pods that can be spared; no old pod
/// may go that might not go before.
pub(crate) fn lowered(
    target: Target,
    most: i32,
    spare: i32,
    limits: Limits,
    replicas: i32,
) -> Target {
    let unavailable = unavailable_of(target, replicas).min(most).min(spare);
    let surge = target.max_surge.ceil_of(replicas).min(limits.surge).min(most - unavailable);
    fields(unavailable, surge.max(i32::from(unavailable == 0)), replicas)
}

/// Old pods that may be gone: the user's maxUnavailable, and as many as new ones are ready. The
/// user's surge comes first: what it has room for is made with no old pod gone, and at once, where
/// the stock controller would otherwise wait until it has seen the old pods go (100 ms in every
/// batch, measured). At rest nothing is left of it.
fn paced(new_pods: i32, limits: Limits, count: Count) -> i32 {
    if count.ready >= new_pods {
        return new_pods;
    }
    let surging = limits.surge.min(new_pods);
    (new_pods - surging).min(count.ready.saturating_add(limits.unavailable))
}

/// Whether `next` is worth a write in a batch whose fields are `now`. They let a wave of `u + s`
/// new pods out, and the next write is due once all of these are ready: one for `maxSurge +
/// maxUnavailable` pods, and one more where the batch comes to rest. To follow each pod that gets
/// ready would cost a write for each; all it saves is, between two waves of one batch, what the
/// slowest pod of a wave takes longer than the others.
///
/// The last batch is walked the same way, fence on. Lifting it at the start would save those writes
/// (two at 25%/25%, however many the replicas), but the new pods would count as available then: a
/// version that replaces this one would make the stock controller take the stable pods first, and
/// nothing would remember the stable version to go back to.
pub(crate) fn is_due(goal: Goal, limits: Limits, count: Count, now: Target, next: Target) -> bool {
    if now == next {
        return false;
    }
    let (Goal::Share(_) | Goal::Ratio(_) | Goal::All, false) = (goal, now.paused) else {
        return true;
    };
    let Count { replicas, ready, new, old, .. } = count;
    let (surge, most) = (now.max_surge.ceil_of(replicas), goal.new_pods(replicas));
    let wave = pods_of(now, replicas);
    // Scaling, or an edit of the user's limits, may leave more than is allowed.
    let beyond = wave.max(new).max(replicas - old) > most || surge > limits.surge;
    beyond || ready >= wave
}

/// The fields for `unavailable` and `surge` pods of `replicas`.
fn fields(unavailable: i32, surge: i32, replicas: i32) -> Target {
    Target {
        paused: false,
        max_surge: IntOrPercent::Count(surge),
        max_unavailable: share(unavailable, replicas),
    }
}

/// `pods` of `replicas` as a percentage where the stock controller's rounding gives exactly that
/// many back, so that it keeps the share by itself when somebody scales; always so up to 100.
pub(crate) fn share(pods: i32, replicas: i32) -> IntOrPercent {
    if pods <= 0 || replicas <= 0 {
        return IntOrPercent::Count(pods.max(0));
    }
    let percent = (i64::from(pods) * 100 + i64::from(replicas) - 1) / i64::from(replicas);
    match i32::try_from(percent).map(IntOrPercent::Percent) {
        Ok(percent) if percent.floor_of(replicas) == pods => percent,
        _ => IntOrPercent::Count(pods),
    }
}

#[cfg(test)]
mod tests;
