//! Scaling while held: the shares are kept, the batch's count follows, and what was left beyond
//! it is moved back.

use e2e::app::App;
use e2e::failure::Outcome;
use e2e::plan::Plan;
use e2e::scenario::counts::Counts;
use e2e::scenario::{Scenario, play};
use e2e::view::version;

fn a_fifth_first() -> Plan {
    Plan::new(["20% pause", "100%"])
}

#[tokio::test]
async fn up_and_down_at_rest() -> Outcome {
    play("up-down", App::new(10), a_fifth_first(), async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.scale(20).await?;
        s.rests_in(1).await?;
        s.scale(8).await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

async fn through_one(name: &str, app: App) -> Outcome {
    play(name, app, a_fifth_first(), async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.scale(1).await?;
        s.rests_in(1).await?;
        s.scale(10).await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn through_one_at_rest() -> Outcome {
    through_one("through-one", App::new(10)).await
}

#[tokio::test]
async fn through_one_without_surge() -> Outcome {
    through_one("through-one-0", App::new(10).rolling(0, 2)).await
}

#[tokio::test]
async fn through_none() -> Outcome {
    play("through-none", App::new(10), a_fifth_first(), async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.scale(0).await?;
        s.until("no pods, and the stable template back", |sight| {
            let spec = sight.view.settled("web")?.spec.as_ref()?;
            let back = version(spec.template.spec.as_ref()) == Some("v1");
            (back && Counts::of(sight).all().live == 0).then_some(())
        })
        .await?;
        s.waits_for("ScaledToZero").await?;
        s.scale(10).await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn two_to_twenty() -> Outcome {
    play("two-to-twenty", App::new(2), a_fifth_first(), async |s: &mut Scenario| {
        let mut stable = s.app.clone();
        stable.replicas = 20;
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.scale(20).await?;
        s.rests_in(1).await?;
        s.abort().await?;
        s.is_rejected_for(&stable).await
    })
    .await
}

#[tokio::test]
async fn in_the_middle_of_a_batch() -> Outcome {
    let app = App::new(4).env("START_DELAY", "2s");
    let plan = Plan::new(["50% pause", "100%"]);
    play("in-a-batch", app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.until("a first new pod", |sight| (Counts::of(sight).update.live > 0).then_some(()))
            .await?;
        s.scale(8).await?;
        s.rests_in(1).await?;
        s.scale(3).await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.until("the last batch on its way", |sight| {
            (Counts::of(sight).update.live > 2).then_some(())
        })
        .await?;
        s.scale(6).await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn at_rest_it_is_nobodys_business() -> Outcome {
    let (app, plan) = super::small();
    play("no-business", app, plan, async |s: &mut Scenario| {
        s.scale(6).await?;
        s.comes_up().await?;
        s.scale(2).await?;
        s.comes_up().await?;
        s.is_restored(&s.app).await
    })
    .await
}
