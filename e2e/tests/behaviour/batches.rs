//! Batches: their counts, the user's own surge and readiness inside them, and what a release is.

use crds::status::Phase;
use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::counts::Counts;
use e2e::scenario::{Scenario, play};
use e2e::view::version;
use serde_json::{Value, json};

#[tokio::test]
async fn by_count() -> Outcome {
    let plan = Plan::new(["1 pause", "3 pause", "100%"]);
    play("by-count", App::new(4), plan, async |s: &mut Scenario| {
        s.release("v2").await?.saying("held by Rollout web: kubectl sluice status web")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.rests_in(2).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn by_percent_rounded_up() -> Outcome {
    let plan = Plan::new(["10% pause", "50% pause", "100%"]);
    play("by-percent", App::new(5), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.has_new(1).await?;
        s.promote().await?;
        s.rests_in(2).await?;
        s.has_new(3).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn never_less_than_the_batch_before() -> Outcome {
    let plan = Plan::new(["2 pause", "30% pause", "100%"]);
    play("never-less", App::new(4), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.rests_in(2).await?;
        s.has_new(2).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn without_pauses_they_follow_by_themselves() -> Outcome {
    let plan = Plan::new(["2", "4", "100%"]);
    play("no-pauses", App::new(6), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.completes().await
    })
    .await
}

/// One release with the user's own maxSurge and maxUnavailable, watched at every event.
async fn with_rolling(name: &str, surge: Value, unavailable: Value) -> Outcome {
    let app = App::new(4).rolling(surge, unavailable);
    let plan = Plan::new(["1 pause", "3", "100%"]);
    play(name, app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn with_surge_and_unavailable() -> Outcome {
    with_rolling("both", json!("25%"), json!("25%")).await
}

#[tokio::test]
async fn without_surge() -> Outcome {
    with_rolling("no-surge", json!(0), json!(1)).await
}

#[tokio::test]
async fn with_surge_only() -> Outcome {
    with_rolling("surge-only", json!(1), json!(0)).await
}

#[tokio::test]
async fn with_all_surge() -> Outcome {
    with_rolling("all-surge", json!("100%"), json!(0)).await
}

#[tokio::test]
async fn a_pod_counts_after_the_users_own_min_ready_seconds() -> Outcome {
    let app = App::new(2).min_ready(4);
    let plan = Plan::new(["1", "100%"]);
    play("min-ready", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn pods_that_lose_their_readiness_bring_no_more_pods() -> Outcome {
    let app = App::new(6).rolling("50%", 0).env("START_DELAY", "1s");
    let plan = Plan::new(["2 pause", "4 pause", "100%"]);
    play("flap", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        let first = s.pods_that(|pod| version(pod.spec.as_ref()) == Some("v2"));
        s.is_in(2).await?;
        for pod in &first {
            s.switch(pod, "ready?value=false").await?;
        }
        s.until("all pods of the batch but the unready ones", |sight| {
            let update = Counts::of(sight).update;
            (update.live == 4 && update.ready == 2).then_some(())
        })
        .await?;
        for pod in &first {
            s.switch(pod, "ready?value=true").await?;
        }
        s.rests_in(2).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_restart_is_a_release() -> Outcome {
    let (app, plan) = super::small();
    play("restart", app, plan, async |s: &mut Scenario| {
        s.tell(&Told::Begin);
        s.kubectl.run(&["rollout", "restart", "deployment/web"]).await?.saying("held by")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.settles(Phase::Ready).await
    })
    .await
}

#[tokio::test]
async fn another_image_is_a_release() -> Outcome {
    let (app, plan) = super::small();
    play("set-image", app, plan, async |s: &mut Scenario| {
        // The same image by its full name.
        s.app.image = format!("docker.io/library/{}", s.app.image);
        let image = format!("web={}", s.app.image);
        s.tell(&Told::Begin);
        s.kubectl.run(&["set", "image", "deployment/web", &image]).await?.saying("held by")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn labels_annotations_and_scale_are_no_release() -> Outcome {
    let (app, plan) = super::small();
    play("no-release", app, plan, async |s: &mut Scenario| {
        let label = s.kubectl.run(&["label", "deployment", "web", "team=a"]).await?;
        let note = s.kubectl.run(&["annotate", "deployment", "web", "note=b"]).await?;
        let scale = s.scale(4).await?;
        for said in [label, note, scale] {
            ensure(!said.mentions("held by"), || format!("held: {said}"))?;
        }
        s.comes_up().await?;
        s.kubectl.run(&["label", "deployment", "web", "team-"]).await?;
        s.settles(Phase::Ready).await?;
        s.is_restored(&s.app).await
    })
    .await
}

#[tokio::test]
async fn a_third_version_takes_the_place_of_the_second() -> Outcome {
    let plan = Plan::new(["2 pause", "100%"]);
    play("third", App::new(4), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.release("v3").await?.saying("this version replaces the one in release")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_third_version_in_mid_batch_starts_at_the_first() -> Outcome {
    let app = App::new(4).env("START_DELAY", "2s");
    let plan = Plan::new(["1 pause", "3", "100%"]);
    play("mid-batch", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.is_in(2).await?;
        s.release("v3").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn other_batches_count_from_the_next_one_on() -> Outcome {
    let plan = Plan::new(["1 pause", "2 pause", "100%"]);
    play("edit", App::new(4), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.plan = Plan::new(["1 pause", "3 pause", "100%"]);
        s.wish_anew()?;
        s.apply_plan().await?;
        s.promote().await?;
        s.rests_in(2).await?;
        s.has_new(3).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}
