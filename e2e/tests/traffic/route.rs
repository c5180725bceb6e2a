//! The projection of an HTTPRoute, live: the apiserver takes it, Traefik shares requests as it
//! says, and the user's rules come back.

use crds::contract::HOLD_ANNOTATION;
use crds::project::Writer;
use crds::route::{Compare, Condition, Pair, RouteHold, Share, project};
use e2e::failure::{Failure, Outcome, ensure};
use serde_json::{Value, json};

use crate::stage::{self, Stage, check, in_effect};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_under_a_hold_shares_requests_and_comes_back() -> Outcome {
    stage::play("route", async |stage: &Stage| {
        let manifest = json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            // Not armed: no Sluice has a part in it.
            "metadata": { "name": "web" },
            "spec": {
                "parentRefs": [{ "name": "sluice", "namespace": "traefik" }],
                "hostnames": [stage.host()],
                "rules": [{ "backendRefs": [{ "name": "web", "port": 80 }] }],
            },
        });
        stage.apply(&manifest).await?;
        let (all, chosen) = (stage.order()?, stage.order()?.header("user", "beta"));
        in_effect(&all, |tally| tally.of("v1") == 50).await?;
        let own = live(stage).await?;

        hold(stage, 20).await?;
        in_effect(&all, |tally| tally.of("v2") > 0).await?;
        check(all.clone().requests(1_000, 500), 20).await?;
        check(chosen.clone().requests(200, 500), 100).await?;

        hold(stage, 0).await?;
        in_effect(&all, |tally| tally.of("v2") == 0).await?;
        check(chosen.clone().requests(200, 500), 100).await?;
        check(all.clone().requests(200, 500).new_connections(), 0).await?;

        write(stage, None).await?;
        in_effect(&chosen, |tally| tally.of("v2") == 0).await?;
        let restored = live(stage).await?;
        ensure(own["spec"] == restored["spec"], || {
            format!("not the user's own: {} is now {}", own["spec"], restored["spec"])
        })
    })
    .await
}

async fn live(stage: &Stage) -> Outcome<Value> {
    stage.kubectl.json(&["get", "httproute", "web"], None).await
}

/// So many percent, and all requests of beta users.
async fn hold(stage: &Stage, weight: u32) -> Outcome {
    let beta = Pair { compare: Compare::Exact, name: "user".to_owned(), value: "beta".to_owned() };
    let share = Share {
        service: "web".to_owned(),
        stable: None,
        canary: "web-canary".to_owned(),
        weight,
        conditions: vec![Condition { headers: vec![beta], ..Condition::default() }],
    };
    write(stage, Some(RouteHold::new(vec![share]))).await
}

/// Writes the hold, and with it what a webhook would add in the same write.
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
    stage.kubectl.feed(&["replace", "-f", "-"], &new).await.map(drop)
}
