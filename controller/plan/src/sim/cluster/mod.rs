//! A model of the apiserver for one namespace: objects, resourceVersions, generations, conflicts,
//! the history that watches deliver, and admission on every Deployment update.
//!
//! It models what a release can be hurt by. Not modelled: managedFields, conditions of stock
//! objects, defaulting inside pod templates.

pub mod admission;
pub mod objects;
pub mod read;
pub mod table;
mod write;

use std::rc::Rc;

use serde_json::Value;

pub use admission::Admission;
use objects::{Deployment, KeptRevision, Meta, Node, Pod, ReplicaSet, RolloutObject};
use table::Table;

use super::moment::Moment;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// 409: another resourceVersion, uid or generation, or a JSON-patch test that failed.
    Conflict,
    /// 404.
    NotFound,
    /// 409 on create.
    AlreadyExists,
    /// 422.
    Invalid(String),
    /// 403 by the admission policy.
    Denied(String),
    /// No answer.
    Unreachable,
}

/// Kinds of objects, in the order in which the namespace keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Deployment,
    ReplicaSet,
    Pod,
    Rollout,
    ControllerRevision,
    Node,
}

/// The objects of a namespace.
#[derive(Default)]
pub struct Cluster {
    pub now: Moment,
    pub admission: Admission,
    pub deployments: Table<Deployment>,
    pub sets: Table<ReplicaSet>,
    pub pods: Table<Pod>,
    pub rollouts: Table<RolloutObject>,
    pub kept: Table<KeptRevision>,
    pub nodes: Table<Node>,
    /// Admission warnings of the last write.
    pub warnings: Vec<String>,
    version: u64,
    uids: u64,
    journal: Vec<(Kind, usize)>,
}

/// What a write demands of the object as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Precondition {
    pub uid: Option<Rc<str>>,
    pub version: Option<u64>,
    pub generation: Option<i64>,
    /// An annotation and the text that it has to have (None: it has to be absent).
    pub annotation: Option<(&'static str, Option<String>)>,
}

impl Precondition {
    /// The object as it was read.
    pub fn version(version: u64) -> Self {
        Self { version: Some(version), ..Self::default() }
    }

    fn check(&self, meta: &Meta) -> Result<(), Refused> {
        let uid = self.uid.as_ref().is_none_or(|uid| *uid == meta.uid);
        let version = self.version.is_none_or(|version| version == meta.version);
        let generation = self.generation.is_none_or(|generation| generation == meta.generation);
        if uid && version && generation { Ok(()) } else { Err(Refused::Conflict) }
    }
}

impl Cluster {
    /// Every change so far, over all kinds, in order: kind, and number in its table.
    pub fn journal(&self) -> &[(Kind, usize)] {
        &self.journal
    }

    /// Number of changes of a kind.
    pub fn changes(&self, kind: Kind) -> usize {
        match kind {
            Kind::Deployment => self.deployments.changes(),
            Kind::ReplicaSet => self.sets.changes(),
            Kind::Pod => self.pods.changes(),
            Kind::Rollout => self.rollouts.changes(),
            Kind::ControllerRevision => self.kept.changes(),
            Kind::Node => self.nodes.changes(),
        }
    }

    /// The Deployment of that name.
    pub fn deployment(&self, name: &str) -> Result<&Rc<Deployment>, Refused> {
        self.deployments.get(name).ok_or(Refused::NotFound)
    }

    /// A Deployment's JSON as a client reads it that means to change it.
    pub fn deployment_json(&self, name: &str) -> Result<Value, Refused> {
        Ok(Value::clone(&self.deployment(name)?.raw))
    }

    /// A ReplicaSet, or a workload that makes its pods itself, of this uid is there.
    pub fn is_owner_of_pods(&self, uid: &Rc<str>) -> bool {
        self.sets.iter().any(|set| set.meta.uid == *uid)
            || self.deployments.iter().any(|it| it.is_numbered() && it.meta.uid == *uid)
    }

    fn meta(&mut self, name: &Rc<str>) -> Meta {
        self.uids += 1;
        Meta {
            name: Rc::clone(name),
            uid: format!("uid-{}", self.uids).into(),
            version: self.next_version(),
            generation: 1,
            created: self.now.whole_second(),
            deleting: false,
        }
    }

    fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    fn record(&mut self, kind: Kind) {
        let changes = self.changes(kind);
        self.journal.push((kind, changes.saturating_sub(1)));
    }
}
