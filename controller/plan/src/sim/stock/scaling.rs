//! How the stock Deployment controller scales: proportionally over the active ReplicaSets, on
//! scaling events and while paused. It looks at sizes only, never at readiness.

use std::rc::Rc;

use super::arithmetic;
use super::deployments::{Owned, Sync, age};
use crate::observed::Strategy;
use crate::sim::cluster::Refused;
use crate::sim::cluster::objects::ReplicaSet;
use crds::contract::DESIRED_REPLICAS_ANNOTATION;

impl Sync<'_> {
    /// Scales to the Deployment's replicas, plus surge where more than one ReplicaSet has pods.
    pub fn scale(&mut self, owned: &Owned) -> Result<(), Refused> {
        if let Some(only) = active_or_latest(owned) {
            return self.resize(&only, self.deployment.spec.replicas).map(drop);
        }
        if let Some(new) = &owned.new
            && self.is_saturated(new)
        {
            for set in owned.old.iter().filter(|set| set.replicas > 0) {
                self.resize(set, 0)?;
            }
            return Ok(());
        }
        match self.deployment.spec.strategy {
            Strategy::RollingUpdate { .. } => self.scale_in_proportion(owned),
            Strategy::Recreate => Ok(()),
        }
    }

    fn is_saturated(&self, new: &ReplicaSet) -> bool {
        let wanted = self.deployment.spec.replicas;
        new.replicas == wanted
            && new.number(DESIRED_REPLICAS_ANNOTATION) == Some(wanted)
            && new.status.available == wanted
    }

    /// The largest ReplicaSet goes first and takes what rounding leaves; of equal ones the newer
    /// grows first and the older shrinks first.
    fn scale_in_proportion(&mut self, owned: &Owned) -> Result<(), Refused> {
        let spec = &self.deployment.spec;
        let surge = arithmetic::max_surge(spec);
        let allowed = if spec.replicas > 0 { spec.replicas + surge } else { 0 };
        let mut sets: Vec<_> = owned.active().cloned().collect();
        let to_add = allowed - sets.iter().map(|set| set.replicas).sum::<i32>();
        match to_add {
            0 => {}
            1.. => sets.sort_by(|a, b| b.replicas.cmp(&a.replicas).then(age(b).cmp(&age(a)))),
            _ => sets.sort_by(|a, b| b.replicas.cmp(&a.replicas).then(age(a).cmp(&age(b)))),
        }
        let mut added = 0;
        let mut sizes = Vec::with_capacity(sets.len());
        for set in &sets {
            let share = arithmetic::proportion(set, &self.deployment, to_add, added);
            sizes.push(set.replicas + share);
            added += share;
        }
        if let Some(largest) = sizes.first_mut()
            && to_add != 0
        {
            *largest = (*largest + to_add - added).max(0);
        }
        for (set, size) in sets.iter().zip(sizes) {
            self.write_size(set, size)?;
        }
        Ok(())
    }
}

/// The only ReplicaSet with pods or, where none has any, the newest; None where several have.
fn active_or_latest(owned: &Owned) -> Option<Rc<ReplicaSet>> {
    let mut active = owned.active();
    match (active.next(), active.next()) {
        (None, _) => owned.new.as_ref().or(owned.old.last()).cloned(),
        (Some(only), None) => Some(Rc::clone(only)),
        _ => None,
    }
}
