//! Sluice dead altogether: the glass is broken by hand, a Rollout is torn out behind its back, and
//! once Sluice lives again it guards what is left and gives back what nobody names any more.

use crds::contract::ARMED_LABEL;
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::counts::Counts;
use e2e::scenario::parts::Parts;
use e2e::scenario::{Scenario, alone, perform};

/// Sluice is out of it: the stock controller may do whatever the manifest lets it.
fn freed(s: &mut Scenario) -> Outcome {
    s.plan = Plan::new(["100%"]);
    s.wish_anew()?;
    s.tell(&Told::MayReturn);
    Ok(())
}

/// All pods are of the manifest's version and ready, and nothing of Sluice is on the Deployment.
async fn is_free(s: &Scenario) -> Outcome {
    let replicas = s.app.replicas;
    s.until("the new version everywhere", |sight| {
        sight.view.settled("web")?;
        let counts = Counts::of(sight);
        (counts.update.is(replicas) && counts.all().is(replicas)).then_some(())
    })
    .await?;
    let live = s.deployment().await?;
    let labels = &live["metadata"]["labels"];
    ensure(labels[ARMED_LABEL].is_null(), || format!("labels {labels}"))
}

/// Freed in mid release, and guarded again by the Sluice that comes back.
async fn in_a_release(parts: &Parts) -> Outcome {
    let (app, plan) = crate::small();
    perform("glass-release", app, plan, async |s: &mut Scenario| {
        s.create().await?;
        let careful = s.plan.clone();
        s.release("v2").await?;
        s.rests_in(1).await?;
        die(parts).await?;
        let said = s.sluice(&["release-hold", "web", "--dry-run"]).await?;
        said.saying("goes out at native speed")?.saying("dry run")?;
        s.rests_in(1).await?;
        freed(s)?;
        s.sluice(&["release-hold", "web"]).await?.saying("freed")?;
        is_free(s).await?;
        live(parts).await?;
        s.completes().await?;
        s.is_armed().await?;
        s.plan = careful;
        s.wish_anew()?;
        s.release("v3").await?.saying("held by")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

/// At rest: the refusal names the way, and after it the update goes through unheld.
async fn at_rest(parts: &Parts) -> Outcome {
    let (app, plan) = crate::small();
    perform("glass-rest", app, plan, async |s: &mut Scenario| {
        s.create().await?;
        die(parts).await?;
        let next = s.app.clone().version("v2").manifest();
        let refused = s.kubectl.try_run(&["apply", "-f", "-"], Some(&next)).await?;
        refused.refused("kubectl sluice release-hold web")?;
        s.sluice(&["release-hold", "web"]).await?.saying("freed")?;
        freed(s)?;
        s.release("v2").await?;
        is_free(s).await?;
        live(parts).await?;
        s.completes().await
    })
    .await
}

/// The Rollout is torn out, finalizer and all: the workload gets its own fields back.
async fn without_its_rollout(parts: &Parts) -> Outcome {
    let (app, plan) = crate::small();
    perform("torn-out", app, plan, async |s: &mut Scenario| {
        s.create().await?;
        s.release("v2").await?;
        s.rests_in(1).await?;
        die(parts).await?;
        let loose = r#"{"metadata":{"finalizers":null}}"#;
        s.kubectl.run(&["patch", "rollout", "web", "--type=merge", "-p", loose]).await?;
        s.kubectl.run(&["delete", "rollout", "web"]).await?;
        s.has_new(1).await?;
        freed(s)?;
        live(parts).await?;
        s.is_given_back(&s.app).await
    })
    .await
}

async fn die(parts: &Parts) -> Outcome {
    parts.take_controller().await?;
    parts.take_webhook().await
}

async fn live(parts: &Parts) -> Outcome {
    parts.bring_webhook().await?;
    parts.bring_controller().await
}

#[tokio::test]
async fn the_glass_can_be_broken() -> Outcome {
    alone(async || {
        let parts = Parts::connect().await?;
        let played = async {
            in_a_release(&parts).await?;
            at_rest(&parts).await?;
            without_its_rollout(&parts).await
        };
        let played = played.await;
        live(&parts).await?;
        played
    })
    .await
}
