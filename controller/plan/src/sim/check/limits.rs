//! Invariant 2: never more than the user's maxUnavailable unavailable, but for pods that lost
//! readiness themselves; never more than replicas + maxSurge pods. After a scaling, or where the
//! user changed the numbers, a limit binds once it has been reached.

use crds::Original;

use super::pods::Pods;
use super::release::Releases;
use crate::observed::Strategy;
use crate::sim::cluster::Cluster;
use crate::sim::cluster::objects::Deployment;
use crate::sim::stock::arithmetic::{clone_posts, daemon_posts, fenceposts};

/// What binds now.
#[derive(Default)]
pub struct Limits {
    pub fields: Option<Original>,
    /// How they are counted.
    pub rounding: Rounding,
    /// The most pods that may be asked for now.
    pub ceiling: i32,
    floor: i32,
    /// Our controller has taken a pod of a CloneSet away, which no partition takes back, or one of
    /// a DaemonSet. One at a time it may do so even where the user lets none be unavailable.
    by_hand: bool,
    /// After a scaling down, until what it set off is over: the floor for that time.
    scaled: Option<i32>,
}

/// How the stock controller of a kind reads surge and unavailable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// As of a Deployment, or of a StatefulSet in its words.
    #[default]
    Deployment,
    CloneSet,
    DaemonSet,
}

impl Rounding {
    /// Of this workload.
    pub fn of(workload: &Deployment) -> Self {
        match (workload.cloneset, workload.daemon) {
            (Some(_), _) => Self::CloneSet,
            (None, Some(_)) => Self::DaemonSet,
            (None, None) => Self::Deployment,
        }
    }

    /// Surge and unavailable in pods.
    pub fn posts(self, fields: Original, replicas: i32) -> (i32, i32) {
        let Original { max_surge, max_unavailable, paused, .. } = fields;
        match self {
            Self::Deployment => fenceposts(max_surge, max_unavailable, replicas),
            Self::CloneSet => clone_posts(max_surge, max_unavailable, replicas, paused),
            Self::DaemonSet => daemon_posts(max_surge, max_unavailable, replicas),
        }
    }
}

impl Limits {
    /// The workload is gone, or another one.
    pub fn forget(&mut self) {
        self.ceiling = 0;
        self.floor = 0;
        self.scaled = None;
    }

    /// The user scaled. What is unavailable already keeps its share (stock scales without looking
    /// at readiness, and a hold's maxUnavailable is a share); rounding, or a pod that gets ready in
    /// the moment in which it is chosen to go, may cost one. It may act on this scaling after the
    /// next one.
    pub fn scaled(&mut self, pods: &Pods, before: i32, after: i32) {
        let Some(fields) = self.fields else { return };
        self.ceiling = self.ceiling.max(after + fields.max_surge.ceil_of(after));
        let unavailable = self.rounding.posts(fields, before).1;
        self.lower_to(if after < before {
            pods.serving().min(before) * after / before.max(1) - 1
        } else {
            let share = after - (unavailable * after + before - 1) / before.max(1) - 1;
            share.min(before - unavailable)
        });
    }

    fn lower_to(&mut self, floor: i32) {
        self.scaled = Some(self.scaled.map_or(floor, |scaled| scaled.min(floor)));
    }

    /// A pod is gone that was not ready, and was excused for it: nobody has lost a ready one.
    pub fn lost(&mut self) {
        self.floor -= 1;
    }

    /// Our controller deletes a pod.
    pub fn cleared(&mut self) {
        self.by_hand = self.rounding != Rounding::Deployment;
    }

    /// The user's own fields change. Pods above a lower surge may be taken away at once.
    pub fn edited(&mut self, fields: Original, replicas: i32) {
        let surge = |fields: Original| fields.max_surge.ceil_of(replicas);
        let less = self.fields.map_or(0, |before| surge(before) - surge(fields)).max(0);
        self.scaled = Some(self.scaled.unwrap_or(self.floor).min(self.floor) - less);
        self.fields = Some(fields);
    }

    /// Both limits. Pods are counted as their ReplicaSets ask for them: one may be told to grow and
    /// do it before the other, told to shrink at the same time, has done so.
    pub fn check(
        &mut self,
        pods: &Pods,
        workload: &Deployment,
        cluster: &Cluster,
        releases: &Releases,
    ) -> Result<(), String> {
        let Some(fields) = self.fields else { return Ok(()) };
        if workload.spec.strategy == Strategy::Recreate {
            self.forget();
            return Ok(());
        }
        let mine = cluster.sets.iter().filter(|set| set.owner == workload.meta.uid);
        let asked = match workload.stateful {
            Some(_) => pods.span(),
            None if workload.is_numbered() => pods.total(),
            None => mine.map(|set| set.replicas).sum(),
        };
        let replicas = workload.spec.replicas;
        let (surge, unavailable) = self.rounding.posts(fields, replicas);
        // Moving back without surge: both patches back to back; no order avoids it.
        let doubled = releases.may_move_back() && surge == 0 && !workload.is_numbered();
        let moving = if doubled { unavailable } else { 0 };
        if self.rounding == Rounding::DaemonSet && surge > 0 {
            // Beside a pod that does not serve one may always come.
            self.ceiling = self.ceiling.max(2 * replicas);
        }
        self.check_ceiling(asked, replicas + surge.max(moving), releases.is_calm())?;
        if pods.serving() >= replicas - unavailable {
            self.by_hand = false;
        }
        let unavailable = unavailable.max(i32::from(self.by_hand));
        let demanded = (replicas - unavailable).max(0);
        let surplus = asked - replicas - surge;
        if fields.paused && surplus > 0 {
            // Paused, the stock controller takes away what is above a lower surge, ready or not.
            self.lower_to(demanded - surplus);
        }
        let ghosts = pods.ghosts(cluster);
        if ghosts > 0 {
            self.lower_to(demanded - ghosts);
        }
        let torn = releases.torn(pods, workload);
        if torn > 0 {
            self.lower_to(demanded - torn);
        }
        if releases.is_calm() && pods.serving() >= demanded {
            self.scaled = None;
        }
        self.check_floor(pods.serving(), demanded.min(self.scaled.unwrap_or(demanded)))
    }

    /// A lower limit binds once the stock controller knows of it, and it has been reached.
    fn check_ceiling(&mut self, total: i32, limit: i32, calm: bool) -> Result<(), String> {
        self.ceiling = if total <= limit && calm { limit } else { self.ceiling.max(limit) };
        if total > self.ceiling {
            return Err(format!("{total} pods asked for, at most {} allowed", self.ceiling));
        }
        Ok(())
    }

    fn check_floor(&mut self, serving: i32, limit: i32) -> Result<(), String> {
        self.floor = if serving >= limit { limit } else { self.floor.min(limit) };
        if serving < self.floor {
            return Err(format!("{serving} pods serving, at least {} demanded", self.floor));
        }
        Ok(())
    }
}
