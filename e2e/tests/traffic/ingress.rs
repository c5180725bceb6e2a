//! A canary Ingress with the annotations of ingress-nginx, live.

use e2e::failure::Outcome;
use serde_json::{Value, json};

use crate::stage::{self, Stage, check, in_effect};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_ingress_shares_requests() -> Outcome {
    stage::play("ingress", async |stage: &Stage| {
        stage.apply(&ingress(stage, "web", &json!({}))).await?;
        let (all, chosen) = (stage.order()?, stage.order()?.header("user", "beta"));
        in_effect(&all, |tally| tally.of("v1") == 50).await?;

        let key = |name: &str| format!("nginx.ingress.kubernetes.io/{name}");
        let annotations = json!({
            key("canary"): "true",
            key("canary-weight"): "30",
            key("canary-by-header"): "user",
            key("canary-by-header-value"): "beta",
        });
        stage.apply(&ingress(stage, "web-canary", &annotations)).await?;
        in_effect(&all, |tally| tally.of("v2") > 0).await?;
        check(all.requests(1_000, 500), 30).await?;
        check(chosen.requests(200, 500), 100).await
    })
    .await
}

fn ingress(stage: &Stage, service: &str, annotations: &Value) -> Value {
    let backend = json!({ "service": { "name": service, "port": { "number": 80 } } });
    let paths = json!([{ "path": "/", "pathType": "Prefix", "backend": backend }]);
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": service, "annotations": annotations },
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{ "host": stage.host(), "http": { "paths": paths } }],
        },
    })
}
