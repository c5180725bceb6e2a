//! StatefulSets: the same stories as a Deployment's, by partition, on the real stock controller.

use crds::status::Phase;
use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::waits::{has_condition, status};
use e2e::scenario::{Scenario, play, stage};
use e2e::view::{is_ready, version};
use serde_json::json;

fn stateful(replicas: i32) -> App {
    App::new(replicas).stateful()
}

fn plan<const N: usize>(batches: [&str; N]) -> Plan {
    Plan::new(batches).stateful()
}

/// Names of the ready pods of a version, in order.
fn ready_of(s: &Scenario, wanted: &str) -> Vec<String> {
    s.pods_that(|pod| version(pod.spec.as_ref()) == Some(wanted) && is_ready(pod))
}

#[tokio::test]
async fn by_count_from_the_top() -> Outcome {
    let plan = plan(["1 pause", "3 pause", "100%"]);
    play("sts-count", stateful(4), plan, async |s: &mut Scenario| {
        s.release("v2").await?.saying("held by Rollout web: kubectl sluice status web")?;
        s.rests_in(1).await?;
        ensure(ready_of(s, "v2") == ["web-3"], || format!("new pods {:?}", ready_of(s, "v2")))?;
        s.try_sluice(&["status", "web"]).await?.saying("statefulset/web")?;
        s.promote().await?;
        s.rests_in(2).await?;
        let new = ready_of(s, "v2");
        ensure(new == ["web-1", "web-2", "web-3"], || format!("new pods {new:?}"))?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn in_parallel() -> Outcome {
    let plan = plan(["50% pause", "100%"]);
    play("sts-parallel", stateful(4).parallel(), plan, async |s: &mut Scenario| {
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
    play("sts-abort", stateful(3), plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.abort().await?;
        s.is_rejected_for(&stable).await?;
        // Still in Git, it does not get in again.
        s.apply().await?.saying("this version was rejected")?;
        s.is_rejected_for(&stable).await
    })
    .await
}

#[tokio::test]
async fn a_users_rollback() -> Outcome {
    let plan = plan(["1 pause", "2 pause", "100%"]);
    play("sts-undo", stateful(3), plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.undo().await?;
        s.app = stable.clone();
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

/// With OrderedReady the stock controller would wait for the broken pod for ever.
#[tokio::test]
async fn a_broken_version_is_taken_back() -> Outcome {
    let plan = plan(["2", "100%"]).with("progressDeadline", "10s");
    play("sts-broken", stateful(3), plan, async |s: &mut Scenario| {
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
async fn a_third_version() -> Outcome {
    let plan = plan(["2 pause", "100%"]);
    play("sts-third", stateful(4), plan, async |s: &mut Scenario| {
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
async fn scaling_up_at_rest_makes_no_new_pod_beyond_the_share() -> Outcome {
    let plan = plan(["25% pause", "100%"]);
    play("sts-scale", stateful(4), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.scale(7).await?;
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
    play("sts-reapply", stateful(3), plan, async |s: &mut Scenario| {
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

/// Pods below the user's own partition keep their version; the release is of the others.
#[tokio::test]
async fn the_users_own_partition_comes_back() -> Outcome {
    let plan = plan(["50% pause", "100%"]);
    let app = stateful(4).partition(2);
    stage("sts-partition", app, plan, async |s: &mut Scenario| {
        s.create().await?;
        s.release("v2").await?;
        s.until("the first batch to rest", |sight| {
            let new = |pod: &k8s_openapi::api::core::v1::Pod| {
                version(pod.spec.as_ref()) == Some("v2") && is_ready(pod)
            };
            let rests = status(sight)?.phase == Phase::Paused;
            (rests && sight.view.live(new) == ["web-3"]).then_some(())
        })
        .await?;
        s.promote().await?;
        s.until("the end", |sight| (status(sight)?.phase == Phase::Ready).then_some(())).await?;
        let new = ready_of(s, "v2");
        ensure(new == ["web-2", "web-3"], || format!("new pods {new:?}"))?;
        s.is_restored(&s.app).await?;
        s.diff_is_empty(&s.app.manifest()).await
    })
    .await
}

#[tokio::test]
async fn a_deleted_rollout_leaves_no_trace() -> Outcome {
    let plan = plan(["1 pause", "100%"]);
    play("sts-delete", stateful(3), plan, async |s: &mut Scenario| {
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

#[tokio::test]
async fn on_delete_is_never_touched() -> Outcome {
    let plan = plan(["100%"]);
    stage("sts-on-delete", stateful(1), plan, async |s: &mut Scenario| {
        let mut manifest = s.app.manifest();
        manifest["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
        s.kubectl.feed(&["apply", "-f", "-"], &manifest).await?;
        s.comes_up().await?;
        s.apply_plan().await?;
        s.waits_for("OnDeleteStrategy").await?;
        s.until("the condition Stalled", |sight| {
            has_condition(status(sight)?, "Stalled", "True").then_some(())
        })
        .await
    })
    .await
}
