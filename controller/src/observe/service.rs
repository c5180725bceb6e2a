//! Reads Services, the user's and ours, and what EndpointSlices say of ours.

use crds::Revision;
use crds::contract::{REVISION_LABEL, ROLLOUT_LABEL, SERVICE_LABEL};
use serde::Deserialize;

use super::Unreadable;
use crate::raw::Raw;

/// The label by which an EndpointSlice names its Service.
const OWNER_LABEL: &str = "kubernetes.io/service-name";

/// A Service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRead {
    /// metadata.name.
    pub name: String,
    /// metadata.uid.
    pub uid: String,
    /// Of ours: the Rollout, the user's Service, and the revision whose pods it selects.
    pub ours: Option<(String, String, Revision)>,
}

/// An EndpointSlice.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceRead {
    /// Name of its Service.
    pub service: String,
    /// Pods that are ready in it.
    pub ready: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    #[serde(default)]
    conditions: Conditions,
    #[serde(default)]
    target_ref: Option<Target>,
    #[serde(default)]
    addresses: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Conditions {
    ready: Option<bool>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(default)]
    name: String,
}

/// Reads a Service.
pub fn service(raw: &Raw) -> Result<ServiceRead, Unreadable> {
    let label = |name| raw.label(name).map(str::to_owned);
    let ours = label(ROLLOUT_LABEL).zip(label(SERVICE_LABEL)).zip(label(REVISION_LABEL));
    let ours =
        ours.map(|((rollout, user), revision)| (rollout, user, Revision::from(revision.as_str())));
    Ok(ServiceRead { name: raw.key().name, uid: raw.uid().to_owned(), ours })
}

/// Reads an EndpointSlice. An endpoint of which nobody knows whether it is ready counts as ready
/// (`EndpointConditions` in k8s.io/api/discovery/v1).
pub fn slice(raw: &Raw) -> Result<SliceRead, Unreadable> {
    let service = raw.label(OWNER_LABEL).unwrap_or_default().to_owned();
    let mut ready = Vec::new();
    for value in raw.value()["endpoints"].as_array().into_iter().flatten() {
        let endpoint = Endpoint::deserialize(value)?;
        if endpoint.conditions.ready != Some(false) {
            let address = || endpoint.addresses.first().cloned().unwrap_or_default();
            ready.push(endpoint.target_ref.map_or_else(address, |target| target.name));
        }
    }
    Ok(SliceRead { service, ready })
}
