//! Templates as the apiserver has them.

use serde_json::json;

use super::*;
use crate::testing::{read as reads, scripted, status};
use crate::world::World;

fn wanted(kind: &str) -> TemplateRef {
    serde_json::from_value(json!({ "kind": kind, "name": "http" })).unwrap()
}

#[tokio::test]
async fn each_kind_is_read_where_it_is() {
    let spec = json!({ "prometheus": { "query": "up", "max": "1" } });
    for (kind, get) in [
        ("GateTemplate", "GET /apis/sluice.dev/v1alpha1/namespaces/shop/gatetemplates/http"),
        ("ClusterGateTemplate", "GET /apis/sluice.dev/v1alpha1/clustergatetemplates/http"),
    ] {
        let object = json!({ "apiVersion": "sluice.dev/v1alpha1", "kind": kind,
            "metadata": { "name": "http" }, "spec": spec });
        let (context, script) = scripted(World::default(), vec![reads(get, 200, object)]);
        let read = super::read(&context.cluster.client(), "shop", &wanted(kind)).await.unwrap();
        assert_eq!(read.prometheus.query.as_deref(), Some("up"));
        script.played(context).await;
    }
}

#[tokio::test]
async fn one_that_is_not_there_is_named() {
    let get = "GET /apis/sluice.dev/v1alpha1/namespaces/shop/gatetemplates/http";
    let exchanges = vec![reads(get, 404, status(404, "NotFound"))];
    let (context, script) = scripted(World::default(), exchanges);
    let said = super::read(&context.cluster.client(), "shop", &wanted("GateTemplate")).await;
    let expected =
        "there is no GateTemplate http in namespace shop: make it, or correct template.name";
    assert_eq!(said.unwrap_err(), expected);
    script.played(context).await;
}
