//! The caBundle of our own webhook configurations: the apiserver's trust in our CA. Writes that
//! field alone, and only where an entry points at our Service.

use std::fmt::Debug;

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation, TestOperation};
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Place;

/// A kind of webhook configuration.
pub trait Registration: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug {
    /// How each entry reaches its webhook, in order.
    fn entries(&self) -> Vec<&WebhookClientConfig>;
}

/// Why trust could not be written.
#[derive(Debug, thiserror::Error)]
pub enum InjectError {
    /// The configuration is not installed (yet).
    #[error("there is no {kind} {name}")]
    Absent {
        /// Kind of the configuration.
        kind: String,
        /// Its name.
        name: String,
    },
    /// Somebody else wrote the configuration first: read again.
    #[error("the {kind} {name} was written by somebody else")]
    Lost {
        /// Kind of the configuration.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The apiserver refused, or did not answer.
    #[error("{verb} the {kind} {name}")]
    Api {
        /// What was tried.
        verb: &'static str,
        /// Kind of the configuration.
        kind: String,
        /// Its name.
        name: String,
        /// The answer.
        #[source]
        source: kube::Error,
    },
}

impl InjectError {
    /// A stable word for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Absent { .. } => "absent",
            Self::Lost { .. } => "lost",
            Self::Api { .. } => "api",
        }
    }
}

impl Registration for MutatingWebhookConfiguration {
    fn entries(&self) -> Vec<&WebhookClientConfig> {
        self.webhooks.iter().flatten().map(|webhook| &webhook.client_config).collect()
    }
}

impl Registration for ValidatingWebhookConfiguration {
    fn entries(&self) -> Vec<&WebhookClientConfig> {
        self.webhooks.iter().flatten().map(|webhook| &webhook.client_config).collect()
    }
}

/// Makes the configuration of kind `K` trust `ca_bundle` (PEM). Gives its resourceVersion then.
///
/// # Errors
/// [`InjectError`]; what was not written is written by the next try.
pub async fn inject<K: Registration>(
    client: &Client,
    place: &Place,
    ca_bundle: &str,
) -> Result<Option<String>, InjectError> {
    let api: Api<K> = Api::all(client.clone());
    let name = place.registration.as_str();
    let (kind, owned) = (K::kind(&()).into_owned(), name.to_owned());
    let read = api.get_opt(name).await.map_err(|error| failed::<K>("read", name, error))?;
    let Some(read) = read else { return Err(InjectError::Absent { kind, name: owned }) };
    let Some(patch) = patch(&read, place, ca_bundle) else { return Ok(read.resource_version()) };
    let params =
        PatchParams { field_manager: Some(place.manager.clone()), ..PatchParams::default() };
    let written = api.patch(name, &params, &Patch::<()>::Json(patch)).await;
    let written = written.map_err(|error| failed::<K>("patch", name, error))?;
    tracing::info!(kind, name, "caBundle written");
    Ok(written.resource_version())
}

/// Completes when the configuration may have changed since `version`.
pub(crate) async fn changed<K: Registration>(
    client: &Client,
    place: &Place,
    version: Option<&str>,
) {
    let api: Api<K> = Api::all(client.clone());
    crate::changed::changed(&api, &place.registration, version).await;
}

/// The operations that are missing; none at all when nothing is.
fn patch<K: Registration>(
    registration: &K,
    place: &Place,
    ca_bundle: &str,
) -> Option<json_patch::Patch> {
    let wanted = ByteString(ca_bundle.as_bytes().to_vec());
    let missing = registration.entries().into_iter().enumerate().filter_map(|(index, entry)| {
        let index = index.to_string();
        let path = ["webhooks", &index, "clientConfig", "caBundle"];
        (is_ours(entry, place) && entry.ca_bundle.as_ref() != Some(&wanted)).then(|| {
            let path = PointerBuf::from_tokens(path);
            PatchOperation::Add(AddOperation { path, value: json!(wanted) })
        })
    });
    let mut operations: Vec<_> = missing.collect();
    if operations.is_empty() {
        return None;
    }
    // The indexes hold for this version only.
    let path = PointerBuf::from_tokens(["metadata", "resourceVersion"]);
    let value = registration.resource_version().map_or(Value::Null, Value::String);
    operations.insert(0, PatchOperation::Test(TestOperation { path, value }));
    Some(json_patch::Patch(operations))
}

fn is_ours(entry: &WebhookClientConfig, place: &Place) -> bool {
    entry.service.as_ref().is_some_and(|service| {
        service.name == place.service && service.namespace == place.namespace
    })
}

fn failed<K: Registration>(verb: &'static str, name: &str, source: kube::Error) -> InjectError {
    let (kind, name) = (K::kind(&()).into_owned(), name.to_owned());
    match &source {
        // The apiserver answers a failed test with 422, a lost race with 409.
        kube::Error::Api(status) if verb == "patch" && [404, 409, 422].contains(&status.code) => {
            InjectError::Lost { kind, name }
        }
        _ => InjectError::Api { verb, kind, name, source },
    }
}

#[cfg(test)]
mod tests;
