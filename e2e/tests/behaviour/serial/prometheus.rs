//! The real Prometheus killed, and stopped in its tracks, in the middle of a release: nothing is
//! taken back, nothing goes on, and once it answers again the release ends by itself.

use crds::status::GateStatus;
use e2e::app::App;
use e2e::failure::{Failure, Outcome, ensure};
use e2e::plan::Plan;
use e2e::scenario::waits::status;
use e2e::scenario::{Scenario, alone, perform};
use serde_json::json;
use tokio::process::Command;

/// Requests a second, all pods together.
const RATE: u32 = 60;

/// Starts, stops and breaks the parts of the cluster.
const COMPONENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/component.sh");

async fn prometheus(action: &str) -> Outcome {
    let done = Command::new(COMPONENT).args([action, "prometheus"]).status().await;
    let done =
        done.map_err(|source| Failure::Program { program: "component.sh".to_owned(), source })?;
    ensure(done.success(), || format!("component.sh {action} prometheus: {done}"))
}

/// Whatever the scenario comes to, the others need it again.
async fn mended(played: Outcome, action: &str) -> Outcome {
    prometheus(action).await?;
    played
}

/// Broken while the first batch is judged, by `action`, until `mend`.
async fn survives(name: &str, action: &str, mend: &str, says: &str) -> Outcome {
    let gate = json!({
        "name": "errors",
        "prometheus": {"errorRatio": {}, "max": "0.01"},
        "interval": "3s", "count": 3, "errorLimit": 1, "unknownLimit": 50,
    });
    let plan = Plan::new(["1", "100%"]).with("gates", json!([gate]));
    perform(name, App::new(4), plan, async |s: &mut Scenario| {
        s.create().await?;
        let _load = s.under_load(RATE).await?;
        s.release("v2").await?;
        s.waits_for("Gate").await?;
        prometheus(action).await?;
        let held = async {
            let said = s.waits_for("GateUnknown").await?;
            ensure(said.contains(says), || format!("{says}: {said}"))?;
            s.has_new(1).await
        };
        mended(held.await, mend).await?;
        s.completes().await
    })
    .await
}

/// Nobody scrapes the pods any more after Prometheus was dead, which forgets no sample of before
/// for five minutes: what was so then is no answer to how the version is now.
async fn outlives_its_samples() -> Outcome {
    let query = "min(up{namespace=\"{{namespace}}\",pod=~\"{{pods}}\"})";
    let gate = json!({
        "name": "up",
        "prometheus": {"query": query, "min": "1", "window": "5s"},
        "interval": "1s", "count": 20, "errorLimit": 1000, "unknownLimit": 2,
    });
    let plan = Plan::new(["1", "100%"]).with("gates", json!([gate]));
    perform("prometheus-stale", App::new(4), plan, async |s: &mut Scenario| {
        s.create().await?;
        s.release("v2").await?;
        s.until("a pass", |sight| {
            let passed = |gate: &GateStatus| gate.measured.tally().passed > 0;
            status(sight)?.gates.first().is_some_and(passed).then_some(())
        })
        .await?;
        prometheus("kill").await?;
        let scrape = async |how: &str| {
            let args = ["annotate", "--overwrite", "pods", "-l", "app=web", how];
            s.kubectl.run(&args).await.map(drop)
        };
        mended(scrape("prometheus.io/scrape-").await, "start").await?;
        let said = s.waits_for("GateUnknown").await?;
        ensure(said.contains("the query gives no series"), || said.clone())?;
        s.has_new(1).await?;
        scrape("prometheus.io/scrape=true").await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_release_outlives_prometheus() -> Outcome {
    alone(async || {
        outlives_its_samples().await?;
        survives("prometheus-killed", "kill", "start", "Prometheus does not answer").await?;
        survives("prometheus-stopped", "pause", "resume", "no answer within").await
    })
    .await
}
