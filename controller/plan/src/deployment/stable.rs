//! The soundness of the stable ReplicaSet before a first batch: fenced, its pods would count as
//! unavailable, and the stock controller would remove them before any others.

use crds::Fenced;
use crds::contract::FENCE_MIN_READY_SECONDS;

use crate::action::Action;
use crate::draft::{Draft, later};
use crate::observed::Sets;
use crate::revisions::{count, find};
use crate::waiting::Wait;

/// True if the stable pods count as what they are; otherwise repairs that, or waits.
pub(crate) fn is_sound(draft: &mut Draft<'_>, fenced: &Fenced, sets: &Sets) -> bool {
    let Some(set) = find(sets, &fenced.stable) else { return true };
    let own = fenced.original.min_ready_seconds;
    if set.min_ready_seconds == FENCE_MIN_READY_SECONDS {
        draft.act(Action::RepairSet {
            set: set.name.clone(),
            uid: set.uid.clone(),
            resource_version: set.resource_version.clone(),
            min_ready_seconds: own,
        });
        draft.wait_quietly(Wait::StableRepair { set: set.name.clone() });
        return false;
    }
    let now = draft.now;
    let ripe = set.pods.iter().filter_map(|pod| pod.ready_since);
    let ripe = count(ripe.filter(|since| later(*since, i64::from(own)) <= now));
    if set.available.is_some_and(|available| available >= ripe.min(set.replicas)) {
        return true;
    }
    draft.wait_quietly(Wait::StableRepair { set: set.name.clone() });
    false
}
