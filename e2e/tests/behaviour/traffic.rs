//! Requests through the real Gateway follow the pods of a release, and none is lost.

use crds::status::Phase;
use e2e::app::App;
use e2e::failure::Outcome;
use e2e::load::{Load, Tally};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::route::none_failed;
use e2e::scenario::waits::status;
use e2e::scenario::{Scenario, stage};
use serde_json::{Value, json};

/// Requests a second on each of the two loads.
const RATE: u32 = 30;

fn routes() -> Value {
    json!([{
        "name": "web",
        "service": "web",
        "refs": [{
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "name": "web",
        }],
    }])
}

fn plan<const N: usize>(batches: [&str; N]) -> Plan {
    Plan::new(batches).with("routes", routes())
}

/// Four pods that end well: a gateway takes a moment to hear that one goes.
fn app() -> App {
    App::new(4).drain(8)
}

/// Plays a story under load: no request may fail.
async fn under_load(
    name: &str,
    app: App,
    plan: Plan,
    body: impl AsyncFnOnce(&mut Scenario) -> Outcome,
) -> Outcome {
    stage(name, app, plan, async |s: &mut Scenario| {
        s.create().await?;
        s.is_routed_by(&s.route()).await?;
        let loads = s.loads(RATE)?;
        body(s).await?;
        s.gives_back(&s.route()).await?;
        none_failed(&stop(loads))
    })
    .await
}

fn stop(loads: [Load; 2]) -> [Tally; 2] {
    loads.map(|load| load.seen())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_batch_gets_its_share() -> Outcome {
    let plan = plan(["25% pause", "50% pause", "100%"]);
    under_load("route-shares", app(), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.answers("v2", 25.0, s.requests(2_000, 400)?).await?;
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
    under_load("route-abort", app(), plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.abort().await?;
        s.is_rejected_for(&stable).await?;
        s.answers("v2", 0.0, s.requests(200, 200)?).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_chosen_users_see_it() -> Outcome {
    let chosen = json!({"matches": [{"headers": [{"name": "user", "value": "beta"}]}]});
    let mut plan = plan(["25% pause", "100%"]);
    plan.batch(0)["traffic"] = chosen;
    under_load("route-chosen", app(), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.answers("v2", 100.0, s.requests(400, 400)?.header("user", "beta")).await?;
        s.answers("v2", 0.0, s.requests(400, 400)?).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_version_takes_the_requests_of_the_second() -> Outcome {
    let plan = plan(["50% pause", "100%"]);
    under_load("route-third", app(), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.release("v3").await?;
        s.rests_in(1).await?;
        s.answers("v3", 50.0, s.requests(1_000, 400)?).await?;
        s.answers("v2", 0.0, s.requests(200, 200)?).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_users_own_rollback() -> Outcome {
    let plan = plan(["50% pause", "100%"]);
    under_load("route-undo", app(), plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.reapply_old("v1").await?;
        s.is_back_at(&stable).await?;
        s.answers("v1", 100.0, s.requests(200, 200)?).await
    })
    .await
}

/// A forced apply of the route's own manifest, in every phase: it lands shared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_route_applied_again_and_again() -> Outcome {
    let plan = plan(["50% pause 5s", "100%"]);
    under_load("route-reapply", app(), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.tell(&Told::Promote { batch: 1 });
        loop {
            let args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
            s.kubectl.feed(&args, &s.route()).await?;
            let phase = s.until("the status", |sight| Some(status(sight)?.phase)).await?;
            if phase == Phase::Ready {
                return s.completes().await;
            }
        }
    })
    .await
}
