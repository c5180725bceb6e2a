//! Gates that are hooks, on a real server that the controller reaches from its pod.

use crds::status::{GateState, Phase};
use e2e::app::App;
use e2e::failure::{Failure, Outcome, ensure};
use e2e::plan::Plan;
use e2e::scenario::waits::status;
use e2e::scenario::{Scenario, play};
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::{gate, is_taken_back};

const KEY: &str = "what only Sluice and the receiver know";

fn plan(gate: Value) -> Plan {
    Plan::new(["1", "50%", "100%"]).with("gates", json!([gate]))
}

/// Its objects, with this key.
async fn install(s: &Scenario, receiver: &Receiver, key: &str) -> Outcome {
    let secret = receiver.secret(&json!({"signing-key": key}));
    apply_in_sluice(&secret).await?;
    s.kubectl.feed(&["apply", "-f", "-"], &receiver.provider()).await.map(drop)
}

/// kubectl refuses an object of another namespace than its own.
async fn apply_in_sluice(manifest: &Value) -> Outcome {
    let kubectl = e2e::kubectl::Kubectl::new(crds::contract::NAMESPACE);
    kubectl.feed(&["apply", "-f", "-"], manifest).await.map(drop)
}

#[tokio::test]
async fn a_hook_that_accepts_lets_every_batch_go_on() -> Outcome {
    let receiver = Receiver::start(Some(KEY)).await?;
    let plan = plan(receiver.gate(false, &json!({"count": 2})));
    play("hook-accepts", App::new(4), plan, async |s: &mut Scenario| {
        install(s, &receiver, KEY).await?;
        s.release("v2").await?;
        s.completes().await?;
        let told = receiver.received();
        for batch in 1..=3 {
            let of_batch: Vec<&Value> =
                told.iter().filter(|told| told["batch"] == json!(batch)).collect();
            let attempt =
                |number: u32| of_batch.iter().any(|told| told["attempt"] == json!(number));
            ensure(attempt(1) && attempt(2), || format!("batch {batch}: {told:#?}"))?;
        }
        for one in &told {
            let expected = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
            let right = one["namespace"] == json!(s.namespace())
                && one["rollout"] == json!("web")
                && one["workload"] == expected
                && one["gate"] == json!("check")
                && one["batches"] == json!(3)
                && one["revision"] != one["stableRevision"]
                && one["podHash"].as_str().is_some_and(|hash| !hash.is_empty());
            ensure(right, || format!("{one:#}"))?;
        }
        receiver.leave().await
    })
    .await
}

#[tokio::test]
async fn a_hook_that_refuses_takes_the_release_back_in_its_own_words() -> Outcome {
    let receiver = Receiver::start(Some(KEY)).await?;
    receiver.answers(409, "frozen\r\n  until Monday\n");
    let plan = plan(receiver.gate(false, &json!({})));
    play("hook-refuses", App::new(3), plan, async |s: &mut Scenario| {
        install(s, &receiver, KEY).await?;
        let stable = s.app.clone();
        s.release("v2").await?;
        let said = is_taken_back(s, &stable).await?;
        let failure = said.failure.clone().unwrap_or_default();
        let words = "gate check failed in batch 1 of 3: 1 failed: the hook refuses with HTTP 409: \
                     frozen until Monday";
        ensure(failure.contains(words), || failure.clone())?;
        let gate = gate(&said, "check").ok_or_else(|| Failure::Wrong(format!("{said:?}")))?;
        ensure(gate.state == GateState::Failed, || format!("{gate:?}"))?;
        s.kubectl.run(&["get", "events"]).await?.saying("GateFailed")?;
        receiver.leave().await
    })
    .await
}

#[tokio::test]
async fn a_confirmation_is_waited_for_and_lets_the_batch_go_on() -> Outcome {
    let receiver = Receiver::start(Some(KEY)).await?;
    receiver.answers(404, "nobody has confirmed");
    let plan = plan(receiver.gate(true, &json!({"batches": [1], "errorLimit": 1})));
    play("hook-confirms", App::new(4), plan, async |s: &mut Scenario| {
        install(s, &receiver, KEY).await?;
        s.release("v2").await?;
        let said = s.waits_for("Confirmation").await?;
        let words = "waits for confirmation: not confirmed, HTTP 404: nobody has confirmed";
        ensure(said.contains(words), || said.clone())?;
        let attempts = s
            .until("many answers of \"not yet\"", |sight| {
                let gate = gate(status(sight)?, "check")?;
                let tally = gate.measured.tally();
                (tally.attempts >= 6).then_some(tally)
            })
            .await?;
        let nothing = (attempts.passed, attempts.failed, attempts.unknown, attempts.errors);
        ensure(nothing == (0, 0, 0, 0), || format!("{attempts:?}"))?;
        s.is_phase(Phase::Judging).await?;
        s.has_new(1).await?;
        receiver.answers(200, "confirmed by alice");
        s.completes().await?;
        receiver.leave().await
    })
    .await
}

#[tokio::test]
async fn a_hook_whose_server_fails_holds_the_batch_and_says_so() -> Outcome {
    let receiver = Receiver::start(Some(KEY)).await?;
    receiver.answers(500, "starting");
    let gate = receiver.gate(false, &json!({"errorLimit": 1}));
    let plan = Plan::new(["1", "100%"]).with("gates", json!([gate]));
    play("hook-busy", App::new(2), plan, async |s: &mut Scenario| {
        install(s, &receiver, KEY).await?;
        s.release("v2").await?;
        let said = s.waits_for("GateUnknown").await?;
        ensure(said.contains("the hook is not available, HTTP 500: starting"), || said.clone())?;
        // Each was sent twice, under one number.
        let told = receiver.received();
        let of = |number: u32| told.iter().filter(|one| one["attempt"] == json!(number)).count();
        ensure(of(1) == 2 && of(2) == 2, || format!("{told:#?}"))?;
        s.has_new(1).await?;
        receiver.answers(200, "");
        s.completes().await?;
        receiver.leave().await
    })
    .await
}

/// The Secret is missing, then it has nothing in it that is known, then it is right.
#[tokio::test]
async fn a_hook_without_a_proper_secret_says_so_and_sends_nothing() -> Outcome {
    let receiver = Receiver::start(Some(KEY)).await?;
    let gate = receiver.gate(false, &json!({"errorLimit": 0}));
    let plan = Plan::new(["1", "100%"]).with("gates", json!([gate]));
    play("hook-secret", App::new(2), plan, async |s: &mut Scenario| {
        s.kubectl.feed(&["apply", "-f", "-"], &receiver.provider()).await?;
        s.release("v2").await?;
        let says = async |words: &str| {
            let what = format!("the Rollout to say {words:?}");
            s.until(&what, |sight| {
                let waiting = status(sight)?.waiting_for.as_ref()?;
                let said = waiting.reason == "GateUnknown" && waiting.message.contains(words);
                said.then_some(())
            })
            .await
        };
        says("in sluice-system: the administrator makes it").await?;
        apply_in_sluice(&receiver.secret(&json!({"wrong": "x"}))).await?;
        says("has neither signing-key, nor token").await?;
        ensure(receiver.received().is_empty(), || format!("{:#?}", receiver.received()))?;
        apply_in_sluice(&receiver.secret(&json!({"signing-key": KEY}))).await?;
        s.completes().await?;
        receiver.leave().await
    })
    .await
}

#[tokio::test]
async fn a_hook_signed_with_another_key_is_refused_by_its_receiver() -> Outcome {
    let receiver = Receiver::start(Some(KEY)).await?;
    let plan = plan(receiver.gate(false, &json!({})));
    play("hook-key", App::new(3), plan, async |s: &mut Scenario| {
        install(s, &receiver, "another key").await?;
        let stable = s.app.clone();
        s.release("v2").await?;
        let said = is_taken_back(s, &stable).await?;
        let failure = said.failure.clone().unwrap_or_default();
        ensure(failure.contains("HTTP 401: wrong signature"), || failure.clone())?;
        ensure(receiver.received().is_empty(), || format!("{:#?}", receiver.received()))?;
        receiver.leave().await
    })
    .await
}

#[tokio::test]
async fn a_hook_that_makes_no_sense_is_refused_when_it_is_applied() -> Outcome {
    let receiver = Receiver::start(None).await?;
    let plan = Plan::new(["1", "100%"]);
    play("hook-refused", App::new(1), plan, async |s: &mut Scenario| {
        for (gate, words) in [
            (receiver.gate(false, &json!({"unknownLimit": 1})), "unknownLimit"),
            (receiver.gate(true, &json!({"failedLimit": 1})), "failedLimit"),
            (receiver.gate(false, &json!({"template": {"name": "x"}})), "template"),
        ] {
            let manifest = s.plan.clone().with("gates", json!([gate])).manifest();
            let said = s.kubectl.try_run(&["apply", "-f", "-"], Some(&manifest)).await?;
            said.refused(words)?;
        }
        let manifest = s.plan.clone().with("gates", json!([receiver.gate(true, &json!({}))]));
        let file = std::env::temp_dir().join(format!("{}.json", receiver.name()));
        std::fs::write(&file, manifest.manifest().to_string())
            .map_err(|error| Failure::Wrong(format!("{}: {error}", file.display())))?;
        let path = file.display().to_string();
        let said = s.try_sluice(&["gate", "test", "-f", &path]).await?;
        let _ = std::fs::remove_file(&file);
        let unsent = said.code == Some(2) && said.mentions("not sent");
        ensure(unsent && receiver.received().is_empty(), || said.to_string())
    })
    .await
}
