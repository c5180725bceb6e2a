//! How the stock Deployment controller rolls: new pods up to the surge, old pods down to what must
//! be available, unhealthy old ones first. And Recreate.

use std::rc::Rc;

use super::arithmetic;
use super::deployments::{Owned, Sync, age};
use crate::sim::cluster::Refused;
use crate::sim::cluster::objects::{Pod, ReplicaSet};
use crate::sim::cluster::table::View;

impl Sync<'_> {
    /// One step of a rolling update: up, or else down, or else done.
    pub fn roll(&mut self) -> Result<(), Refused> {
        let owned = self.sets(true)?;
        let Some(new) = owned.new.clone() else { return Ok(()) };
        if self.grow_new(&owned, &new)? || self.shrink_old(&owned, &new)? {
            return self.report(&owned);
        }
        self.finish(&owned)
    }

    /// Recreate: all old pods gone first.
    pub fn recreate(&mut self, pods: &View<Pod>) -> Result<(), Refused> {
        let owned = self.sets(false)?;
        let mut shrunk = false;
        for set in owned.old.iter().filter(|set| set.replicas > 0) {
            self.resize(set, 0)?;
            shrunk = true;
        }
        let old_pods = |pod: &Rc<Pod>| owned.old.iter().any(|set| set.meta.uid == pod.owner);
        if shrunk || pods.iter().any(old_pods) {
            return self.report(&owned);
        }
        let owned = self.sets(true)?;
        if let Some(new) = &owned.new {
            self.resize(new, self.deployment.spec.replicas)?;
        }
        self.finish(&owned)
    }

    fn finish(&mut self, owned: &Owned) -> Result<(), Refused> {
        let (status, wanted) = (self.deployment.status, self.deployment.spec.replicas);
        let complete = [status.updated, status.replicas, status.available] == [wanted; 3]
            && status.observed_generation >= self.deployment.meta.generation;
        if complete {
            self.clean_up(&owned.old);
        }
        self.report(owned)
    }

    fn grow_new(&mut self, owned: &Owned, new: &Rc<ReplicaSet>) -> Result<bool, Refused> {
        let spec = &self.deployment.spec;
        let size = if new.replicas > spec.replicas {
            spec.replicas
        } else {
            arithmetic::new_set_size(spec, owned.total(), new.replicas)
        };
        self.resize(new, size)?;
        Ok(size != new.replicas)
    }

    /// An error in the middle is swallowed here, as in the original.
    fn shrink_old(&mut self, owned: &Owned, new: &Rc<ReplicaSet>) -> Result<bool, Refused> {
        let mut old: Vec<_> = owned.old.iter().filter(|set| set.replicas > 0).cloned().collect();
        if old.is_empty() {
            return Ok(false);
        }
        old.sort_by(|a, b| age(a).cmp(&age(b)));
        let spec = &self.deployment.spec;
        let min_available = spec.replicas - arithmetic::max_unavailable(spec);
        let room = owned.total() - min_available - (new.replicas - new.status.available);
        if room <= 0 {
            return Ok(false);
        }
        let Ok(unhealthy) = self.shrink_unhealthy(&mut old, room) else { return Ok(false) };
        let available = new.status.available + old.iter().map(|s| s.status.available).sum::<i32>();
        let Ok(healthy) = self.shrink_by(&old, available - min_available) else { return Ok(false) };
        Ok(unhealthy + healthy > 0)
    }

    fn shrink_unhealthy(&mut self, old: &mut [Rc<ReplicaSet>], room: i32) -> Result<i32, Refused> {
        let mut taken = 0;
        for set in old {
            let unhealthy = set.replicas - set.status.available;
            if taken >= room || set.replicas == 0 || unhealthy == 0 {
                continue;
            }
            let down = unhealthy.min(room - taken);
            if down < 0 {
                return Err(Refused::Invalid("more available than asked for".to_owned()));
            }
            *set = self.resize(set, set.replicas - down)?;
            taken += down;
        }
        Ok(taken)
    }

    fn shrink_by(&mut self, old: &[Rc<ReplicaSet>], spare: i32) -> Result<i32, Refused> {
        let mut taken = 0;
        for set in old.iter().filter(|set| set.replicas > 0) {
            if taken >= spare {
                break;
            }
            let down = set.replicas.min(spare - taken);
            self.resize(set, set.replicas - down)?;
            taken += down;
        }
        Ok(taken)
    }
}
