//! The real Prometheus killed, and stopped in its tracks, in the middle of a release: nothing is
//! taken back, nothing goes on, and once it answers again the release ends by itself.

use e2e::app::App;
use e2e::failure::{Failure, Outcome, ensure};
use e2e::plan::Plan;
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

#[tokio::test]
async fn a_release_outlives_prometheus() -> Outcome {
    alone(async || {
        survives("prometheus-killed", "kill", "start", "Prometheus does not answer").await?;
        survives("prometheus-stopped", "pause", "resume", "no answer within").await
    })
    .await
}
