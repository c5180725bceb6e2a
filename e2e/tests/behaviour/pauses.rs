//! Every way in which a release waits: until promoted, for a time, by a human, by the manifest.

use crds::status::Phase;
use e2e::app::App;
use e2e::failure::Outcome;
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::counts::Counts;
use e2e::scenario::{Scenario, play};

#[tokio::test]
async fn for_a_time() -> Outcome {
    let plan = Plan::new(["1 pause 4s", "100%"]);
    play("for-a-time", App::new(2), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.waits_for("PauseTime").await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn for_a_time_that_is_cut_short() -> Outcome {
    let plan = Plan::new(["1 pause 1h", "100%"]);
    play("cut-short", App::new(2), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.waits_for("PauseTime").await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn promoted_to_the_end() -> Outcome {
    let plan = Plan::new(["1 pause", "2 pause 1h", "100%"]);
    play("full", App::new(3), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.tell(&Told::PromoteFull);
        s.sluice(&["promote", "web", "--full"]).await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn by_a_human() -> Outcome {
    let app = App::new(3).env("START_DELAY", "2s");
    let plan = Plan::new(["1", "100%"]);
    play("by-a-human", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.is_in(1).await?;
        s.sluice(&["pause", "web"]).await?;
        s.tell(&Told::Paused);
        s.rests_in(1).await?;
        s.waits_for("Paused").await?;
        // A re-apply of both manifests does not undo it.
        s.apply().await?;
        s.apply_plan().await?;
        s.rests_in(1).await?;
        s.tell(&Told::Resume);
        s.sluice(&["resume", "web"]).await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn by_the_rollouts_own_manifest() -> Outcome {
    let plan = Plan::new(["1", "100%"]).with("paused", true);
    play("spec-paused", App::new(2), plan, async |s: &mut Scenario| {
        s.app = s.app.clone().version("v2");
        s.tell(&Told::Begin);
        s.tell(&Told::Held);
        s.apply().await?;
        s.waits_for("SpecPaused").await?;
        s.plan = Plan::new(["1", "100%"]);
        s.tell(&Told::Resume);
        s.apply_plan().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn by_kubectl_rollout_pause() -> Outcome {
    let app = App::new(4).env("START_DELAY", "2s");
    let plan = Plan::new(["2", "100%"]);
    play("rollout-pause", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.until("a first new pod", |sight| (Counts::of(sight).update.live > 0).then_some(()))
            .await?;
        s.tell(&Told::Edit);
        s.kubectl.run(&["rollout", "pause", "deployment/web"]).await?;
        s.tell(&Told::Paused);
        s.waits_for("DeploymentPaused").await?;
        s.tell(&Told::Resume);
        s.kubectl.run(&["rollout", "resume", "deployment/web"]).await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn by_the_deployments_own_manifest() -> Outcome {
    let (app, plan) = super::small();
    play("manifest-paused", app, plan, async |s: &mut Scenario| {
        s.app = s.app.clone().version("v2");
        s.app.paused = Some(true);
        s.tell(&Told::Begin);
        s.tell(&Told::Held);
        s.apply().await?;
        s.waits_for("DeploymentPaused").await?;
        s.app.paused = Some(false);
        s.tell(&Told::Resume);
        s.apply().await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_users_pause_at_rest_is_the_users_own() -> Outcome {
    let (app, plan) = super::small();
    play("paused-at-rest", app, plan, async |s: &mut Scenario| {
        s.tell(&Told::Edit);
        s.kubectl.run(&["rollout", "pause", "deployment/web"]).await?;
        s.tell(&Told::Edit);
        s.kubectl.run(&["rollout", "resume", "deployment/web"]).await?;
        s.settles(Phase::Ready).await?;
        s.is_restored(&s.app).await
    })
    .await
}
