//! CloneSets: the same stories as a Deployment's, by partition. The stock controller here is the
//! double of `e2e/src/cloneset`, which does what Kruise's own does.

use crds::status::Phase;
use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::waits::status;
use e2e::scenario::{Scenario, play, stage};
use e2e::view::{is_ready, version};
use serde_json::json;

fn cloneset(replicas: i32) -> App {
    App::new(replicas).cloneset()
}

fn plan<const N: usize>(batches: [&str; N]) -> Plan {
    Plan::new(batches).cloneset()
}

/// Names of the ready pods of a version.
fn ready_of(s: &Scenario, wanted: &str) -> Vec<String> {
    s.pods_that(|pod| version(pod.spec.as_ref()) == Some(wanted) && is_ready(pod))
}

async fn partition(s: &Scenario) -> Outcome<serde_json::Value> {
    let live = s.kubectl.json(&["get", "cloneset", "web"], None).await?;
    Ok(live["spec"]["updateStrategy"]["partition"].clone())
}

#[tokio::test]
async fn by_percent() -> Outcome {
    let plan = plan(["20% pause", "60% pause", "100%"]);
    play("cs-percent", cloneset(5), plan, async |s: &mut Scenario| {
        s.release("v2").await?.saying("held by Rollout web: kubectl sluice status web")?;
        s.rests_in(1).await?;
        let kept = partition(s).await?;
        ensure(kept == "80%", || format!("partition {kept}"))?;
        s.try_sluice(&["status", "web"]).await?.saying("cloneset/web")?;
        s.promote().await?;
        s.rests_in(2).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

/// A count lets nothing more be of the new version once its pods are there.
#[tokio::test]
async fn by_count() -> Outcome {
    let plan = plan(["1 pause", "3 pause", "100%"]);
    play("cs-count", cloneset(4), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        let kept = partition(s).await?;
        ensure(kept == "100%", || format!("partition {kept}"))?;
        s.scale(6).await?;
        s.rests_in(1).await?;
        let new = ready_of(s, "v2");
        ensure(new.len() == 1, || format!("new pods {new:?}"))?;
        s.promote().await?;
        s.rests_in(2).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn with_a_surge() -> Outcome {
    let plan = plan(["50% pause", "100%"]);
    play("cs-surge", cloneset(4).rolling(1, 0), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn an_abort() -> Outcome {
    let plan = plan(["2 pause", "100%"]);
    play("cs-abort", cloneset(3), plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        let old = ready_of(s, "v1");
        s.release("v2").await?;
        s.rests_in(1).await?;
        let kept: Vec<String> =
            ready_of(s, "v1").into_iter().filter(|name| old.contains(name)).collect();
        s.abort().await?;
        s.is_rejected_for(&stable).await?;
        s.are_untouched(&kept).await?;
        // Still in Git, it does not get in again.
        s.apply().await?.saying("this version was rejected")?;
        s.is_rejected_for(&stable).await
    })
    .await
}

#[tokio::test]
async fn a_users_rollback() -> Outcome {
    let plan = plan(["1 pause", "2 pause", "100%"]);
    play("cs-undo", cloneset(3), plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.reapply_old("v1").await?;
        s.is_back_at(&stable).await?;
        s.release("v3").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.rests_in(2).await?;
        s.reapply_old("v1").await?;
        s.is_back_at(&stable).await
    })
    .await
}

#[tokio::test]
async fn a_broken_version_is_taken_back() -> Outcome {
    let plan = plan(["2", "100%"]).with("progressDeadline", "10s");
    play("cs-broken", cloneset(3), plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.app = s.app.clone().image("sluice-testapp:missing");
        s.tell(&Told::Begin);
        s.app = s.app.clone().version("v2");
        s.apply().await?;
        s.until("the deadline", |sight| {
            matches!(status(sight)?.phase, Phase::Aborting | Phase::Rejected).then_some(())
        })
        .await?;
        s.tell(&Told::Return);
        s.is_rejected_for(&stable).await
    })
    .await
}

#[tokio::test]
async fn a_third_version_replaces_the_second_first() -> Outcome {
    let plan = plan(["2 pause", "100%"]);
    play("cs-third", cloneset(4), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        let kept = ready_of(s, "v1");
        s.release("v3").await?.saying("this version replaces the one in release")?;
        s.rests_in(1).await?;
        s.are_untouched(&kept).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn scaling_keeps_the_share() -> Outcome {
    let plan = plan(["25% pause", "100%"]);
    play("cs-scale", cloneset(4), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.scale(8).await?;
        s.rests_in(1).await?;
        ensure(ready_of(s, "v2").len() == 2, || format!("new pods {:?}", ready_of(s, "v2")))?;
        s.scale(3).await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_re_apply_in_a_release_moves_nothing_and_is_restored() -> Outcome {
    let plan = plan(["1 pause", "100%"]);
    play("cs-reapply", cloneset(3), plan, async |s: &mut Scenario| {
        s.app = s.app.clone().partition(0);
        s.apply().await?;
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.apply().await?;
        s.kubectl
            .feed(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &s.app.manifest())
            .await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

/// So many pods as the user's own partition says keep their version; the release is of the others.
#[tokio::test]
async fn the_users_own_partition_comes_back() -> Outcome {
    let plan = plan(["50% pause", "100%"]);
    let app = cloneset(4).partition("50%");
    stage("cs-partition", app, plan, async |s: &mut Scenario| {
        s.create().await?;
        s.release("v2").await?;
        let rests = |wanted: usize, phase: Phase| {
            move |sight: &e2e::observer::Sight<'_>| {
                let new = |pod: &k8s_openapi::api::core::v1::Pod| {
                    version(pod.spec.as_ref()) == Some("v2") && is_ready(pod)
                };
                let rests = status(sight)?.phase == phase;
                (rests && sight.view.live(new).len() == wanted).then_some(())
            }
        };
        s.until("the first batch to rest", rests(1, Phase::Paused)).await?;
        s.promote().await?;
        s.until("the end", rests(2, Phase::Ready)).await?;
        s.is_restored(&s.app).await?;
        s.diff_is_empty(&s.app.manifest()).await
    })
    .await
}

/// An update in place keeps the pods, and a pod counts only once its new container is ready.
#[tokio::test]
async fn in_place() -> Outcome {
    let plan = plan(["50% pause", "100%"]);
    let app = cloneset(4).in_place().image(e2e::app::TWIN);
    play("cs-in-place", app, plan, async |s: &mut Scenario| {
        let pods = ready_of(s, "v1");
        s.app = s.app.clone().image(e2e::app::IMAGE);
        s.tell(&Told::Begin);
        s.apply().await?.saying("held by Rollout web")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await?;
        let now = ready_of(s, "v1");
        ensure(pods == now, || format!("pods {pods:?} became {now:?}"))
    })
    .await
}

async fn pause(s: &Scenario, paused: bool) -> Outcome {
    s.tell(&Told::Edit);
    let paused = paused.then_some(true);
    let patch = json!({"spec": {"updateStrategy": {"paused": paused}}}).to_string();
    let args = ["patch", "cloneset", "web", "--type=merge", "-p", &patch];
    s.kubectl.run(&args).await.map(drop)
}

#[tokio::test]
async fn a_users_own_pause_is_waited_for() -> Outcome {
    let plan = plan(["1 pause", "100%"]);
    play("cs-paused", cloneset(3), plan, async |s: &mut Scenario| {
        pause(s, true).await?;
        s.tell(&Told::Begin);
        s.app = s.app.clone().version("v2");
        s.apply().await?;
        s.waits_for("DeploymentPaused").await?;
        pause(s, false).await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_deleted_rollout_leaves_no_trace() -> Outcome {
    let plan = plan(["1 pause", "100%"]);
    play("cs-delete", cloneset(3), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await?;
        s.kubectl.run(&["delete", "rollout", "web"]).await?;
        s.is_given_back(&s.app).await?;
        let args = ["get", "controllerrevisions", "-l", "app=web"];
        let left = s.kubectl.json(&args, None).await?.to_string();
        ensure(!left.contains("sluice.dev/"), || format!("left behind: {left}"))
    })
    .await
}
