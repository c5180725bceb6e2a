//! Reads a ControllerRevision of ours: a template kept for the way back.

use crds::Revision;
use crds::contract::{REVISION_LABEL, ROLLOUT_LABEL};
use plan::observed::KeptTemplate;

use super::Unreadable;
use crate::key::Key;
use crate::raw::Raw;

/// A kept template and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptSeen {
    /// The Rollout.
    pub rollout: Key,
    /// uid of the Rollout: one that was deleted and made again is another one.
    pub owner: String,
    /// For the planner.
    pub template: KeptTemplate,
}

/// Reads a ControllerRevision of ours.
pub fn kept(raw: &Raw) -> Result<KeptSeen, Unreadable> {
    let missing = |what: &str| Unreadable(format!("{}: no {what}", raw.key()));
    let key = raw.key();
    let rollout = raw.label(ROLLOUT_LABEL).ok_or_else(|| missing(ROLLOUT_LABEL))?;
    let owner = raw.controller_uid().ok_or_else(|| missing("owner"))?;
    let revision = raw.label(REVISION_LABEL).ok_or_else(|| missing(REVISION_LABEL))?;
    Ok(KeptSeen {
        rollout: Key::new(&key.namespace, rollout),
        owner: owner.to_owned(),
        template: KeptTemplate { name: key.name, revision: Revision::from(revision) },
    })
}
