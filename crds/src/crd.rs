//! The CustomResourceDefinition as it is installed: the derived one, without what would let a rule
//! stop the controller's own writes.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::CustomResourceExt;

use crate::{ClusterGateTemplate, GateTemplate, HookProvider, MetricProvider, Notifier, Rollout};

/// What its file begins with.
pub const HEADER: &str = "# Generated: UPDATE_EXPECT=1 cargo test -p crds\n";

/// All that is installed.
#[must_use]
pub fn all() -> [CustomResourceDefinition; 6] {
    let [providers, hooks, notifiers] =
        [MetricProvider::crd(), HookProvider::crd(), Notifier::crd()].map(known_formats);
    let [templates, cluster_templates] =
        [GateTemplate::crd(), ClusterGateTemplate::crd()].map(known_formats);
    [rollouts(), providers, templates, cluster_templates, hooks, notifiers]
}

/// The CRD of [`Rollout`].
#[must_use]
pub fn rollouts() -> CustomResourceDefinition {
    let mut crd = Rollout::crd();
    for schema in schemas(&mut crd) {
        walk(schema, &mut without_unknown_formats);
        if let Some(status) = schema.properties.as_mut().and_then(|all| all.get_mut("status")) {
            walk(status, &mut |schema| *schema = unruled(std::mem::take(schema)));
        }
    }
    crd
}

fn known_formats(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    schemas(&mut crd).for_each(|schema| walk(schema, &mut without_unknown_formats));
    crd
}

fn schemas(crd: &mut CustomResourceDefinition) -> impl Iterator<Item = &mut JSONSchemaProps> {
    let versions = crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut());
    versions.filter_map(|schema| schema.open_api_v3_schema.as_mut())
}

/// The apiserver warns of formats that it does not know.
fn without_unknown_formats(schema: &mut JSONSchemaProps) {
    schema.format.take_if(|format| format == "uint32");
}

fn walk(schema: &mut JSONSchemaProps, change: &mut impl FnMut(&mut JSONSchemaProps)) {
    change(schema);
    schema.properties.iter_mut().flatten().for_each(|(_, inner)| walk(inner, change));
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        walk(items, change);
    }
}

/// What stands in the status was right when it was copied there: no later rule may refuse it.
fn unruled(schema: JSONSchemaProps) -> JSONSchemaProps {
    JSONSchemaProps {
        max_items: None,
        max_length: None,
        maximum: None,
        min_items: None,
        min_length: None,
        minimum: None,
        nullable: None,
        pattern: None,
        x_kubernetes_validations: None,
        ..schema
    }
}
