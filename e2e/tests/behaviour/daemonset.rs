//! DaemonSets: the same stories as a Deployment's, by pods that are taken away node by node. Their
//! nodes have no kubelet: whatever is made there is ready, so no version is broken here.

use crds::status::Phase;
use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::Scenario;
use e2e::scenario::nodes::play_on_nodes;
use e2e::view::{is_ready, version};
use serde_json::json;

fn daemonset(name: &str, nodes: i32) -> App {
    App::new(nodes).daemonset(name)
}

fn plan<const N: usize>(batches: [&str; N]) -> Plan {
    Plan::new(batches).daemonset()
}

/// Names of the ready pods of a version.
fn ready_of(s: &Scenario, wanted: &str) -> Vec<String> {
    s.pods_that(|pod| version(pod.spec.as_ref()) == Some(wanted) && is_ready(pod))
}

async fn strategy(s: &Scenario) -> Outcome<serde_json::Value> {
    Ok(s.deployment().await?["spec"]["updateStrategy"].clone())
}

async fn becomes(s: &Scenario, strategy: &str) -> Outcome {
    s.tell(&Told::Edit);
    let patch = json!({"spec": {"updateStrategy": {"type": strategy}}}).to_string();
    let args = ["patch", "daemonset", "web", "--type=merge", "-p", &patch];
    s.kubectl.run(&args).await.map(drop)
}

#[tokio::test]
async fn by_count() -> Outcome {
    let plan = plan(["1 pause", "3 pause", "100%"]);
    play_on_nodes(daemonset("ds-count", 4), plan, async |s: &mut Scenario| {
        s.release("v2").await?.saying("held by Rollout web: kubectl sluice status web")?;
        s.rests_in(1).await?;
        let held = strategy(s).await?;
        ensure(held["type"] == "OnDelete", || format!("strategy {held}"))?;
        ensure(held["rollingUpdate"]["maxUnavailable"] == 1, || format!("strategy {held}"))?;
        s.try_sluice(&["status", "web"]).await?.saying("daemonset/web")?;
        s.promote().await?;
        s.rests_in(2).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

/// Of five nodes 30% may be unavailable: that is two, because the stock controller rounds up.
#[tokio::test]
async fn by_percent() -> Outcome {
    let plan = plan(["20% pause", "60% pause", "100%"]);
    let app = daemonset("ds-percent", 5).rolling(0, "30%");
    play_on_nodes(app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.rests_in(2).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn an_abort() -> Outcome {
    let plan = plan(["2 pause", "100%"]);
    play_on_nodes(daemonset("ds-abort", 3), plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        s.release("v2").await?;
        s.rests_in(1).await?;
        let kept = ready_of(s, "v1");
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
    play_on_nodes(daemonset("ds-undo", 3), plan, async |s: &mut Scenario| {
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
async fn a_third_version_replaces_the_second_first() -> Outcome {
    let plan = plan(["2 pause", "100%"]);
    play_on_nodes(daemonset("ds-third", 4), plan, async |s: &mut Scenario| {
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
async fn a_re_apply_in_a_release_moves_nothing_and_is_restored() -> Outcome {
    let plan = plan(["1 pause", "100%"]);
    play_on_nodes(daemonset("ds-reapply", 3), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.apply().await?.saying("applied when Rollout web is done: updateStrategy.type")?;
        s.kubectl
            .feed(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &s.app.manifest())
            .await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

/// The pod of a new node is new, which nobody can prevent: the next batch takes one pod less away.
#[tokio::test]
async fn the_pod_of_a_new_node_counts() -> Outcome {
    let plan = plan(["1 pause", "3 pause", "100%"]);
    play_on_nodes(daemonset("ds-node", 4), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        let kept = ready_of(s, "v1");
        s.has_nodes(5).await?;
        s.until("a second new pod", |sight| {
            let new = |pod: &k8s_openapi::api::core::v1::Pod| {
                version(pod.spec.as_ref()) == Some("v2") && is_ready(pod)
            };
            (sight.view.live(new).len() == 2).then_some(())
        })
        .await?;
        s.are_untouched(&kept).await?;
        s.promote().await?;
        s.rests_in(2).await?;
        let left = ready_of(s, "v1");
        ensure(left.len() == 2, || format!("of {kept:?} are left {left:?}"))?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn the_users_own_on_delete_is_refused() -> Outcome {
    let plan = plan(["1 pause", "100%"]);
    play_on_nodes(daemonset("ds-on-delete", 3), plan, async |s: &mut Scenario| {
        becomes(s, "OnDelete").await?;
        s.waits_for("OnDeleteStrategy").await?;
        let held = strategy(s).await?;
        ensure(held["type"] == "OnDelete", || format!("strategy {held}"))?;
        becomes(s, "RollingUpdate").await?;
        s.is_phase(Phase::Ready).await?;
        s.release("v2").await?.saying("held by Rollout web")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_deleted_rollout_leaves_no_trace() -> Outcome {
    let plan = plan(["1 pause", "100%"]);
    play_on_nodes(daemonset("ds-delete", 3), plan, async |s: &mut Scenario| {
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
