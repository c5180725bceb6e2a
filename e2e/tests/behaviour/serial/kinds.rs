//! A kind of workload whose CRD is not there, and comes later: said, and no restart needed.

use e2e::app::App;
use e2e::failure::Outcome;
use e2e::kubectl::Kubectl;
use e2e::plan::Plan;
use e2e::scenario::{Scenario, alone, perform};

const CRD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/config/cloneset-crd.yaml");

async fn install(kubectl: &Kubectl) -> Outcome {
    kubectl.run(&["apply", "--server-side", "-f", CRD]).await?;
    let args = ["wait", "--for=condition=Established", "crd/clonesets.apps.kruise.io"];
    kubectl.run(&args).await.map(drop)
}

#[tokio::test]
async fn a_kind_that_is_installed_later_is_released_without_a_restart() -> Outcome {
    alone(async || {
        let app = App::new(2).cloneset();
        let plan = Plan::new(["1 pause", "100%"]).cloneset();
        perform("kind-missing", app, plan, async |s: &mut Scenario| {
            s.kubectl.run(&["delete", "-f", CRD]).await?;
            let waited = async {
                s.apply_plan().await?;
                s.waits_for("KindNotInstalled").await
            };
            let waited = waited.await;
            // Whatever came of it, the others need it again.
            install(&s.kubectl).await?;
            waited?;
            s.waits_for("WorkloadMissing").await?;
            s.create().await?;
            s.release("v2").await?.saying("held by Rollout web")?;
            s.rests_in(1).await?;
            s.promote().await?;
            s.completes().await
        })
        .await
    })
    .await
}
