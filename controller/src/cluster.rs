//! Calls to the apiserver: each has a deadline, writes are counted and made only by a leader, and
//! every failure has one of a few meanings. Owns no decision and no retry.

use std::time::Duration;

use json_patch::{
    AddOperation, PatchOperation, RemoveOperation, TestOperation, jsonptr::PointerBuf,
};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Client, Error as KubeError};
use serde_json::Value;

use crate::key::Key;
use crate::lease::Tenure;
use crate::metrics::Metrics;
use crate::raw::{Kind, Raw};

/// A call that takes longer has failed: the next attempt is made on fresh knowledge.
const CALL: Duration = Duration::from_secs(10);

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// A precondition did not hold: what the plan was made on is old.
    #[error("the object has changed since it was read")]
    Stale(#[source] Option<Box<KubeError>>),
    /// The object is not there.
    #[error("the object is not there")]
    Gone,
    /// An admission policy or webhook said no.
    #[error("refused: {0}")]
    Refused(String),
    /// We may not do that.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// The server rejects what we sent.
    #[error("rejected: {0}")]
    Rejected(String),
    /// No answer in time.
    #[error("no answer within {} s", CALL.as_secs())]
    Timeout,
    /// We do not lead (any more).
    #[error("not leading")]
    NotLeading,
    /// Anything else, the connection mostly.
    #[error("the apiserver cannot be reached")]
    Unreachable(#[source] Box<KubeError>),
}

impl CallError {
    /// A stable word for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Stale(_) => "stale",
            Self::Gone => "gone",
            Self::Refused(_) => "refused",
            Self::Forbidden(_) => "forbidden",
            Self::Rejected(_) => "rejected",
            Self::Timeout => "timeout",
            Self::NotLeading => "not_leading",
            Self::Unreachable(_) => "unreachable",
        }
    }
}

impl From<KubeError> for CallError {
    fn from(error: KubeError) -> Self {
        let KubeError::Api(status) = &error else { return Self::Unreachable(Box::new(error)) };
        let message = &status.message;
        match status.code {
            404 => Self::Gone,
            409 => Self::Stale(Some(Box::new(error))),
            _ if message.contains("denied") => Self::Refused(message.clone()),
            403 => Self::Forbidden(message.clone()),
            // How the apiserver reports a JSON patch that does not apply: a failed test, or a path
            // that is not there any more.
            422 if message.contains("rejected our request") => Self::Stale(Some(Box::new(error))),
            // How it answers a merge patch that names another uid.
            422 if message.contains("metadata.uid") => Self::Stale(Some(Box::new(error))),
            400 | 405..=422 => Self::Rejected(message.clone()),
            _ => Self::Unreachable(Box::new(error)),
        }
    }
}

/// One write to an object.
#[derive(Clone, Debug)]
pub struct Write {
    /// What.
    pub kind: Kind,
    /// Which.
    pub key: Key,
    /// Only its status.
    pub status: bool,
    /// How.
    pub patch: Patch<Value>,
    /// As whom.
    pub manager: &'static str,
    /// A stable word for metrics.
    pub label: &'static str,
}

/// The cluster as the leader sees it.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    tenure: Tenure,
    metrics: Metrics,
}

impl Cluster {
    /// Calls by `client`, writes only during `tenure`.
    pub fn new(client: Client, tenure: Tenure, metrics: Metrics) -> Self {
        Self { client, tenure, metrics }
    }

    /// The client, for watches.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// A live read.
    pub async fn get(&self, kind: Kind, key: &Key) -> Result<Raw, CallError> {
        let api = kind.within(self.client(), &key.namespace);
        timely(api.get(&key.name)).await
    }

    /// A live list by labels.
    pub async fn list(
        &self,
        kind: Kind,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<Raw>, CallError> {
        let api = kind.within(self.client(), namespace);
        let params = kube::api::ListParams::default().labels(selector);
        Ok(timely(api.list(&params)).await?.items)
    }

    /// Changes an object; returns it as it is afterwards.
    pub async fn patch(&self, write: Write) -> Result<Raw, CallError> {
        self.may_write(write.label)?;
        let api = write.kind.within(self.client(), &write.key.namespace);
        let params =
            PatchParams { field_manager: Some(write.manager.to_owned()), ..PatchParams::default() };
        if write.status {
            timely(api.patch_status(&write.key.name, &params, &write.patch)).await
        } else {
            timely(api.patch(&write.key.name, &params, &write.patch)).await
        }
    }

    /// Creates an object; [`CallError::Stale`] if one of that name is there.
    pub async fn create(
        &self,
        kind: Kind,
        label: &'static str,
        object: Value,
    ) -> Result<Raw, CallError> {
        self.may_write(label)?;
        let raw = Raw::new(object).map_err(|error| CallError::Rejected(error.to_string()))?;
        let api = kind.within(self.client(), &raw.key().namespace);
        let params = PostParams {
            field_manager: Some(crds::contract::CONTROLLER_MANAGER.to_owned()),
            ..PostParams::default()
        };
        timely(api.create(&params, &raw)).await
    }

    /// Deletes the object of this uid, and of this version if one is given.
    pub async fn delete(
        &self,
        kind: Kind,
        label: &'static str,
        key: &Key,
        uid: &str,
        version: Option<&str>,
    ) -> Result<(), CallError> {
        self.may_write(label)?;
        let api = kind.within(self.client(), &key.namespace);
        let (uid, resource_version) = (Some(uid.to_owned()), version.map(str::to_owned));
        let params =
            DeleteParams::background().preconditions(Preconditions { uid, resource_version });
        timely(api.delete(&key.name, &params)).await.map(|_| ())
    }

    fn may_write(&self, label: &'static str) -> Result<(), CallError> {
        if !self.tenure.is_valid() {
            return Err(CallError::NotLeading);
        }
        self.metrics.write(label);
        Ok(())
    }
}

async fn timely<T>(call: impl Future<Output = Result<T, KubeError>>) -> Result<T, CallError> {
    match tokio::time::timeout(CALL, call).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(CallError::Timeout),
    }
}

/// JSON patch: the value at a path has to be this; null stands for absent.
pub fn test<'a>(path: impl IntoIterator<Item = &'a str>, value: Value) -> PatchOperation {
    PatchOperation::Test(TestOperation { path: pointer(path), value })
}

/// JSON patch: puts a value there, whatever was there before.
pub fn add<'a>(path: impl IntoIterator<Item = &'a str>, value: Value) -> PatchOperation {
    PatchOperation::Add(AddOperation { path: pointer(path), value })
}

/// JSON patch: takes away what is there.
pub fn remove<'a>(path: impl IntoIterator<Item = &'a str>) -> PatchOperation {
    PatchOperation::Remove(RemoveOperation { path: pointer(path) })
}

fn pointer<'a>(path: impl IntoIterator<Item = &'a str>) -> PointerBuf {
    PointerBuf::from_tokens(path)
}
