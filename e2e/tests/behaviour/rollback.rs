//! The way back, at every batch: stable again at native speed, no walk through the batches, and
//! the stable pods that are left are never touched.

use e2e::app::App;
use e2e::failure::Outcome;
use e2e::plan::Plan;
use e2e::scenario::{Scenario, play};
use e2e::view::version;

/// How a human goes back.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Reapply,
    Undo,
    Abort,
}

/// Goes to each batch in turn with another version, and back from there.
async fn back_from_every_batch(name: &str, way: Way) -> Outcome {
    let app = App::new(4).env("START_DELAY", "1s");
    // However long a command takes to start, the last batch has not ended the release by then.
    let plan = Plan::new(["1 pause", "2 pause", "100%"]).with("bake", "10m");
    play(name, app, plan, async |s: &mut Scenario| {
        let stable = s.app.clone();
        for target in 1..=3 {
            s.release(&format!("v{}", target + 1)).await?;
            for batch in 1..target {
                s.rests_in(batch).await?;
                s.promote().await?;
            }
            // The last batch is not waited for: its pods are still on their way.
            match target {
                3 => s.is_in(target).await?,
                _ => s.rests_in(target).await?,
            }
            let stays = s.pods_that(|pod| version(pod.spec.as_ref()) == Some("v1"));
            back(s, way, &stable).await?;
            // In the last batch some of them may have been on their way out already.
            if target < 3 {
                s.are_untouched(&stays).await?;
            }
        }
        Ok(())
    })
    .await
}

async fn back(s: &mut Scenario, way: Way, stable: &App) -> Outcome {
    match way {
        Way::Reapply => {
            s.reapply_old("v1").await?.saying("goes back to this version at once")?;
        }
        Way::Undo => {
            s.undo().await?.saying("goes back to this version at once")?;
            s.app = stable.clone();
        }
        Way::Abort => {
            s.abort().await?;
            return s.is_rejected_for(stable).await;
        }
    }
    s.is_back_at(stable).await
}

#[tokio::test]
async fn by_the_old_manifest() -> Outcome {
    back_from_every_batch("by-manifest", Way::Reapply).await
}

#[tokio::test]
async fn by_undo() -> Outcome {
    back_from_every_batch("by-undo", Way::Undo).await
}

#[tokio::test]
async fn by_abort() -> Outcome {
    back_from_every_batch("by-abort", Way::Abort).await
}

#[tokio::test]
async fn right_after_the_apply() -> Outcome {
    let (app, plan) = super::small();
    play("right-after", app, plan, async |s: &mut Scenario| {
        let (stable, pods) = (s.app.clone(), s.pods());
        // Its first pod, which a surge brings, takes longer than any command.
        s.app = stable.clone().env("START_DELAY", "60s");
        s.release("v2").await?;
        s.app = stable.clone();
        s.reapply_old("v1").await?;
        s.is_back_at(&stable).await?;
        s.are_untouched(&pods).await
    })
    .await
}

#[tokio::test]
async fn and_forth_to_another_version() -> Outcome {
    let (app, plan) = super::small();
    play("and-forth", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.reapply_old("v1").await?;
        s.release("v3").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await?;
        // An undo after the end is a release like any other, with nothing stale in it.
        s.app = s.app.clone().version("v1");
        s.tell(&e2e::observer::Told::Begin);
        s.kubectl.run(&["rollout", "undo", "deployment/web", "--to-revision=1"]).await.ok();
        s.apply().await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}
