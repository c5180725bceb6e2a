//! A manifest that is applied every second, as a GitOps tool does, in every phase of a release:
//! no flap, no conflict, no escape.

use std::time::Duration;

use e2e::app::App;
use e2e::failure::{Failure, Outcome};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::{Scenario, play};
use tokio::time::{MissedTickBehavior, interval};

const CLIENT_SIDE: &[&str] = &["apply", "-f", "-"];
const SERVER_SIDE: &[&str] =
    &["apply", "--server-side", "--force-conflicts", "--field-manager=flux", "-f", "-"];

/// Applies the manifest as it is now, once a second, until `body` is through.
async fn meanwhile(s: &Scenario, args: &[&str], body: impl Future<Output = Outcome>) -> Outcome {
    let manifest = s.app.manifest();
    let again = async {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            seconds.tick().await;
            if let Err(failure) = s.kubectl.feed(args, &manifest).await {
                return failure;
            }
        }
    };
    tokio::select! {
        biased;
        done = body => done,
        failure = again => Err::<(), Failure>(failure),
    }
}

/// A whole release, a stay in a batch, an abort and its end, all under re-applies.
async fn every_second(name: &str, app: App, args: &[&str]) -> Outcome {
    let app = app.env("START_DELAY", "1s");
    let plan = Plan::new(["1 pause", "2", "100%"]);
    play(name, app, plan, async |s: &mut Scenario| {
        // The first one makes this manager the owner of what it states.
        s.tell(&Told::Edit);
        s.kubectl.feed(args, &s.app.manifest()).await?;
        s.app = s.app.clone().version("v2");
        s.tell(&Told::Begin);
        s.kubectl.feed(args, &s.app.manifest()).await?;
        meanwhile(s, args, async {
            s.rests_in(1).await?;
            s.tell(&Told::Freeze);
            rest(s).await?;
            s.promote().await?;
            s.settles(crds::status::Phase::Ready).await
        })
        .await?;
        s.is_restored(&s.app).await?;
        let stable = s.app.clone();
        s.app = s.app.clone().version("v3");
        s.tell(&Told::Begin);
        s.kubectl.feed(args, &s.app.manifest()).await?;
        meanwhile(s, args, async {
            s.rests_in(1).await?;
            s.abort().await?;
            s.settles(crds::status::Phase::Rejected).await?;
            rest(s).await
        })
        .await?;
        s.is_restored(&stable).await
    })
    .await
}

/// Three applies' worth of time in which nothing may happen.
async fn rest(s: &Scenario) -> Outcome {
    let mut seconds = interval(Duration::from_secs(1));
    for _ in 0..4 {
        seconds.tick().await;
    }
    s.observer.catch_up(e2e::scenario::PATIENCE).await
}

#[tokio::test]
async fn client_side() -> Outcome {
    every_second("client", App::new(3), CLIENT_SIDE).await
}

#[tokio::test]
async fn client_side_with_all_fields() -> Outcome {
    every_second("client-all", App::new(3).stating_all(), CLIENT_SIDE).await
}

#[tokio::test]
async fn server_side_by_force() -> Outcome {
    every_second("server", App::new(3), SERVER_SIDE).await
}

#[tokio::test]
async fn server_side_by_force_with_all_fields() -> Outcome {
    every_second("server-all", App::new(3).stating_all(), SERVER_SIDE).await
}
