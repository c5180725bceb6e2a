//! How Sluice and a Deployment come together: a Deployment that was there before, a Rollout that
//! was there before, two Rollouts, and a Deployment that Sluice never touches.

use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::kubectl::Kubectl;
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::waits::{has_condition, status};
use e2e::scenario::{Scenario, play, stage};

#[tokio::test]
async fn a_deployment_made_before_is_taken_over_untouched() -> Outcome {
    let (app, plan) = super::small();
    stage("before", app, plan, async |s: &mut Scenario| {
        s.apply().await?;
        s.comes_up().await?;
        let (pods, before) = (s.pods(), s.deployment().await?);
        s.tell(&Told::Freeze);
        s.apply_plan().await?;
        s.is_armed().await?;
        s.are_untouched(&pods).await?;
        let after = s.deployment().await?;
        let (was, is) = (&before["metadata"]["generation"], &after["metadata"]["generation"]);
        ensure(was == is, || format!("generation {was} became {is}"))?;
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_rollout_waits_for_its_deployment_and_says_so() -> Outcome {
    let (app, plan) = super::small();
    stage("waits", app, plan, async |s: &mut Scenario| {
        s.apply_plan().await?;
        s.waits_for("WorkloadMissing").await?;
        s.apply().await?;
        s.comes_up().await?;
        s.is_armed().await?;
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_deployment_in_the_middle_of_its_own_update_is_taken_over() -> Outcome {
    let plan = Plan::new(["1 pause", "100%"]);
    let app = App::new(4).env("START_DELAY", "3s");
    stage("mid-update", app, plan, async |s: &mut Scenario| {
        s.apply().await?;
        s.comes_up().await?;
        // No Rollout yet: this update is the stock controller's, and all of it is allowed.
        let plan = std::mem::replace(&mut s.plan, Plan::new(["100%"]));
        s.wish_anew()?;
        s.release("v2").await?;
        s.has_new(2).await?;
        s.plan = plan;
        s.apply_plan().await?;
        s.is_armed().await?;
        s.comes_up().await?;
        s.settles(crds::status::Phase::Ready).await?;
        s.wish_anew()?;
        s.release("v3").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_second_rollout_is_refused_and_told_of_the_first() -> Outcome {
    let (app, plan) = super::small();
    play("second", app, plan, async |s: &mut Scenario| {
        let second = s.plan.clone().named("other").manifest();
        let said = s.kubectl.try_run(&["apply", "-f", "-"], Some(&second)).await?;
        said.refused("web").map(drop)
    })
    .await
}

#[tokio::test]
async fn a_recreate_deployment_is_never_touched() -> Outcome {
    let plan = Plan::new(["100%"]);
    stage("recreate", App::new(1).recreate(), plan, async |s: &mut Scenario| {
        s.apply().await?;
        s.comes_up().await?;
        s.apply_plan().await?;
        s.waits_for("RecreateStrategy").await?;
        s.until("the condition Stalled", |sight| {
            has_condition(status(sight)?, "Stalled", "True").then_some(())
        })
        .await?;
        s.tell(&Told::Excuse { pods: s.pods() });
        let said = s.release("v2").await?;
        ensure(!said.mentions("held"), || format!("held: {said}"))?;
        s.until("the new version alone", |sight| {
            let new = |pod: &k8s_openapi::api::core::v1::Pod| {
                e2e::view::version(pod.spec.as_ref()) == Some("v2") && e2e::view::is_ready(pod)
            };
            (sight.view.live(new).len() == 1).then_some(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn an_edited_rollout_that_is_wrong_is_refused_with_every_problem() -> Outcome {
    let (app, plan) = super::small();
    play("wrong", app, plan, async |s: &mut Scenario| {
        let mut wrong = Plan::new(["3", "2"]).manifest();
        wrong["spec"]["onFailure"] = "Explode".into();
        let said = s.kubectl.try_run(&["apply", "-f", "-"], Some(&wrong)).await?;
        said.refused("onFailure")?;
        let wrong = Plan::new(["3", "2"]).manifest();
        let said = s.kubectl.try_run(&["apply", "-f", "-"], Some(&wrong)).await?;
        said.refused("spec.strategy.batches")?.saying("100%")?;
        let mut moved = s.plan.manifest();
        moved["spec"]["workloadRef"]["name"] = "another".into();
        let said = s.kubectl.try_run(&["apply", "-f", "-"], Some(&moved)).await?;
        said.refused("workloadRef").map(drop)
    })
    .await
}

#[tokio::test]
async fn where_nothing_is_ever_held_it_says_so() -> Outcome {
    let (app, plan) = super::small();
    stage("exempt", app, plan, async |s: &mut Scenario| {
        // The webhook stays out of this namespace, so a Rollout in it would only look like one.
        let system = Kubectl::new("kube-system");
        let plan = s.plan.clone().named("exempt").manifest();
        system.feed(&["apply", "-f", "-"], &plan).await?;
        let stalled = ["wait", "rollout", "exempt", "--for=condition=Stalled", "--timeout=60s"];
        let waited = system.run(&stalled).await;
        let rollout = system.json(&["get", "rollout", "exempt"], None).await?;
        system.run(&["delete", "rollout", "exempt"]).await?;
        waited?;
        let reason = &rollout["status"]["waitingFor"]["reason"];
        ensure(*reason == "NamespaceExempt", || format!("{rollout}"))
    })
    .await
}
