//! Gates that are hooks: what they are told, and what each answer does.

use crds::Gate;
use crds::gates::HookGate;
use crds::rollout::Pause;
use crds::status::{GateState, Phase};
use gate::hook::Heard;
use gate::{HookAnswer, HookTrouble, Verdict};
use jiff::ToSpan;
use serde_json::json;

use super::scene::{Scene, set, turns, waits};
use crate::action::Action;
use crate::observed::{Answered, Sets};
use crate::{Ask, Plan, measured_between};

fn gate(hook: &serde_json::Value, more: &serde_json::Value) -> Gate {
    let mut gate = json!({ "name": "check", "hook": hook, "interval": "10s" });
    gate.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(gate).unwrap()
}

fn plain(more: &serde_json::Value) -> Gate {
    gate(&json!({ "provider": "checks" }), more)
}

fn confirm(more: &serde_json::Value) -> Gate {
    gate(&json!({ "provider": "checks", "confirm": true }), more)
}

/// The first batch is ready, and its pause is nobody's business here.
fn ready(gate: Gate) -> Scene {
    let mut scene = Scene::in_first_batch();
    scene.seen.rollout.spec.gates = vec![gate];
    scene.seen.rollout.spec.strategy.batches[0].pause = None;
    if let Some(definition) = &mut scene.status().batch.as_mut().unwrap().definition {
        definition.pause = None;
    }
    scene.sets(Sets { update: Some(set("v2", 2)), old: vec![set("v1", 8)] });
    scene.publish();
    scene
}

fn due(scene: &mut Scene) -> Ask {
    scene.now = scene.now.checked_add(11.seconds()).unwrap();
    let plan = scene.plan();
    assert_eq!(plan.asks.len(), 1, "{:?}", plan.asks);
    let ask = plan.asks[0].clone();
    scene.publish();
    ask
}

fn answer(scene: &mut Scene, ask: &Ask, heard: Heard) -> Plan {
    scene.seen.answers = vec![Answered::of_hook(ask.clone(), heard)];
    scene.plan()
}

fn http(status: u16) -> Heard {
    Ok(HookAnswer::new(status, b"said so"))
}

fn advances(plan: &Plan) -> bool {
    plan.actions.iter().any(|action| match action {
        Action::WriteHold(write) => {
            write.hold.as_ref().and_then(|hold| hold.as_fenced()).is_some_and(|f| f.batch == 2)
        }
        _ => false,
    })
}

#[test]
fn a_hook_is_told_which_batch_of_which_release() {
    let mut scene = ready(plain(&json!({})));
    let ask = due(&mut scene);
    assert_eq!((ask.provider.as_str(), ask.query.as_str()), ("checks", ""));
    let told = serde_json::to_value(ask.hook.as_ref().unwrap()).unwrap();
    let expected = json!({
        "rollout": "web", "namespace": "shop",
        "workload": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
        "revision": "v2", "stableRevision": "v1", "podHash": "v2", "stablePodHash": "v1",
        "batch": 1, "batches": 3, "gate": "check", "attempt": 1,
    });
    assert_eq!(told, expected);
}

#[test]
fn a_pass_lets_the_batch_go_on() {
    let mut scene = ready(plain(&json!({ "count": 2 })));
    let ask = due(&mut scene);
    let plan = answer(&mut scene, &ask, http(204));
    assert!(!advances(&plan));
    *scene.status() = plan.status;
    let ask = due(&mut scene);
    assert_eq!(ask.hook.as_ref().unwrap().attempt, 2);
    let plan = answer(&mut scene, &ask, http(200));
    assert!(advances(&plan));
    let gate = &plan.status.gates[0];
    assert_eq!((gate.state, gate.measured.tally().passed), (GateState::Passed, 2));
    let last = gate.measured.last().last().unwrap();
    assert_eq!(last.told, "the hook accepts with HTTP 200: said so");
    assert_eq!(last.query, "POST HookProvider checks");
}

#[test]
fn a_refusal_takes_the_release_back_and_says_the_answer() {
    let mut scene = ready(plain(&json!({})));
    let ask = due(&mut scene);
    let plan = answer(&mut scene, &ask, http(409));
    assert_eq!(plan.status.phase, Phase::Aborting);
    let failure = plan.status.failure.clone().unwrap();
    let said =
        "gate check failed in batch 1 of 3: 1 failed: the hook refuses with HTTP 409: said so";
    assert_eq!(failure, said);
    assert!(turns(&plan).contains(&"GateFailed"));
}

#[test]
fn no_answer_of_any_kind_is_a_pass() {
    let none = [
        http(500),
        http(503),
        http(429),
        Err(HookTrouble::Unreachable("refused".into())),
        Err(HookTrouble::Unsent("there is no HookProvider checks".into())),
    ];
    for gate in [plain(&json!({ "errorLimit": 0 })), confirm(&json!({ "errorLimit": 0 }))] {
        for heard in &none {
            let mut scene = ready(gate.clone());
            let ask = due(&mut scene);
            let plan = answer(&mut scene, &ask, heard.clone());
            assert!(!advances(&plan), "{heard:?}");
            assert_eq!((plan.status.phase, waits(&plan)), (Phase::Judging, "GateUnknown"));
            assert_eq!(plan.status.gates[0].measured.last()[0].verdict, Verdict::Error);
        }
    }
}

#[test]
fn a_confirmation_is_waited_for_without_end_and_then_passes() {
    let mut scene = ready(confirm(&json!({})));
    for attempt in 1..=50 {
        let ask = due(&mut scene);
        assert_eq!(ask.hook.as_ref().unwrap().attempt, attempt);
        let plan = answer(&mut scene, &ask, http(if attempt % 2 == 0 { 404 } else { 409 }));
        assert_eq!((plan.status.phase, waits(&plan)), (Phase::Judging, "Confirmation"));
        let told = plan.status.gates[0].message.clone();
        assert!(told.starts_with("waits for confirmation: not confirmed, HTTP "), "{told}");
        assert_eq!(turns(&plan).contains(&"GatePending"), attempt == 1);
        *scene.status() = plan.status;
    }
    let ask = due(&mut scene);
    let plan = answer(&mut scene, &ask, http(200));
    assert!(advances(&plan) && turns(&plan).contains(&"GatePassed"));
}

#[test]
fn what_is_confirmed_is_not_asked_again() {
    let mut scene = ready(confirm(&json!({})));
    scene.status().batch.as_mut().unwrap().definition.as_mut().unwrap().pause =
        Some(Pause { duration: None });
    let ask = due(&mut scene);
    let plan = answer(&mut scene, &ask, http(200));
    assert_eq!(waits(&plan), "Promotion");
    *scene.status() = plan.status;
    scene.now = scene.now.checked_add(1.hour()).unwrap();
    assert!(scene.plan().asks.is_empty());
}

#[test]
fn an_answer_to_another_question_counts_nothing() {
    let mut scene = ready(plain(&json!({})));
    let ask = due(&mut scene);
    for other in [
        Ask { batch: 2, ..ask.clone() },
        Ask { at: ask.at.checked_sub(60.seconds()).unwrap(), ..ask.clone() },
        Ask { provider: "others".into(), ..ask.clone() },
    ] {
        let plan = answer(&mut scene, &other, http(200));
        assert!(!advances(&plan) && plan.status.gates[0].measured.tally().attempts == 0);
    }
    // It was a hook when it was sent, and asks Prometheus now.
    let gate = &mut scene.seen.rollout.spec.gates[0];
    gate.hook = None;
    let asks = json!({ "query": "1", "max": "1" });
    gate.prometheus = Some(serde_json::from_value(asks).unwrap());
    let plan = answer(&mut scene, &ask, http(200));
    assert!(!advances(&plan) && plan.status.gates[0].measured.tally().attempts == 0);
}

#[test]
fn a_gate_that_is_no_confirmation_any_more_says_so() {
    let mut scene = ready(confirm(&json!({})));
    let ask = due(&mut scene);
    let plan = answer(&mut scene, &ask, http(404));
    *scene.status() = plan.status;
    let hook = HookGate { provider: "checks".into(), confirm: false };
    scene.seen.rollout.spec.gates[0].hook = Some(hook);
    assert_eq!(waits(&scene.plan()), "Gate");
}

#[test]
fn a_verdict_is_told_when_it_changes_and_not_at_each_turn_to_and_fro() {
    let mut scene = ready(plain(&json!({ "count": 100, "failedLimit": 100 })));
    let mut told = Vec::new();
    for status in [200, 200, 409, 409, 200, 503, 200, 500, 409, 200] {
        let ask = due(&mut scene);
        let plan = answer(&mut scene, &ask, http(status));
        let counted: Vec<_> = measured_between(scene.status(), &plan.status).collect();
        assert_eq!((counted.len(), counted[0].1.at), (1, ask.at));
        told.extend(turns(&plan).into_iter().map(|turn| (status, turn)));
        *scene.status() = plan.status;
    }
    assert_eq!(told, [(409, "GateFailed"), (200, "GatePassed"), (503, "GateError")]);
}
