//! Templates of gates, read when a plan asks for one. Makes no gate of them: that is the plan's.

use std::fmt::Debug;
use std::time::Duration;

use crds::contract::is_object_name;
use crds::gates::{Template, TemplateKind, TemplateRef};
use crds::{ClusterGateTemplate, GateTemplate};
use kube::api::Api;
use kube::{Client, Resource};
use runtime::chain;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

/// How long a read may take.
const READ: Duration = Duration::from_secs(10);

/// Why a template cannot be had.
#[derive(Debug, thiserror::Error)]
enum TemplateError {
    #[error("there is no {0}: make it, or correct template.name")]
    Missing(String),
    #[error("{0} cannot be read")]
    Unread(String, #[source] kube::Error),
    #[error("reading {0} takes too long")]
    Slow(String),
}

/// The template that a Rollout in `namespace` names, or why there is none.
pub async fn read(
    client: &Client,
    namespace: &str,
    wanted: &TemplateRef,
) -> Result<Template, String> {
    let TemplateRef { kind, name, .. } = wanted;
    if !is_object_name(name) {
        return Err(format!("{name:?} is no name of a template: correct template.name"));
    }
    let read = match kind {
        TemplateKind::GateTemplate => {
            let api: Api<GateTemplate> = Api::namespaced(client.clone(), namespace);
            let what = format!("GateTemplate {name} in namespace {namespace}");
            get(&api, name, what).await.map(|template| Template::from(template.spec))
        }
        TemplateKind::ClusterGateTemplate => {
            let api: Api<ClusterGateTemplate> = Api::all(client.clone());
            let what = format!("ClusterGateTemplate {name}");
            get(&api, name, what).await.map(|template| Template::from(template.spec))
        }
    };
    read.map_err(|error| chain(&error).to_string())
}

async fn get<K>(api: &Api<K>, name: &str, what: String) -> Result<K, TemplateError>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    match timeout(READ, api.get(name)).await {
        Ok(Ok(template)) => Ok(template),
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => {
            Err(TemplateError::Missing(what))
        }
        Ok(Err(error)) => Err(TemplateError::Unread(what, error)),
        Err(_) => Err(TemplateError::Slow(what)),
    }
}

#[cfg(test)]
mod tests;
