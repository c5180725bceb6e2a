//! ControllerRevisions, in which the stock controllers of StatefulSets, CloneSets and DaemonSets
//! keep templates, and the pods that belong to each. Pure; who read them is the shell's business.

use std::collections::BTreeMap;

use crds::Revision;

use super::{Fact, KeptPods, Pod, Set, Sets};

/// A ControllerRevision of the stock controller.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberedRevision {
    /// metadata.name.
    pub name: String,
    /// metadata.uid.
    pub uid: String,
    /// metadata.resourceVersion.
    pub resource_version: String,
    /// Its number: the newest has the highest.
    pub number: i64,
    /// Of its template.
    pub revision: Revision,
}

/// What tells a revision: its name ends with it, and a pod's label has the name or this alone.
pub(crate) fn hash_of(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(_, hash)| hash)
}

/// The pods by revision; each comes with the label that names its revision.
pub(super) fn split(
    live: &Revision,
    mut revisions: Vec<NumberedRevision>,
    pods: Vec<(String, Pod)>,
    make: impl Fn(NumberedRevision, Vec<Pod>) -> Set,
) -> Fact<Sets> {
    let mut by_hash: BTreeMap<String, Vec<Pod>> = BTreeMap::new();
    for (label, pod) in pods {
        by_hash.entry(hash_of(&label).to_owned()).or_default().push(pod);
    }
    revisions.sort_by(|a, b| (b.number, &b.name).cmp(&(a.number, &a.name)));
    let mut sets = Sets::default();
    for revision in revisions {
        let pods = by_hash.remove(hash_of(&revision.name)).unwrap_or_default();
        let set = make(revision, pods);
        if set.revision == *live && sets.update.is_none() {
            sets.update = Some(set);
        } else {
            sets.old.push(set);
        }
    }
    match by_hash.keys().next() {
        Some(hash) => Fact::Unknown(format!("the revision {hash} has not been read yet")),
        None => Fact::Known(sets),
    }
}

impl NumberedRevision {
    /// With its pods; `replicas` of them are to stay.
    pub(super) fn set(self, replicas: i32, min_ready_seconds: i32, pods: Vec<Pod>) -> Set {
        Set {
            pod_hash: self.name.clone(),
            name: self.name,
            uid: self.uid,
            resource_version: self.resource_version,
            revision: self.revision,
            replicas,
            min_ready_seconds,
            available: None,
            desired: None,
            pods,
            kept: KeptPods::default(),
        }
    }
}
