//! Gates on a real Prometheus, which scrapes the real test application under a steady load: each
//! version is judged by what its own pods answer.

mod bake;
mod cable;
mod faulty_prometheus;
mod hooks;
mod notifications;
mod receiver;

use crds::RolloutStatus;
use crds::status::{GateState, GateStatus, Phase};
use e2e::app::App;
use e2e::failure::{Failure, Outcome, ensure};
use e2e::observer::Told;
use e2e::plan::Plan;
use e2e::scenario::waits::status;
use e2e::scenario::{Scenario, play};
use e2e::view::version;
use serde_json::{Value, json};

use faulty_prometheus::{Fault, FaultyPrometheus};

/// Requests a second: 15 for each pod of four.
const RATE: u32 = 60;

/// The share of requests that may fail is 1 %; fewer than 20 say nothing.
fn errors() -> Value {
    json!({
        "name": "errors",
        "prometheus": {"errorRatio": {}, "max": "0.01", "minRequests": 20},
        "interval": "3s",
        "count": 2,
        "unknownLimit": 20,
    })
}

/// One in ten may take longer than 0.9 s: nothing healthy does, however busy the machine is.
fn latency() -> Value {
    json!({
        "name": "slow",
        "prometheus": {"latency": {"quantile": "0.9"}, "max": "0.9"},
        "interval": "3s",
        "unknownLimit": 20,
    })
}

/// No worse than the stable pods beside it: so many looks for each batch.
fn compared(count: u32) -> Value {
    json!({
        "name": "worse",
        "prometheus": {"errorRatio": {}, "compare": {}, "minRequests": 50},
        "interval": "3s",
        "count": count,
        "unknownLimit": 20,
    })
}

fn plan(gates: Value) -> Plan {
    Plan::new(["1", "50%", "100%"]).with("gates", gates)
}

/// The status as it is.
async fn told(s: &Scenario) -> Outcome<RolloutStatus> {
    s.until("the status", |sight| status(sight).cloned()).await
}

fn gate<'a>(status: &'a RolloutStatus, name: &str) -> Option<&'a GateStatus> {
    status.gates.iter().find(|gate| gate.name == name)
}

/// The manifest brings a version, and it is taken back by itself; returns what the status says.
async fn is_taken_back(s: &mut Scenario, stable: &App) -> Outcome<RolloutStatus> {
    s.tell(&Told::MayReturn);
    s.is_phase(Phase::Rejected).await?;
    let said = told(s).await?;
    s.is_rejected_for(stable).await?;
    Ok(said)
}

#[tokio::test]
async fn a_healthy_version_passes_every_batch_without_a_human() -> Outcome {
    let plan = plan(json!([errors(), latency()])).with("bake", "4s");
    play("gates-pass", App::new(4), plan, async |s: &mut Scenario| {
        let _load = s.under_load(RATE).await?;
        s.release("v2").await?;
        for batch in 1..=3 {
            let said = s
                .until(&format!("both gates to pass batch {batch}"), |sight| {
                    let passed = |name| {
                        let gate = gate(status(sight)?, name)?;
                        let passed = gate.batch == batch && gate.state == GateState::Passed;
                        passed.then(|| gate.clone())
                    };
                    Some([passed("errors")?, passed("slow")?])
                })
                .await?;
            let words = ["http_requests_total{", "histogram_quantile(0.9,"];
            for ((gate, passes), words) in said.iter().zip([2, 1]).zip(words) {
                let asked = gate.measured.last().iter().all(|one| one.query.contains(words));
                let tally = gate.measured.tally();
                ensure(asked && tally.passed >= passes && tally.failed == 0, || {
                    format!("{gate:?}")
                })?;
            }
        }
        s.completes().await?;
        // The record outlives the release.
        let said = told(s).await?;
        let gate = gate(&said, "errors").ok_or_else(|| Failure::Wrong(format!("{said:?}")))?;
        let batches = gate.earlier.iter().map(|one| one.batch).collect::<Vec<_>>();
        let last = gate.measured.last();
        let requests = last.last().and_then(|last| last.requests.clone()).unwrap_or_default();
        let counted = requests.value.and_then(|value| value.parse::<f64>().ok());
        let kept = said.phase == Phase::Ready
            && batches.iter().any(|batch| *batch < 3)
            && last.len() + batches.len() <= 10
            && requests.query.starts_with("sum (increase(http_requests_total{")
            && counted.is_some_and(|count| count >= 20.0);
        ensure(kept, || format!("{gate:?}"))?;
        s.sluice(&["status", "web"]).await?.saying("gate errors of batch 3").map(drop)
    })
    .await
}

#[tokio::test]
async fn a_version_with_errors_is_taken_back_in_its_first_batch() -> Outcome {
    play("gates-errors", App::new(4), plan(json!([errors()])), async |s: &mut Scenario| {
        let _load = s.under_load(RATE).await?;
        let stable = s.app.clone();
        s.app = s.app.clone().env("ERROR_RATE", "0.05");
        s.release("v2").await?;
        let said = is_taken_back(s, &stable).await?;
        let failure = said.failure.clone().unwrap_or_default();
        let words = ["gate errors failed in batch 1 of 3", "is above max 0.01"];
        ensure(words.iter().all(|word| failure.contains(word)), || failure.clone())?;
        let gate = gate(&said, "errors").ok_or_else(|| Failure::Wrong(format!("{said:?}")))?;
        let last = gate.measured.last().last();
        let names = last.is_some_and(|last| {
            last.query.contains("http_requests_total{") && failure.contains(&last.told)
        });
        ensure(names, || format!("{gate:?}"))
    })
    .await
}

#[tokio::test]
async fn a_slow_version_is_taken_back() -> Outcome {
    play("gates-slow", App::new(4), plan(json!([latency()])), async |s: &mut Scenario| {
        let _load = s.under_load(RATE).await?;
        let stable = s.app.clone();
        s.app = s.app.clone().env("LATENCY", "1500ms");
        s.release("v2").await?;
        let said = is_taken_back(s, &stable).await?;
        let failure = said.failure.clone().unwrap_or_default();
        ensure(failure.contains("gate slow failed in batch 1 of 3"), || failure.clone())?;
        let gate = gate(&said, "slow").ok_or_else(|| Failure::Wrong(format!("{said:?}")))?;
        let shown = gate.measured.last().last().is_some_and(|last| {
            let value = last.values.first().and_then(|value| value.value.parse::<f64>().ok());
            last.query.starts_with("histogram_quantile(0.9, sum by (le) (increase(")
                && value.is_some_and(|value| value > 0.9)
        });
        ensure(shown, || format!("{gate:?}"))
    })
    .await
}

/// Its requests take 1.5 s, the highest bucket ends at 1 s, and 2 s would be acceptable: Prometheus
/// says that they took 1 s.
#[tokio::test]
async fn a_latency_above_the_highest_bucket_is_no_pass() -> Outcome {
    let mut gate = latency();
    gate["prometheus"]["max"] = json!("2");
    gate["errorLimit"] = json!(1);
    play("gates-bucket", App::new(4), plan(json!([gate])), async |s: &mut Scenario| {
        let _load = s.under_load(RATE).await?;
        let stable = s.app.clone();
        s.app = s.app.clone().env("LATENCY", "1500ms");
        s.release("v2").await?;
        let said = s.waits_for("GateUnknown").await?;
        ensure(said.contains("the quantile lies above the highest bucket"), || said.clone())?;
        s.has_new(1).await?;
        s.tell(&Told::Return);
        s.sluice(&["abort", "web"]).await?;
        s.is_rejected_for(&stable).await
    })
    .await
}

/// To and fro across the bound, again and again: as many fails are let go as the gate says.
#[tokio::test]
async fn a_noisy_version_is_not() -> Outcome {
    let errors = json!({
        "name": "errors",
        "prometheus": {"errorRatio": {}, "max": "0.05", "minRequests": 10, "window": "3s"},
        "interval": "1s", "count": 8, "failedLimit": 60, "unknownLimit": 60, "batches": [1],
    });
    let plan = Plan::new(["1", "100%"]).with("gates", json!([errors]));
    play("gates-noisy", App::new(4), plan, async |s: &mut Scenario| {
        let _load = s.under_load(RATE).await?;
        s.app = s.app.clone().env("ERROR_RATE", "0.3");
        s.release("v2").await?;
        let mut counted = (0, 0);
        for (rate, turns_bad) in [("0", true), ("0.3", false), ("0", true)] {
            let now = s.until("the gate to say what the other share comes to", |sight| {
                let tally = gate(status(sight)?, "errors")?.measured.tally();
                let (fails, passes) = counted;
                let more = if turns_bad { tally.failed > fails } else { tally.passed > passes };
                more.then_some((tally.failed, tally.passed))
            });
            counted = now.await?;
            for pod in s.pods_that(|pod| version(pod.spec.as_ref()) == Some("v2")) {
                s.switch(&pod, &format!("errors?value={rate}")).await?;
            }
        }
        s.completes().await?;
        let said = told(s).await?;
        let said = gate(&said, "errors").ok_or_else(|| Failure::Wrong(format!("{said:?}")))?;
        let tally = said.measured.tally();
        let noisy = said.state == GateState::Passed && tally.failed >= 2 && tally.passed >= 8;
        ensure(noisy, || format!("{said:?}"))
    })
    .await
}

#[tokio::test]
async fn a_version_worse_than_stable_is_taken_back_by_comparison() -> Outcome {
    let plan = plan(json!([compared(8)]));
    play("gates-worse", App::new(4), plan, async |s: &mut Scenario| {
        let _load = s.under_load(RATE).await?;
        let stable = s.app.clone();
        s.app = s.app.clone().env("ERROR_RATE", "0.3");
        s.release("v2").await?;
        let said = is_taken_back(s, &stable).await?;
        let failure = said.failure.clone().unwrap_or_default();
        let words = ["gate worse failed in batch 1 of 3", "that it is worse than 1.2 x stable"];
        ensure(words.iter().all(|word| failure.contains(word)), || failure.clone())?;
        let gate = gate(&said, "worse").ok_or_else(|| Failure::Wrong(format!("{said:?}")))?;
        ensure(gate.comparison.is_some(), || format!("{gate:?}"))
    })
    .await
}

#[tokio::test]
async fn a_version_as_bad_as_stable_passes_its_comparison() -> Outcome {
    let app = App::new(4).env("ERROR_RATE", "0.1");
    play("gates-alike", app, plan(json!([compared(3)])), async |s: &mut Scenario| {
        let _load = s.under_load(RATE).await?;
        s.release("v2").await?;
        let said = s
            .until("the comparison to pass batch 2", |sight| {
                let gate = gate(status(sight)?, "worse")?;
                (gate.batch == 2 && gate.state == GateState::Passed).then(|| gate.clone())
            })
            .await?;
        // The evidence is of both batches: a look with too few requests is none of their passes.
        let kept = said.comparison.as_ref().map(|kept| kept.evidence.clone());
        ensure(kept.is_some_and(|text| looks(&text) >= 6), || format!("{said:?}"))?;
        s.completes().await
    })
    .await
}

/// How often evidence was looked at, in the text in which it is kept.
fn looks(evidence: &str) -> u64 {
    let kept = evidence.split_once(' ').map_or("", |(_, kept)| kept);
    serde_json::from_str::<Value>(kept).ok().and_then(|kept| kept["looks"].as_u64()).unwrap_or(0)
}

#[tokio::test]
async fn no_requests_are_no_pass() -> Outcome {
    let mut gate = errors();
    gate["unknownLimit"] = json!(1);
    gate["interval"] = json!("1s");
    play("gates-idle", App::new(2), plan(json!([gate])), async |s: &mut Scenario| {
        s.release("v2").await?;
        let said = s.waits_for("GateUnknown").await?;
        ensure(said.contains("gives no series"), || said.clone())?;
        s.has_new(1).await?;
        s.tell(&Told::Return);
        let stable = s.app.clone().version("v1");
        s.sluice(&["abort", "web"]).await?;
        s.is_rejected_for(&stable).await
    })
    .await
}

#[tokio::test]
async fn a_wrong_query_says_so_in_prometheus_own_words_and_can_be_skipped() -> Outcome {
    let wrong = json!({
        "name": "wrong",
        "prometheus": {"query": "sum(up", "max": "1"},
        "interval": "1s",
        "errorLimit": 1,
    });
    let plan = Plan::new(["1", "100%"]).with("gates", json!([wrong]));
    play("gates-wrong", App::new(2), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        for batch in 1..=2_u32 {
            let said = s.waits_for("GateUnknown").await?;
            // Its own words, not only ours before them.
            let words = ["Prometheus says bad_data", "parse error: unclosed left parenthesis"];
            ensure(words.iter().all(|word| said.contains(word)), || said.clone())?;
            s.sluice(&["status", "web"]).await.err();
            s.sluice(&["skip-gates", "web"]).await?.saying("goes on without its gates")?;
            if batch == 1 {
                s.is_in(2).await?;
            }
        }
        s.completes().await?;
        let said = told(s).await?;
        let named = |by: &Option<String>| by.as_ref().is_some_and(|by| !by.is_empty());
        let batches: Vec<u32> = said.skipped.iter().map(|skipped| skipped.batch).collect();
        let all = batches == [1, 2] && said.skipped.iter().all(|skipped| named(&skipped.by));
        ensure(all, || format!("{:?}", said.skipped))?;
        let by = said.skipped[0].by.clone().unwrap_or_default();
        let line = format!("gates of batch 1 skipped by {by}");
        s.sluice(&["status", "web"]).await?.saying(&line).map(drop)
    })
    .await
}

#[tokio::test]
async fn a_provider_that_does_not_exist_is_named() -> Outcome {
    let mut gate = errors();
    gate["prometheus"]["provider"] = json!("nowhere");
    gate["interval"] = json!("1s");
    let plan = Plan::new(["1", "100%"]).with("gates", json!([gate]));
    play("gates-nowhere", App::new(2), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        let said = s.waits_for("GateUnknown").await?;
        ensure(said.contains("there is no MetricProvider nowhere"), || said.clone())?;
        s.reapply_old("v1").await?;
        s.is_back_at(&s.app).await
    })
    .await
}

/// From a template that comes late, measured by hand on the way.
#[tokio::test]
async fn a_template_is_waited_for_and_a_gate_is_measured_by_hand() -> Outcome {
    let gate = json!({
        "name": "answer", "interval": "1s", "errorLimit": 1,
        "template": {"name": "answer", "args": {"value": "5"}},
    });
    let plan = Plan::new(["1", "100%"]).with("gates", json!([gate]));
    play("gates-template", App::new(2), plan, async |s: &mut Scenario| {
        s.release("v2").await?;
        let said = s.waits_for("GateUnknown").await?;
        ensure(said.contains("there is no GateTemplate answer"), || said.clone())?;
        s.has_new(1).await?;
        let query = r#"sum(label_replace(vector(5), "a", "{{args.value}}", "", ""))"#;
        let template = json!({
            "apiVersion": "sluice.dev/v1alpha1", "kind": "GateTemplate",
            "metadata": {"name": "answer"},
            "spec": {"args": [{"name": "value"}], "prometheus": {"query": query, "max": "6"}},
        });
        s.kubectl.feed(&["apply", "-f", "-"], &template).await?;
        let address = std::env::var("SLUICE_PROMETHEUS_URL").unwrap_or_default();
        let args = ["gate", "test", "web", "--address", &address];
        s.sluice(&args).await?.saying("verdict   Pass WithinBound: 5 is within")?;
        s.completes().await
    })
    .await
}

/// Whatever Prometheus does instead of answering: nothing is taken back and nothing goes on; once
/// it answers, the release ends by itself.
async fn survives(name: &str, fault: Fault, says: &str) -> Outcome {
    let prometheus = FaultyPrometheus::start(fault).await?;
    let mut gate = errors();
    gate["interval"] = json!("1s");
    gate["errorLimit"] = json!(2);
    gate["unknownLimit"] = json!(2);
    gate["prometheus"] = json!({"query": "vector(0)", "max": "0.01"});
    gate["prometheus"]["provider"] = json!(prometheus.provider());
    let plan = Plan::new(["1", "100%"]).with("gates", json!([gate]));
    play(name, App::new(2), plan, async |s: &mut Scenario| {
        s.kubectl.feed(&["apply", "-f", "-"], &prometheus.manifest()).await?;
        s.release("v2").await?;
        let said = s.waits_for("GateUnknown").await?;
        ensure(said.contains(says), || format!("{says}: {said}"))?;
        s.has_new(1).await?;
        completes_once_healed(s, &prometheus).await
    })
    .await
}

/// The provider is nobody's any more after that.
async fn completes_once_healed(s: &mut Scenario, prometheus: &FaultyPrometheus) -> Outcome {
    prometheus.heal();
    let ended = s.completes().await;
    s.kubectl.run(&["delete", "metricprovider", &prometheus.provider()]).await?;
    ended
}

#[tokio::test]
async fn a_prometheus_that_answers_500() -> Outcome {
    survives("gates-500", Fault::Status500, "HTTP 500").await
}

#[tokio::test]
async fn a_prometheus_that_is_slow() -> Outcome {
    survives("gates-late", Fault::Silent, "no answer within 1 s").await
}

#[tokio::test]
async fn a_prometheus_that_answers_nonsense() -> Outcome {
    survives("gates-nonsense", Fault::Nonsense, "the answer cannot be read").await
}

#[tokio::test]
async fn a_prometheus_that_knows_nothing() -> Outcome {
    survives("gates-empty", Fault::Empty, "gives no series").await
}

#[tokio::test]
async fn a_prometheus_that_is_partial() -> Outcome {
    survives("gates-partial", Fault::Partial, "Prometheus warns").await
}
