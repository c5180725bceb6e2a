//! Requests through an Ingress follow the pods of a release, as those through a route do: a canary
//! Ingress of ours stands beside the user's meanwhile, and none is lost.

use crds::status::Phase;
use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::load::{Load, Tally};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::route::none_failed;
use e2e::scenario::waits::status;
use e2e::scenario::{Scenario, stage};
use serde_json::{Value, json};

/// Requests a second on each of the two loads.
const RATE: u32 = 30;

fn plan<const N: usize>(batches: [&str; N]) -> Plan {
    let refs = json!([{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web"}]);
    Plan::new(batches).with("routes", json!([{"name": "web", "service": "web", "refs": refs}]))
}

/// Plays a story of four pods that end well, under load: no request may fail.
async fn under_load(
    name: &str,
    plan: Plan,
    body: impl AsyncFnOnce(&mut Scenario) -> Outcome,
) -> Outcome {
    stage(name, App::new(4).drain(8), plan, async |s: &mut Scenario| {
        s.create().await?;
        s.is_routed_by(&s.ingress()).await?;
        let loads = s.loads(RATE)?;
        body(s).await?;
        s.gives_back(&s.ingress()).await?;
        none_failed(&stop(loads))
    })
    .await
}

fn stop(loads: [Load; 2]) -> [Tally; 2] {
    loads.map(|load| load.seen())
}

/// The one canary Ingress, without anything that a GitOps tool would take for its own.
async fn canary(s: &Scenario) -> Outcome<Value> {
    let canaries = s.canaries().await?;
    ensure(canaries.len() == 1, || format!("one canary Ingress wanted: {canaries:?}"))?;
    let labels = &canaries[0]["metadata"]["labels"];
    ensure(labels["app.kubernetes.io/instance"].is_null(), || format!("labels {labels}"))?;
    Ok(canaries[0].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_batch_gets_its_share() -> Outcome {
    let plan = plan(["25% pause", "50% pause", "100%"]);
    under_load("ingress-shares", plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.answers("v2", 25.0, s.requests(2_000, 400)?).await?;
        let annotations = canary(s).await?["metadata"]["annotations"].clone();
        let copied = &annotations["nginx.ingress.kubernetes.io/ssl-redirect"];
        ensure(copied == "false", || format!("annotations {annotations}"))?;
        s.promote().await?;
        s.rests_in(2).await?;
        s.answers("v2", 50.0, s.requests(2_000, 400)?).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_leave_before_the_pods_of_an_abort() -> Outcome {
    let plan = plan(["50% pause", "100%"]);
    under_load("ingress-abort", plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.abort().await?;
        s.is_rejected_for(&stable).await?;
        s.answers("v2", 0.0, s.requests(200, 200)?).await
    })
    .await
}

/// By a header, by a cookie, and nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_chosen_users_see_it() -> Outcome {
    let chosen = json!({"matches": [
        {"headers": [{"name": "user", "value": "beta"}]},
        {"cookies": [{"name": "beta", "value": "always"}]},
    ]});
    let mut plan = plan(["25% pause", "100%"]);
    plan.batch(0)["traffic"] = chosen;
    under_load("ingress-chosen", plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.answers("v2", 100.0, s.requests(400, 400)?.header("user", "beta")).await?;
        s.answers("v2", 100.0, s.requests(400, 400)?.header("cookie", "beta=always")).await?;
        s.answers("v2", 0.0, s.requests(400, 400)?).await?;
        s.answers("v2", 0.0, s.requests(400, 400)?.header("user", "other")).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_version_takes_the_requests_of_the_second() -> Outcome {
    let plan = plan(["50% pause", "100%"]);
    under_load("ingress-third", plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        let second = canary(s).await?["metadata"]["name"].clone();
        s.release("v3").await?;
        s.rests_in(1).await?;
        let third = canary(s).await?["metadata"]["name"].clone();
        ensure(second != third, || format!("{third} serves two versions"))?;
        s.answers("v3", 50.0, s.requests(1_000, 400)?).await?;
        s.answers("v2", 0.0, s.requests(200, 200)?).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

/// Somebody takes the canary Ingress away: it comes back, and nobody notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_ingress_that_is_deleted_comes_back() -> Outcome {
    let plan = plan(["50% pause", "100%"]);
    under_load("ingress-deleted", plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        let name = canary(s).await?["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        s.kubectl.run(&["delete", "ingress", &name]).await?;
        s.waits_for("RouteSettles").await?;
        s.waits_for("Promotion").await?;
        s.answers("v2", 50.0, s.requests(1_000, 400)?).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

/// A forced apply of the Ingress's own manifest, in every phase: it lands shared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ingress_applied_again_and_again() -> Outcome {
    let plan = plan(["50% pause 5s", "100%"]);
    under_load("ingress-reapply", plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.tell(&Told::Promote { batch: 1 });
        loop {
            let args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
            s.kubectl.feed(&args, &s.ingress()).await?;
            let phase = s.until("the status", |sight| Some(status(sight)?.phase)).await?;
            if phase == Phase::Ready {
                return s.completes().await;
            }
        }
    })
    .await
}
