//! Looks for a Rollout that names a workload already: the only question that the webhook asks the
//! apiserver while somebody waits. Whoever asks decides what no answer means.

use std::time::Duration;

use crds::rollout::WorkloadRef;
use kube::Client;
use kube::api::ListParams;
use serde::Deserialize;
use tokio::sync::Semaphore;

/// Within the apiserver's own 2 s for the whole review.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Lists at once; Rollouts are made by people, and a flood of reviews must not become one of lists.
const LOOKUPS_MAX: usize = 8;
const PAGE: u32 = 500;

/// Whoever knows the Rollouts of a namespace.
pub trait Rivals: Send + Sync + 'static {
    /// Name of a Rollout in `namespace` that names `workload`, if there is one.
    fn naming(
        &self,
        namespace: &str,
        workload: &WorkloadRef,
    ) -> impl Future<Output = Result<Option<String>, RivalsError>> + Send;
}

/// Why nobody can say now.
#[derive(Debug, thiserror::Error)]
pub enum RivalsError {
    /// The namespace is no DNS label, so it cannot be part of an address.
    #[error("the namespace has no valid name")]
    Namespace,
    /// Too many are asking.
    #[error("too many lists at once")]
    Busy,
    /// The apiserver took too long.
    #[error("the list took longer than {} s", TIMEOUT.as_secs())]
    Timeout,
    /// The address could not be made.
    #[error("make the request")]
    Request(#[source] kube::core::request::Error),
    /// The apiserver refused, or did not answer.
    #[error("list the Rollouts of the namespace")]
    List(#[source] kube::Error),
}

impl RivalsError {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::Request(_) => "request",
            Self::List(_) => "list",
        }
    }
}

/// Asks the apiserver.
pub struct Live {
    client: Client,
    lookups: Semaphore,
}

impl Live {
    /// Over `client`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, lookups: Semaphore::new(LOOKUPS_MAX) }
    }

    async fn list(
        &self,
        namespace: &str,
        workload: &WorkloadRef,
    ) -> Result<Option<String>, RivalsError> {
        let (group, version) = (crds::contract::GROUP, crds::contract::VERSION);
        let path = format!("/apis/{group}/{version}/namespaces/{namespace}/rollouts");
        let mut params = ListParams::default().limit(PAGE);
        loop {
            let request = kube::core::Request::new(&path).list(&params);
            let request = request.map_err(RivalsError::Request)?;
            let page: Page = self.client.request(request).await.map_err(RivalsError::List)?;
            let found = page.items.into_iter().find(|item| item.spec.workload_ref == *workload);
            match (found, page.metadata.next) {
                (Some(item), _) => return Ok(Some(item.metadata.name)),
                (None, Some(next)) if !next.is_empty() => params.continue_token = Some(next),
                (None, _) => return Ok(None),
            }
        }
    }
}

impl Rivals for Live {
    async fn naming(
        &self,
        namespace: &str,
        workload: &WorkloadRef,
    ) -> Result<Option<String>, RivalsError> {
        if !is_dns_label(namespace) {
            return Err(RivalsError::Namespace);
        }
        let _place = self.lookups.try_acquire().map_err(|_| RivalsError::Busy)?;
        let list = self.list(namespace, workload);
        tokio::time::timeout(TIMEOUT, list).await.unwrap_or(Err(RivalsError::Timeout))
    }
}

/// The parts of a list that matter, and no more of them in memory.
#[derive(Clone, Debug, Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    items: Vec<Item>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct PageMeta {
    #[serde(rename = "continue", default)]
    next: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Item {
    metadata: ItemMeta,
    spec: ItemSpec,
}

#[derive(Clone, Debug, Deserialize)]
struct ItemMeta {
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemSpec {
    workload_ref: WorkloadRef,
}

fn is_dns_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner)
}

#[cfg(test)]
mod tests;
