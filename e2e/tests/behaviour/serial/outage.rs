//! The webhook's pods gone, in every phase: nothing escapes, what would loosen a hold is refused
//! with our words, everything else works, and an abort needs no webhook.

use e2e::app::App;
use e2e::failure::{Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::parts::Parts;
use e2e::scenario::{Scenario, alone, perform};
use serde_json::Value;
use tokio::sync::watch;

/// Where the outage stands, for scenarios that are prepared before it and go on in it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Weather {
    Fair,
    Outage,
    FairAgain,
}

/// One scenario's part in the outage. Whoever fails is not waited for.
struct Storm {
    weather: watch::Receiver<Weather>,
    arrived: watch::Sender<usize>,
    steps: usize,
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.arrived.send_modify(|arrived| *arrived += 2 - self.steps.min(2));
    }
}

impl Storm {
    /// Says that this scenario has come so far, and waits for the weather.
    async fn wait_for(&mut self, wanted: Weather) -> Outcome {
        self.steps += 1;
        self.arrived.send_modify(|arrived| *arrived += 1);
        // The sender lives until all scenarios are through.
        let _ = self.weather.wait_for(|weather| *weather == wanted).await;
        Ok(())
    }
}

async fn refused(s: &Scenario, args: &[&str], manifest: Option<&Value>, words: &str) -> Outcome {
    s.kubectl.try_run(args, manifest).await?.refused(words).map(drop)
}

/// At rest: a template change is refused, the rest passes.
async fn at_rest(mut storm: Storm) -> Outcome {
    let (app, plan) = crate::small();
    perform("storm-rest", app, plan, async |s: &mut Scenario| {
        s.create().await?;
        storm.wait_for(Weather::Outage).await?;
        let next = s.app.clone().version("v2").manifest();
        let unheld = "arrived unheld";
        refused(s, &["apply", "-f", "-"], Some(&next), unheld).await?;
        let forced = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        refused(s, &forced, Some(&next), unheld).await?;
        refused(s, &["replace", "-f", "-"], Some(&next), "Sluice").await?;
        refused(s, &["rollout", "restart", "deployment/web"], None, unheld).await?;
        refused(s, &["label", "deployment", "web", "sluice.dev/armed-"], None, "kept by").await?;
        s.apply().await?;
        s.kubectl.run(&["label", "deployment", "web", "team=a"]).await?;
        s.kubectl.run(&["label", "deployment", "web", "team-"]).await?;
        s.scale(4).await?;
        s.comes_up().await?;
        storm.wait_for(Weather::FairAgain).await?;
        s.release("v2").await?.saying("held by")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await
    })
    .await
}

/// In a batch: whatever would loosen the hold is refused; scaling keeps the share; an abort works.
async fn in_a_batch(mut storm: Storm) -> Outcome {
    let plan = Plan::new(["50% pause", "100%"]);
    perform("storm-batch", App::new(4), plan, async |s: &mut Scenario| {
        s.create().await?;
        let stable = s.app.clone();
        s.release("v2").await?;
        s.rests_in(1).await?;
        storm.wait_for(Weather::Outage).await?;
        loosening_is_refused(s).await?;
        s.apply().await?;
        s.scale(6).await?;
        s.rests_in(1).await?;
        s.scale(4).await?;
        s.rests_in(1).await?;
        // The user's own way back is refused, with the word that does it.
        let back = s.app.clone().version("v1").manifest();
        refused(s, &["apply", "-f", "-"], Some(&back), "kubectl sluice abort web").await?;
        s.abort().await?;
        s.until("only stable pods", |sight| {
            let counts = e2e::scenario::counts::Counts::of(sight);
            (counts.stable.is(4) && counts.all().is(4)).then_some(())
        })
        .await?;
        storm.wait_for(Weather::FairAgain).await?;
        s.is_rejected_for(&stable).await?;
        s.release("v3").await?.saying("held by")?;
        s.rests_in(1).await?;
        s.promote().await?;
        s.completes().await?;
        let owners = s.owners().await?;
        ensure(!owners.iter().any(|owner| owner.starts_with("sluice-")), || format!("{owners:?}"))
    })
    .await
}

async fn loosening_is_refused(s: &Scenario) -> Outcome {
    s.tell(&Told::Freeze);
    let holds = "holds this workload";
    let stated = s.app.clone().stating_all().manifest();
    refused(s, &["apply", "-f", "-"], Some(&stated), holds).await?;
    let forced = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    refused(s, &forced, Some(&stated), holds).await?;
    refused(s, &["replace", "-f", "-"], Some(&s.app.manifest()), "Sluice").await?;
    let v3 = s.app.clone().version("v3").manifest();
    refused(s, &["apply", "-f", "-"], Some(&v3), "arrived unheld").await?;
    refused(s, &["annotate", "deployment", "web", "sluice.dev/hold-"], None, "Sluice").await?;
    refused(s, &["label", "deployment", "web", "sluice.dev/armed-"], None, "kept by").await?;
    refused(s, &["rollout", "undo", "deployment/web"], None, "kubectl sluice abort web").await
}

/// In mid batch and promoted in the outage: it waits, and says for what.
async fn in_mid_batch(mut storm: Storm) -> Outcome {
    let plan = Plan::new(["1 pause", "100%"]);
    perform("storm-mid", App::new(3), plan, async |s: &mut Scenario| {
        s.create().await?;
        s.release("v2").await?;
        s.rests_in(1).await?;
        storm.wait_for(Weather::Outage).await?;
        s.promote().await?;
        s.waits_for("Webhook").await?;
        s.has_new(1).await?;
        storm.wait_for(Weather::FairAgain).await?;
        s.completes().await
    })
    .await
}

/// After an abort: the rejected version, still in the manifest, does not get in either.
async fn rejected(mut storm: Storm) -> Outcome {
    let (app, plan) = crate::small();
    perform("storm-rejected", app, plan, async |s: &mut Scenario| {
        s.create().await?;
        let stable = s.app.clone();
        s.release("v2").await?;
        s.rests_in(1).await?;
        s.abort().await?;
        s.is_rejected_for(&stable).await?;
        storm.wait_for(Weather::Outage).await?;
        let touched = s.app.clone().manifest();
        refused(s, &["replace", "-f", "-"], Some(&touched), "Sluice").await?;
        refused(s, &["annotate", "deployment", "web", "sluice.dev/hold-"], None, "kept by").await?;
        storm.wait_for(Weather::FairAgain).await?;
        s.apply().await?;
        s.is_rejected_for(&stable).await
    })
    .await
}

#[tokio::test]
async fn nothing_escapes_and_nothing_else_is_blocked() -> Outcome {
    alone(async || {
        let parts = Parts::connect().await?;
        let weather = watch::Sender::new(Weather::Fair);
        let arrived = watch::Sender::new(0);
        let storm = || Storm { weather: weather.subscribe(), arrived: arrived.clone(), steps: 0 };
        let scenarios = async {
            let (one, two, three, four) = tokio::join!(
                at_rest(storm()),
                in_a_batch(storm()),
                in_mid_batch(storm()),
                rejected(storm()),
            );
            one.and(two).and(three).and(four)
        };
        let turns = async {
            arrive(&arrived, 4).await;
            parts.take_webhook().await?;
            weather.send_replace(Weather::Outage);
            arrive(&arrived, 8).await;
            parts.bring_webhook().await?;
            weather.send_replace(Weather::FairAgain);
            std::future::pending::<Outcome>().await
        };
        let played = tokio::select! {
            biased;
            played = scenarios => played,
            failed = turns => failed,
        };
        parts.bring_webhook().await?;
        played
    })
    .await
}

async fn arrive(arrived: &watch::Sender<usize>, wanted: usize) {
    let _ = arrived.subscribe().wait_for(|arrived| *arrived >= wanted).await;
}
