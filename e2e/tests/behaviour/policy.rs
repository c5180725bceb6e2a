//! Hands that are not Sluice's on what belongs to Sluice: annotation and labels are put back, the
//! projected fields stay, and every such write is told so.

use crds::contract::{ARMED_LABEL, HOLD_ANNOTATION, ROLLOUT_LABEL};
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::scenario::{Scenario, play};
use serde_json::json;

/// `kubectl replace`, which reads first: repeated where somebody else wrote in between.
async fn replaced(s: &Scenario) -> Outcome {
    loop {
        let said = s.kubectl.try_run(&["replace", "-f", "-"], Some(&s.app.manifest())).await?;
        if !said.mentions("the object has been modified") {
            return said.fine().map(drop);
        }
    }
}

#[tokio::test]
async fn replace_strips_nothing() -> Outcome {
    let (app, plan) = super::small();
    play("replace", app, plan, async |s: &mut Scenario| {
        s.app = s.app.clone().version("v2");
        s.tell(&Told::Begin);
        s.kubectl.feed(&["replace", "-f", "-"], &s.app.manifest()).await?.saying("held by")?;
        s.rests_in(1).await?;
        s.tell(&Told::Freeze);
        for _ in 0..2 {
            replaced(s).await?;
        }
        s.is_armed().await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await?;
        replaced(s).await?;
        s.is_armed().await
    })
    .await
}

#[tokio::test]
async fn annotation_and_labels_are_put_back() -> Outcome {
    let (app, plan) = super::small();
    play("sticky", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.tell(&Told::Freeze);
        let before = s.deployment().await?;
        let kept = "labels and annotations of sluice.dev stay";
        for key in [ARMED_LABEL, ROLLOUT_LABEL] {
            let (gone, other) = (format!("{key}-"), format!("{key}=other"));
            s.kubectl.run(&["label", "deployment", "web", &gone]).await?.saying(kept)?;
            let args = ["label", "--overwrite", "deployment", "web", &other];
            s.kubectl.run(&args).await?.saying(kept)?;
        }
        let (gone, other) = (format!("{HOLD_ANNOTATION}-"), format!("{HOLD_ANNOTATION}={{}}"));
        s.kubectl.run(&["annotate", "deployment", "web", &gone]).await?.saying(kept)?;
        let args = ["annotate", "--overwrite", "deployment", "web", &other];
        s.kubectl.run(&args).await?.saying(kept)?;
        let after = s.deployment().await?;
        for part in ["labels", "annotations"] {
            let (was, is) = (&before["metadata"][part], &after["metadata"][part]);
            ensure(was == is, || format!("{part} {was} became {is}"))?;
        }
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_hold_of_somebody_elses_is_no_hold() -> Outcome {
    let (app, plan) = super::small();
    play("forged", app, plan, async |s: &mut Scenario| {
        s.tell(&Told::Freeze);
        let forged = format!("{HOLD_ANNOTATION}={{\"schema\":1}}");
        s.kubectl.run(&["annotate", "deployment", "web", &forged]).await?;
        let live = s.deployment().await?;
        let found = &live["metadata"]["annotations"][HOLD_ANNOTATION];
        ensure(found.is_null(), || format!("a forged hold was stored: {found}"))?;
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn the_fence_is_not_lifted_by_hand() -> Outcome {
    let (app, plan) = super::small();
    play("fence", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.app = s.app.clone().rolling("50%", 0).min_ready(3);
        s.tell(&Told::Edit);
        let rolling = json!({"maxSurge": "50%", "maxUnavailable": 0});
        let spec = json!({"minReadySeconds": 3, "strategy": {"rollingUpdate": rolling}});
        let patch = json!({ "spec": spec }).to_string();
        s.kubectl
            .run(&["patch", "deployment", "web", "-p", &patch])
            .await?
            .saying("applied when")?;
        s.rests_in(1).await?;
        s.wish_anew()?;
        s.promote().await?;
        s.settles(crds::status::Phase::Ready).await?;
        s.is_restored(&s.app).await
    })
    .await
}

#[tokio::test]
async fn a_switch_to_recreate_waits_for_the_end() -> Outcome {
    let (app, plan) = super::small();
    play("to-recreate", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.tell(&Told::Freeze);
        let recreate = s.app.clone().recreate();
        let said = s.kubectl.feed(&["apply", "-f", "-"], &recreate.manifest()).await?;
        said.saying("strategy Recreate was not applied")?;
        s.rests_in(1).await?;
        s.tell(&Told::Thaw);
        s.apply().await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_dry_run_shows_the_hold_and_stores_nothing() -> Outcome {
    let (app, plan) = super::small();
    play("dry-run", app, plan, async |s: &mut Scenario| {
        s.tell(&Told::Freeze);
        let next = s.app.clone().version("v2").manifest();
        let said = s.kubectl.feed(&["apply", "--dry-run=server", "-f", "-"], &next).await?;
        said.saying("held by Rollout web")?;
        let diff = s.kubectl.try_run(&["diff", "-f", "-"], Some(&next)).await?;
        ensure(diff.code == Some(1) && diff.mentions("v2"), || format!("{diff}"))?;
        s.is_restored(&s.app).await
    })
    .await
}
