//! The projection of an Ingress and the canary Ingress beside it, live: Traefik shares requests as
//! they say, loses none on the way there and back, and the user's paths come back.

use std::time::Duration;

use crds::contract::{HOLD_ANNOTATION, ROLLOUT_LABEL};
use crds::project::Writer;
use crds::route::ingress::canary;
use crds::route::{Condition, RouteHold, Share, project};
use e2e::failure::{Failure, Outcome, ensure};
use e2e::load::Load;
use serde_json::{Value, json};

use crate::stage::{self, Stage, check, in_effect};

/// Requests a second, all the time.
const RATE: u32 = 50;
/// No test takes longer.
const TIME: Duration = Duration::from_mins(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ingress_under_a_hold_shares_requests_and_comes_back() -> Outcome {
    stage::play("ingress", async |stage: &Stage| {
        stage.apply(&stable_service()).await?;
        stage.apply(&ingress(stage)).await?;
        let all = stage.order()?;
        in_effect(&all, |tally| tally.of("v1") == 50).await?;
        let own = live(stage).await?;
        let mut order = all.clone().requests(TIME.as_secs() * u64::from(RATE), RATE);
        order.time = TIME;
        let load = Load::start(order.new_connections())?;

        hold(stage, 0).await?;
        hold(stage, 30).await?;
        in_effect(&all, |tally| tally.of("v2") > 0).await?;
        check(all.clone().requests(1_000, 500), 30).await?;
        for chosen in [("user", "beta"), ("cookie", "a=b; beta=always")] {
            check(all.clone().header(chosen.0, chosen.1).requests(200, 500), 100).await?;
        }
        check(all.clone().header("user", "other").requests(200, 500), 30).await?;

        // All requests, and then nobody is left of the stable version.
        hold(stage, 100).await?;
        in_effect(&all, |tally| tally.of("v1") == 0).await?;
        let scale = ["scale", "deployment/web", "--replicas=0"];
        stage.kubectl.run(&scale).await?;
        stage
            .kubectl
            .run(&["wait", "pod", "-l", "app=web", "--for=delete", "--timeout=90s"])
            .await?;
        check(all.clone().requests(500, 500), 100).await?;
        stage.kubectl.run(&["scale", "deployment/web", "--replicas=2"]).await?;
        stage.kubectl.run(&["rollout", "status", "deployment/web", "--timeout=90s"]).await?;

        hold(stage, 0).await?;
        in_effect(&all, |tally| tally.of("v2") == 0).await?;
        write(stage, None).await?;
        check(all.clone().header("user", "beta").requests(200, 100), 0).await?;
        let tally = load.stop().await?;
        ensure(tally.faults.is_empty() && tally.total() > 0, || tally.to_string())?;
        let restored = live(stage).await?;
        ensure(own["spec"] == restored["spec"], || {
            format!("not the user's own: {} is now {}", own["spec"], restored["spec"])
        })
    })
    .await
}

fn stable_service() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": "web-stable" },
        "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80, "targetPort": 8080 }] },
    })
}

fn ingress(stage: &Stage) -> Value {
    let backend = json!({ "service": { "name": "web", "port": { "number": 80 } } });
    let paths = json!([{ "path": "/", "pathType": "Prefix", "backend": backend }]);
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "web",
            // Not armed: no Sluice has a part in it.
            "labels": { ROLLOUT_LABEL: "web" },
        },
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{ "host": stage.host(), "http": { "paths": paths } }],
        },
    })
}

async fn live(stage: &Stage) -> Outcome<Value> {
    stage.kubectl.json(&["get", "ingress", "web"], None).await
}

/// So many percent, and where it is some the requests of beta users too.
async fn hold(stage: &Stage, weight: u32) -> Outcome {
    let conditions = json!([
        { "headers": [{ "name": "user", "value": "beta" }] },
        { "cookies": [{ "name": "beta", "value": "always" }] },
    ]);
    let conditions: Vec<Condition> =
        serde_json::from_value(conditions).map_err(|error| Failure::Wrong(error.to_string()))?;
    let share = Share {
        service: "web".to_owned(),
        stable: Some("web-stable".to_owned()),
        canary: "web-canary".to_owned(),
        weight,
        conditions: if weight > 0 { conditions } else { Vec::new() },
    };
    write(stage, Some(RouteHold::new(vec![share]))).await
}

/// Writes the hold, with it what a webhook would add in the same write, and then what it asks for
/// beside the Ingress.
async fn write(stage: &Stage, hold: Option<RouteHold>) -> Outcome {
    let old = live(stage).await?;
    let mut new = old.clone();
    match hold {
        Some(hold) => new["metadata"]["annotations"][HOLD_ANNOTATION] = json!(hold.to_text()),
        None => drop(
            new["metadata"]["annotations"].as_object_mut().map(|all| all.remove(HOLD_ANNOTATION)),
        ),
    }
    let patch = project(&old, &new, Writer::Controller).patch;
    json_patch::patch(&mut new, &patch).map_err(|error| Failure::Wrong(error.to_string()))?;
    stage.kubectl.feed(&["replace", "-f", "-"], &new).await?;
    match canary(&new) {
        Some(canary) => stage.apply(&canary).await,
        None => {
            let args = ["delete", "ingress", "-l", "sluice.dev/revision"];
            stage.kubectl.run(&args).await.map(drop)
        }
    }
}
