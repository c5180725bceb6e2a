//! The bake after the last batch: all pods are new, the gates go on, and a failure still takes all
//! of it back. It ends with a measurement of its end and with no other.

use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::{Scenario, play};
use serde_json::json;

use super::faulty_prometheus::{Fault, FaultyPrometheus};
use super::{RATE, completes_once_healed, errors, is_taken_back};

#[tokio::test]
async fn a_version_that_turns_bad_in_its_bake_is_taken_back() -> Outcome {
    let plan = Plan::new(["1", "100%"]).with("gates", json!([errors()])).with("bake", "3m");
    play("bake-bad", App::new(3), plan, async |s: &mut Scenario| {
        let _load = s.under_load(RATE).await?;
        let stable = s.app.clone();
        s.release("v2").await?;
        s.waits_for("BakeTime").await?;
        s.has_new(3).await?;
        s.tell(&Told::MayReturn);
        for pod in s.pods() {
            // An old one may be gone by now.
            let _ = s.switch(&pod, "errors?value=0.3").await;
        }
        let said = is_taken_back(s, &stable).await?;
        let failure = said.failure.unwrap_or_default();
        let words = ["gate errors failed in batch 2 of 2", "is above max 0.01"];
        ensure(words.iter().all(|word| failure.contains(word)), || failure.clone())
    })
    .await
}

/// It answers until all pods are new, and then that there is nothing: within the gate's limits,
/// and for much longer than the bake.
#[tokio::test]
async fn a_bake_in_which_prometheus_knows_nothing_does_not_end() -> Outcome {
    let prometheus = FaultyPrometheus::start(Fault::Empty).await?;
    prometheus.heal();
    let gate = json!({
        "name": "errors",
        "prometheus": {"query": "vector(0)", "max": "0.01", "provider": prometheus.provider()},
        "interval": "1s", "unknownLimit": 1000, "errorLimit": 1000,
    });
    let plan = Plan::new(["1", "100%"]).with("gates", json!([gate])).with("bake", "8s");
    play("bake-silent", App::new(2), plan, async |s: &mut Scenario| {
        s.kubectl.feed(&["apply", "-f", "-"], &prometheus.manifest()).await?;
        s.release("v2").await?;
        s.waits_for("BakeTime").await?;
        prometheus.break_again();
        let held = "passed, but the last measurement is Unknown: the query gives no series";
        let said = s.waits_for("Gate").await?;
        ensure(said.contains(held), || said.clone())?;
        s.is_in(2).await?;
        completes_once_healed(s, &prometheus).await
    })
    .await
}
