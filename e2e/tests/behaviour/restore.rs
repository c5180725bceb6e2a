//! Every field of the user's comes back, field for field, and `kubectl diff` is empty: after a
//! release, after an abort, after the Rollout is gone, whatever the manifest states.

use crds::status::Phase;
use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::{Scenario, play, stage};
use serde_json::json;

/// A release to the end, and one that is aborted.
async fn comes_back(name: &str, app: App) -> Outcome {
    let plan = Plan::new(["1 pause", "100%"]);
    play(name, app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await?;
        let stable = s.app.clone();
        s.release("v3").await?;
        s.rests_in(1).await?;
        s.abort().await?;
        s.is_rejected_for(&stable).await
    })
    .await
}

#[tokio::test]
async fn where_nothing_is_stated() -> Outcome {
    comes_back("nothing", App::new(2)).await
}

#[tokio::test]
async fn where_everything_is_stated() -> Outcome {
    comes_back("everything", App::new(2).stating_all()).await
}

#[tokio::test]
async fn where_the_values_are_unusual() -> Outcome {
    let app = App::new(3).rolling(2, "34%").min_ready(1).deadline(77).history(2);
    comes_back("unusual", app).await
}

#[tokio::test]
async fn without_any_history() -> Outcome {
    comes_back("history", App::new(2).history(0)).await
}

#[tokio::test]
async fn what_the_user_changes_meanwhile() -> Outcome {
    let (app, plan) = super::small();
    play("meanwhile", app.stating_all(), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.app = s.app.clone().rolling(1, 0).min_ready(1).deadline(99);
        s.wish_anew()?;
        s.tell(&Told::Edit);
        s.apply().await?.saying("applied when Rollout web is done")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn what_the_user_takes_out_meanwhile() -> Outcome {
    let (app, plan) = super::small();
    let app = app.rolling(1, 0).min_ready(1).deadline(99);
    play("taken-out", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        (s.app.min_ready, s.app.deadline) = (None, None);
        s.wish_anew()?;
        s.tell(&Told::Edit);
        s.apply().await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_value_that_happens_to_be_the_projected_one() -> Outcome {
    let (app, plan) = super::small();
    play("equal", app.rolling(1, 1), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        let live = s.deployment().await?["spec"]["strategy"]["rollingUpdate"].clone();
        s.app = s.app.clone().rolling(live["maxSurge"].clone(), live["maxUnavailable"].clone());
        s.tell(&Told::Edit);
        s.apply().await?;
        s.wish_anew()?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn where_the_manifest_is_applied_server_side() -> Outcome {
    let (app, plan) = super::small();
    stage("server-side", app.stating_all(), plan, async |s: &mut Scenario| {
        let apply = ["apply", "--server-side", "--field-manager=flux", "-f", "-"];
        let diff = ["diff", "--server-side", "--field-manager=flux", "-f", "-"];
        s.kubectl.feed(&apply, &s.app.manifest()).await?;
        s.apply_plan().await?;
        s.comes_up().await?;
        s.is_armed().await?;
        let stable = s.app.clone();
        for version in ["v2", "v3"] {
            s.app = s.app.clone().version(version);
            s.tell(&Told::Begin);
            s.kubectl.feed(&apply, &s.app.manifest()).await?;
            s.rests_in(1).await?;
            if version == "v2" {
                s.abort().await?;
                s.settles(Phase::Rejected).await?;
                s.is_restored(&stable).await?;
            } else {
                s.promote().await?;
                s.settles(Phase::Ready).await?;
                s.is_restored(&s.app).await?;
            }
            s.kubectl.feed(&diff, &s.app.manifest()).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn after_the_rollout_is_deleted_at_rest() -> Outcome {
    let (app, plan) = super::small();
    play("deleted", app, plan, async |s: &mut Scenario| {
        let pods = s.pods();
        s.kubectl.run(&["delete", "rollout", "web"]).await?;
        s.is_given_back(&s.app).await?;
        s.are_untouched(&pods).await
    })
    .await
}

#[tokio::test]
async fn after_the_rollout_is_deleted_in_mid_release() -> Outcome {
    let (app, plan) = super::small();
    play("deleted-mid", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        let said = s.kubectl.run(&["delete", "rollout", "web", "--wait=false"]).await?;
        said.saying("stays until its end")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.is_given_back(&s.app).await
    })
    .await
}

#[tokio::test]
async fn after_the_namespace_is_deleted_nothing_stays() -> Outcome {
    let (app, plan) = super::small();
    play("namespace", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        let pods = s.pods();
        s.tell(&Told::Excuse { pods });
        // An inert judge: everything is about to go, in no order.
        s.tell(&Told::Return);
        s.kubectl.run(&["delete", "deployment,rollout", "--all"]).await?;
        s.until("nothing to be left", |sight| {
            let view = sight.view;
            (view.rollouts.is_empty() && view.deployments.is_empty()).then_some(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn fields_that_nobody_of_us_knows_are_left_alone() -> Outcome {
    let (app, plan) = super::small();
    play("foreign", app, plan, async |s: &mut Scenario| {
        let patch = json!({"spec": {"template": {"spec": {"priority": null,
            "tolerations": [{"key": "team", "operator": "Exists"}]}}}});
        s.tell(&Told::Begin);
        s.kubectl.run(&["patch", "deployment", "web", "-p", &patch.to_string()]).await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.settles(Phase::Ready).await?;
        let live = s.deployment().await?;
        let found = &live["spec"]["template"]["spec"]["tolerations"][0]["key"];
        ensure(found.as_str() == Some("team"), || format!("tolerations {live}"))
    })
    .await
}
