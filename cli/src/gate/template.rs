//! The gate that a template makes with a Rollout's arguments, read with the user's own rights.

use crds::gates::{Template, TemplateKind};
use crds::{ClusterGateTemplate, Gate, GateTemplate};
use kube::api::Api;

use crate::cluster::Cluster;
use crate::error::{Error, call};

/// The gate with its own question, wherever that comes from.
pub(super) async fn resolved(cluster: &Cluster, gate: &Gate) -> Result<Gate, Error> {
    let Some(wanted) = &gate.template else { return Ok(gate.clone()) };
    let (name, client) = (wanted.name.as_str(), cluster.client.clone());
    let found: Option<Template> = match wanted.kind {
        TemplateKind::GateTemplate => {
            let api: Api<GateTemplate> = Api::namespaced(client, &cluster.namespace);
            let found = api.get_opt(name).await.map_err(call("read the GateTemplate"))?;
            found.map(|template| template.spec.into())
        }
        TemplateKind::ClusterGateTemplate => {
            let api: Api<ClusterGateTemplate> = Api::all(client);
            let found = api.get_opt(name).await.map_err(call("read the ClusterGateTemplate"))?;
            found.map(|template| template.spec.into())
        }
    };
    let of = |why: String| Error::Refused(format!("gate {}: {why}", gate.name));
    let template = found.ok_or_else(|| of(format!("there is no {:?} {name}", wanted.kind)))?;
    let prometheus = template.resolve(&wanted.args).map_err(|error| of(error.to_string()))?;
    Ok(Gate { prometheus: Some(prometheus), template: None, ..gate.clone() })
}
