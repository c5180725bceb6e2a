//! `kubectl sluice` as people and pipelines use it: what it prints, how it exits, and what it
//! refuses.

use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::kubectl::Said;
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::{Scenario, play};
use serde_json::{Value, json};

fn exits(said: &Said, code: i32) -> Outcome {
    ensure(said.code == Some(code), || format!("wanted exit {code}: {said}"))
}

#[tokio::test]
async fn status_ends_with_the_release() -> Outcome {
    let (app, plan) = super::small();
    play("status", app, plan, async |s: &mut Scenario| {
        exits(&s.try_sluice(&["status", "web"]).await?, 0)?;
        s.release("v2").await?;
        // Right after the apply: never the release before.
        exits(&s.try_sluice(&["status", "web"]).await?, 2)?;
        let args = ["status", "web", "--watch", "--timeout", "1s"];
        exits(&s.try_sluice(&args).await?, 2)?;
        s.rests_in(1).await?;
        let (followed, _) =
            tokio::try_join!(s.try_sluice(&["status", "web", "--watch"]), s.promote())?;
        exits(&followed, 0)?;
        s.completes().await?;
        let stable = s.app.clone();
        s.release("v3").await?;
        s.rests_in(1).await?;
        let (followed, _) =
            tokio::try_join!(s.try_sluice(&["status", "web", "--watch"]), s.abort())?;
        exits(&followed, 1)?;
        s.is_rejected_for(&stable).await?;
        exits(&s.try_sluice(&["status", "web"]).await?, 1)
    })
    .await
}

#[tokio::test]
async fn a_promote_of_the_batch_before_is_refused() -> Outcome {
    let plan = Plan::new(["1 pause", "2 pause", "100%"]);
    play("late", App::new(3), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        let revision = s.rollout().await?["status"]["updateRevision"].clone();
        s.promote().await?;
        s.rests_in(2).await?;
        // What a click on a page that was loaded in batch 1 would write.
        let late = json!({"id": "late", "verb": "promote", "revision": revision, "batch": 1});
        let note = format!("{}={late}", crds::contract::REQUEST_ANNOTATION);
        s.kubectl.run(&["annotate", "--overwrite", "rollout", "web", &note]).await?;
        let answer = s
            .until("an answer to the late request", |sight| {
                let answer = sight.view.rollouts.get("web")?.status.as_ref()?.answer.clone()?;
                (answer.id == "late").then_some(answer)
            })
            .await?;
        ensure(!answer.granted, || format!("a late promote was granted: {}", answer.message))?;
        ensure(answer.message.contains('2'), || format!("no word of batch 2: {}", answer.message))?;
        ensure(answer.by.is_some(), || "nobody is said to have asked".to_owned())?;
        s.rests_in(2).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn there_is_nothing_to_promote_at_rest() -> Outcome {
    let (app, plan) = super::small();
    play("at-rest", app, plan, async |s: &mut Scenario| {
        for verb in ["promote", "pause", "abort", "retry"] {
            let said = s.try_sluice(&[verb, "web"]).await?;
            ensure(!said.is_fine(), || format!("not refused: {said}"))?;
        }
        s.sluice(&["explain", "web"]).await?.saying("web")?;
        let said = s.try_sluice(&["promote", "nobody"]).await?;
        said.refused("nobody").map(drop)
    })
    .await
}

#[tokio::test]
async fn it_prints_for_people_and_for_programs() -> Outcome {
    let (app, plan) = super::small();
    play("prints", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        let said = s.sluice(&["get"]).await?.saying("web")?;
        ensure(!said.out.contains('\u{1b}'), || format!("colours in a pipe: {said}"))?;
        s.kubectl.run(&["get", "rollouts"]).await?.saying("1/2")?;
        let json = s.kubectl.json(&["sluice", "get", "web"], None).await?;
        let name =
            json.pointer("/metadata/name").or_else(|| json.pointer("/items/0/metadata/name"));
        ensure(name == Some(&Value::from("web")), || format!("{json}"))?;
        let said = s.try_sluice(&["status", "web", "-o", "yaml"]).await?;
        said.saying("phase: Paused")?;
        s.sluice(&["explain", "web"]).await?.saying("kubectl sluice promote web")?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn a_living_sluice_does_not_let_the_glass_be_broken_unseen() -> Outcome {
    let (app, plan) = super::small();
    play("glass", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.tell(&Told::Freeze);
        s.sluice(&["release-hold", "web", "--dry-run"]).await?.saying("Sluice is alive")?;
        s.try_sluice(&["release-hold", "web"]).await?.refused("Sluice is alive")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}
