//! The controller killed with SIGKILL, again and again at random moments: every release has the
//! same end as if nothing had happened.

use std::time::Duration;

use e2e::app::App;
use e2e::failure::{Failure, Outcome};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::parts::{Parts, seed};
use e2e::scenario::{Scenario, alone, perform};
use kube::ResourceExt;
use tokio::time::{interval, sleep};

/// Plays `stories` while the controller that leads dies again and again.
async fn under_fire(stories: impl Future<Output = Outcome>) -> Outcome {
    alone(async || {
        let parts = Parts::connect().await?;
        let fire = fire(&parts, seed()?);
        let played = tokio::select! {
            biased;
            failure = fire => Err(failure),
            played = stories => played,
        };
        parts.controller_is_back().await?;
        played
    })
    .await
}

#[expect(clippy::print_stderr, reason = "the seed of a failed run belongs to its output")]
async fn fire(parts: &Parts, seed: u64) -> Failure {
    eprintln!("SLUICE_E2E_SEED={seed}");
    let mut moment = seed;
    loop {
        // A linear congruence is chance enough for the moments of a kill.
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        match shot(parts, Duration::from_millis((moment >> 33) % 5000)).await {
            Ok(killed) => eprintln!("killed {killed}"),
            Err(failure) => return failure,
        }
    }
}

/// Lets the next leader lead for a while, and kills it.
async fn shot(parts: &Parts, reign: Duration) -> Outcome<String> {
    let mut asks = interval(Duration::from_millis(50));
    let leader = loop {
        asks.tick().await;
        if let Some(leader) = parts.leader().await? {
            break leader;
        }
    };
    sleep(reign).await;
    parts.kill(&leader).await?;
    Ok(leader.name_any())
}

fn slow(replicas: i32) -> App {
    App::new(replicas).env("START_DELAY", "500ms")
}

/// To the end by itself, twice.
async fn goes_through() -> Outcome {
    let plan = Plan::new(["1", "50%", "100%"]);
    perform("fire-through", slow(4), plan, async |s: &mut Scenario| {
        s.create().await?;
        for version in ["v2", "v3"] {
            s.release(version).await?;
            s.completes().await?;
        }
        Ok(())
    })
    .await
}

/// Promoted from batch to batch.
async fn is_promoted() -> Outcome {
    let plan = Plan::new(["1 pause", "2 pause", "100%"]);
    perform("fire-promote", slow(3), plan, async |s: &mut Scenario| {
        s.create().await?;
        s.release("v2").await?;
        for batch in 1..=2 {
            s.rests_in(batch).await?;
            s.tell(&Told::Promote { batch: usize::try_from(batch).unwrap_or_default() });
            s.request(&["promote", "web"]).await?;
        }
        s.completes().await
    })
    .await
}

/// Aborted by hand in mid batch, superseded, and rolled back.
async fn goes_back() -> Outcome {
    let plan = Plan::new(["1", "3 pause", "100%"]);
    perform("fire-back", slow(4), plan, async |s: &mut Scenario| {
        s.create().await?;
        let stable = s.app.clone();
        s.release("v2").await?;
        s.is_in(2).await?;
        s.tell(&Told::Return);
        s.request(&["abort", "web"]).await?;
        s.is_rejected_for(&stable).await?;
        s.release("v3").await?;
        s.is_in(1).await?;
        s.release("v4").await?;
        s.rests_in(2).await?;
        s.reapply_old("v1").await?;
        s.is_back_at(&stable).await
    })
    .await
}

/// Scaled while held, to nothing and back.
async fn is_scaled() -> Outcome {
    let plan = Plan::new(["20% pause", "100%"]);
    perform("fire-scale", slow(5), plan, async |s: &mut Scenario| {
        s.create().await?;
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.scale(10).await?;
        s.rests_in(1).await?;
        s.scale(0).await?;
        s.waits_for("ScaledToZero").await?;
        s.scale(4).await?;
        s.rests_in(1).await?;
        s.tell(&Told::Promote { batch: 1 });
        s.request(&["promote", "web"]).await?;
        s.completes().await
    })
    .await
}

#[tokio::test]
async fn every_release_ends_the_same() -> Outcome {
    under_fire(async {
        let (through, promoted, back, scaled) =
            tokio::join!(goes_through(), is_promoted(), goes_back(), is_scaled());
        through.and(promoted).and(back).and(scaled)
    })
    .await
}
