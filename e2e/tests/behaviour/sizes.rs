//! Small Deployments: one, two and three replicas, and none.

use crds::status::Phase;
use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::plan::Plan;
use e2e::scenario::{Scenario, play};

/// A careful release and one that is taken back, with so many replicas.
async fn with_replicas(name: &str, app: App) -> Outcome {
    let plan = Plan::new(["20% pause", "60% pause", "100%"]);
    play(name, app, plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.rests_in(2).await?;
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
async fn one() -> Outcome {
    with_replicas("one", App::new(1)).await
}

#[tokio::test]
async fn one_without_surge() -> Outcome {
    with_replicas("one-no-surge", App::new(1).rolling(0, 1)).await
}

#[tokio::test]
async fn two() -> Outcome {
    with_replicas("two", App::new(2)).await
}

#[tokio::test]
async fn three() -> Outcome {
    with_replicas("three", App::new(3)).await
}

#[tokio::test]
async fn at_none_a_change_is_through_at_once() -> Outcome {
    let (_, plan) = super::small();
    play("none", App::new(0), plan, async |s: &mut Scenario| {
        let said = s.release("v2").await?;
        ensure(!said.mentions("held by"), || format!("held: {said}"))?;
        s.settles(Phase::Ready).await?;
        s.scale(2).await?;
        s.comes_up().await?;
        s.completes().await?;
        // And from here on it is careful again.
        s.release("v3").await?.saying("held by")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}
