//! The stock Deployment controller's arithmetic (Kubernetes 1.34): fenceposts (and those of a
//! CloneSet and a DaemonSet), room for new pods, proportional shares. Pure; facts from
//! `pkg/controller/deployment/util/deployment_util.go`.

use crds::IntOrPercent;
use crds::contract::MAX_REPLICAS_ANNOTATION;

use crate::observed::Strategy;
use crate::sim::cluster::objects::{Deployment, DeploymentSpec, ReplicaSet};

/// Surge and unavailable in pods. Where both come out as 0, unavailable is 1.
pub fn fenceposts(surge: IntOrPercent, unavailable: IntOrPercent, replicas: i32) -> (i32, i32) {
    match (surge.ceil_of(replicas), unavailable.floor_of(replicas)) {
        (0, 0) => (0, 1),
        posts => posts,
    }
}

/// Surge and unavailable of a CloneSet: the latter is rounded up where there is no surge, and a
/// pause takes the surge away.
pub fn clone_posts(
    surge: IntOrPercent,
    unavailable: IntOrPercent,
    replicas: i32,
    paused: bool,
) -> (i32, i32) {
    match surge.ceil_of(replicas) {
        pods if pods > 0 && !paused => (pods, unavailable.floor_of(replicas)),
        _ => (0, unavailable.ceil_of(replicas)),
    }
}

/// Surge and unavailable of a DaemonSet, in nodes: both are rounded up.
pub fn daemon_posts(surge: IntOrPercent, unavailable: IntOrPercent, nodes: i32) -> (i32, i32) {
    match (surge.ceil_of(nodes), unavailable.ceil_of(nodes)) {
        (0, 0) => (0, 1),
        posts => posts,
    }
}

/// maxSurge in pods, 0 for Recreate.
pub fn max_surge(spec: &DeploymentSpec) -> i32 {
    match spec.strategy {
        Strategy::RollingUpdate { max_surge, max_unavailable } => {
            fenceposts(max_surge, max_unavailable, spec.replicas).0
        }
        Strategy::Recreate => 0,
    }
}

/// maxUnavailable in pods, never more than the replicas, 0 for Recreate.
pub fn max_unavailable(spec: &DeploymentSpec) -> i32 {
    match spec.strategy {
        Strategy::RollingUpdate { max_surge, max_unavailable } if spec.replicas > 0 => {
            fenceposts(max_surge, max_unavailable, spec.replicas).1.min(spec.replicas)
        }
        _ => 0,
    }
}

/// Size of the new ReplicaSet when `total` pods are asked for in all.
pub fn new_set_size(spec: &DeploymentSpec, total: i32, now: i32) -> i32 {
    match spec.strategy {
        Strategy::Recreate => spec.replicas,
        Strategy::RollingUpdate { max_surge, .. } => {
            let room = spec.replicas + max_surge.ceil_of(spec.replicas) - total;
            if room <= 0 { now } else { now + room.min(spec.replicas - now) }
        }
    }
}

/// A ReplicaSet's share of `to_add` pods (negative: to remove) of which `added` are given out.
pub fn proportion(set: &ReplicaSet, deployment: &Deployment, to_add: i32, added: i32) -> i32 {
    if set.replicas == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let share = fraction(set, deployment);
    let allowed = to_add - added;
    if to_add > 0 { share.min(allowed) } else { share.max(allowed) }
}

fn fraction(set: &ReplicaSet, deployment: &Deployment) -> i32 {
    let spec = &deployment.spec;
    if spec.replicas == 0 {
        return -set.replicas;
    }
    let before = match set.number(MAX_REPLICAS_ANNOTATION) {
        Some(before) if before > 0 => before,
        _ if deployment.status.replicas == 0 => return 0,
        _ => deployment.status.replicas,
    };
    let after = i64::from(spec.replicas + max_surge(spec));
    round_half_away(i64::from(set.replicas) * after, i64::from(before)) - set.replicas
}

/// `numerator / denominator`, halves rounded up; both are positive here.
fn round_half_away(numerator: i64, denominator: i64) -> i32 {
    let rounded = (2 * numerator + denominator).div_euclid(2 * denominator);
    i32::try_from(rounded).unwrap_or(i32::MAX)
}
