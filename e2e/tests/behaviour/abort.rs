//! What an abort leaves behind: the rejected template, which may be applied again and again
//! without starting again, until another one comes or a human says retry.

use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::{Scenario, play};

/// Aborts v2 in its first batch.
async fn aborted(s: &mut Scenario) -> Outcome<App> {
    let stable = s.app.clone();
    s.release("v2").await?;
    s.rests_in(1).await?;
    s.abort().await?;
    s.is_rejected_for(&stable).await?;
    Ok(stable)
}

#[tokio::test]
async fn a_rejected_version_stays_out() -> Outcome {
    let (app, plan) = super::small();
    play("stays-out", app, plan, async |s: &mut Scenario| {
        let stable = aborted(s).await?;
        let pods = s.pods();
        for _ in 0..3 {
            s.apply().await?;
            let args = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
            s.kubectl.feed(&args, &s.app.manifest()).await?;
            let said = s.kubectl.feed(&["replace", "-f", "-"], &s.app.manifest()).await?;
            said.saying("this version was rejected")?;
        }
        s.is_rejected_for(&stable).await?;
        s.are_untouched(&pods).await
    })
    .await
}

#[tokio::test]
async fn another_version_starts_a_release() -> Outcome {
    let (app, plan) = super::small();
    play("another", app, plan, async |s: &mut Scenario| {
        aborted(s).await?;
        s.release("v3").await?.saying("held by")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn retry_lets_it_in_again() -> Outcome {
    let (app, plan) = super::small();
    play("retry", app, plan, async |s: &mut Scenario| {
        aborted(s).await?;
        s.tell(&Told::Begin);
        s.sluice(&["retry", "web"]).await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn the_deadline_aborts_by_itself() -> Outcome {
    let app = App::new(3);
    let plan = Plan::new(["1", "100%"]).with("progressDeadline", "5s");
    play("deadline", app, plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.app = s.app.clone().env("READY", "false");
        s.tell(&Told::MayReturn);
        s.release("v2").await?;
        s.tell(&Told::MayReturn);
        s.is_rejected_for(&stable).await?;
        s.apply().await?;
        s.is_rejected_for(&stable).await
    })
    .await
}

#[tokio::test]
async fn on_failure_pause_waits_for_a_human() -> Outcome {
    let plan = Plan::new(["1", "100%"]).with("progressDeadline", "5s").with("onFailure", "Pause");
    play("on-failure", App::new(3), plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.app = s.app.clone().env("READY", "false");
        s.release("v2").await?;
        s.waits_for("Failed").await?;
        s.has_new(1).await?;
        s.abort().await?;
        s.is_rejected_for(&stable).await
    })
    .await
}

#[tokio::test]
async fn an_abort_is_no_ones_field() -> Outcome {
    let (app, plan) = super::small();
    play("no-owner", app, plan, async |s: &mut Scenario| {
        // Server-side without force, as Flux and Helm apply: a field that Sluice came to own
        // would be a conflict.
        let args =
            ["apply", "--server-side", "--field-manager=flux", "--force-conflicts", "-f", "-"];
        s.app = s.app.clone().stating_all();
        s.tell(&Told::Edit);
        s.kubectl.feed(&args, &s.app.manifest()).await?;
        let stable = s.app.clone();
        let args = ["apply", "--server-side", "--field-manager=flux", "-f", "-"];
        s.app = s.app.clone().version("v2");
        s.tell(&Told::Begin);
        s.kubectl.feed(&args, &s.app.manifest()).await?;
        s.rests_in(1).await?;
        s.kubectl.feed(&args, &s.app.manifest()).await?;
        s.abort().await?;
        s.settles(crds::status::Phase::Rejected).await?;
        s.is_restored(&stable).await?;
        s.kubectl.feed(&args, &s.app.manifest()).await?.saying("this version was rejected")?;
        let owners = s.owners().await?;
        ensure(!owners.contains("sluice-controller"), || format!("owners {owners:?}"))?;
        s.app = s.app.clone().version("v3");
        s.tell(&Told::Begin);
        s.kubectl.feed(&args, &s.app.manifest()).await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.settles(crds::status::Phase::Ready).await?;
        s.is_restored(&s.app).await
    })
    .await
}
