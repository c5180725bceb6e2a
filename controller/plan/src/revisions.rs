//! The pods of a workload by revision, whatever its kind: how far a batch is, whether all is
//! settled, where a template is found. Builds the writes of holds and templates, and decides
//! nothing about when.

use crds::{Hold, Revision};
use jiff::Timestamp;

use crate::action::{Action, Payload, TemplateFrom, WriteHold};
use crate::draft::{Draft, later};
use crate::observed::{Fact, Observed, Pod, Set, Sets, Trouble, Workload};

/// How far a batch is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Progress {
    /// spec.replicas of the update ReplicaSet.
    pub(crate) new: i32,
    /// Its pods that have been ready for as long as the user asks, without those that it is going
    /// to remove: a pod counts only once.
    pub(crate) ready: i32,
    /// When the next pod will have been.
    pub(crate) matures: Option<Timestamp>,
    /// spec.replicas of all old ReplicaSets together.
    pub(crate) old: i32,
    /// All pods.
    pub(crate) pods: i32,
    /// The sizes of the ReplicaSets were computed from the workload's present replicas.
    pub(crate) is_scaled: bool,
    /// The first pod of the update that says why it does not get ready.
    pub(crate) trouble: Option<(String, Trouble)>,
}

impl Progress {
    /// The progress to revision `update`, whose pods count once ready for so many seconds.
    pub(crate) fn of(
        workload: &Workload,
        update: &Revision,
        min_ready: i32,
        sets: &Sets,
        now: Timestamp,
    ) -> Self {
        let new = || all(sets).filter(|set| set.revision == *update);
        let pods = || new().flat_map(|set| &set.pods);
        let since = |pod: &Pod| pod.ready_since.map(|at| later(at, i64::from(min_ready)));
        let ripe = || pods().filter_map(since);
        let old = || others(sets, update);
        let leaving = |set: &Set| (count(set.pods.iter()) - set.replicas).max(0);
        let scaled = |set: &Set| set.desired.is_none_or(|desired| desired == workload.replicas);
        Self {
            new: new().map(|set| set.replicas).sum(),
            ready: (count(ripe().filter(|at| *at <= now)) - new().map(leaving).sum::<i32>()).max(0),
            matures: ripe().filter(|at| *at > now).min(),
            old: old().map(|set| set.replicas).sum(),
            pods: count(all(sets).flat_map(|set| &set.pods)),
            is_scaled: all(sets).filter(|set| set.replicas > 0).all(scaled),
            trouble: first_trouble(pods()),
        }
    }
}

/// Its pods that are ready.
pub(crate) fn ready_of(set: &Set) -> i32 {
    count(set.pods.iter().filter(|pod| pod.ready_since.is_some()))
}

fn first_trouble<'a>(pods: impl Iterator<Item = &'a Pod>) -> Option<(String, Trouble)> {
    let unready = pods.filter(|pod| pod.ready_since.is_none());
    unready
        .filter_map(|pod| Some((pod.name.clone(), pod.trouble.clone()?)))
        .min_by(|a, b| a.0.cmp(&b.0))
}

pub(crate) fn count<T>(items: impl Iterator<Item = T>) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}

/// The ReplicaSet of a revision.
pub(crate) fn find<'a>(sets: &'a Sets, revision: &Revision) -> Option<&'a Set> {
    all(sets).find(|set| set.revision == *revision)
}

/// The ReplicaSets of all other revisions.
pub(crate) fn others<'a>(sets: &'a Sets, revision: &'a Revision) -> impl Iterator<Item = &'a Set> {
    all(sets).filter(move |set| set.revision != *revision)
}

pub(crate) fn all(sets: &Sets) -> impl Iterator<Item = &Set> {
    sets.update.iter().chain(&sets.old)
}

/// All pods are of `revision`, and as many as there have to be.
pub(crate) fn is_settled(sets: &Sets, revision: &Revision, replicas: i32) -> bool {
    let gone = others(sets, revision).all(|set| set.replicas == 0 && set.pods.is_empty());
    let there = find(sets, revision).map_or(0, |set| set.replicas);
    gone && there >= replicas
}

/// The same after a release, where `kept` other pods may be of any revision.
pub(crate) fn is_released(sets: &Sets, revision: &Revision, replicas: i32, kept: i32) -> bool {
    let there = find(sets, revision).map_or(0, |set| set.replicas);
    let old = count(others(sets, revision).flat_map(|set| &set.pods));
    (kept > 0 && there >= replicas && old <= kept) || is_settled(sets, revision, replicas)
}

/// All pods are of `revision`, and all are ready.
pub(crate) fn is_settled_and_ready(sets: &Sets, revision: &Revision, replicas: i32) -> bool {
    let ready = find(sets, revision).map_or(0, ready_of);
    is_settled(sets, revision, replicas) && ready >= replicas
}

/// Where the template of `revision` is found: Absent if it is gone, Unknown if nobody can say.
pub(crate) fn payload(seen: &Observed, workload: &Workload, revision: &Revision) -> Fact<Payload> {
    let kept = match &seen.kept {
        Fact::Known(kept) => kept.iter().find(|kept| kept.revision == *revision),
        Fact::Absent | Fact::Unknown(_) => None,
    };
    let found = |from| Fact::Known(Payload { revision: revision.clone(), from });
    match (kept, &workload.sets, &seen.kept) {
        (Some(kept), ..) => found(TemplateFrom::Kept(kept.name.clone())),
        (None, Fact::Known(sets), kept) => match (find(sets, revision), kept) {
            (Some(set), _) => found(TemplateFrom::Set(set.name.clone())),
            (None, Fact::Unknown(why)) => Fact::Unknown(why.clone()),
            (None, _) => Fact::Absent,
        },
        (None, Fact::Unknown(why), _) => Fact::Unknown(why.clone()),
        (None, Fact::Absent, _) => Fact::Absent,
    }
}

/// Keeps the template of `revision`, unless it is kept or nobody knows.
pub(crate) fn keep(draft: &mut Draft<'_>, workload: &Workload, revision: &Revision) {
    let (Fact::Known(kept), Fact::Known(sets)) = (&draft.seen.kept, &workload.sets) else {
        return;
    };
    if kept.iter().any(|kept| kept.revision == *revision) {
        return;
    }
    if let Some(set) = find(sets, revision) {
        let (revision, set) = (revision.clone(), set.name.clone());
        draft.act(Action::KeepTemplate { revision, set });
    }
}

/// Drops all kept templates but that of `revision`.
pub(crate) fn drop_all_but(draft: &mut Draft<'_>, revision: Option<&Revision>) {
    if let Fact::Known(kept) = &draft.seen.kept {
        for kept in kept.iter().filter(|kept| Some(&kept.revision) != revision) {
            draft.act(Action::DropTemplate { name: kept.name.clone() });
        }
    }
}

/// The write that sets, changes or lifts (None) the hold.
pub(crate) fn write(workload: &Workload, hold: Option<Hold>) -> WriteHold {
    WriteHold {
        uid: workload.uid.clone(),
        generation: workload.generation,
        was: workload.hold_text.clone(),
        hold,
        payload: None,
        may_write_fields: false,
    }
}
