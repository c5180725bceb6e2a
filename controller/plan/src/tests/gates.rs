//! Gates at one moment: what is asked, and what an answer does. Their whole stories are in
//! `tests/scripts`.

use crds::Gate;
use crds::rollout::OnFailure;
use crds::status::{GateState, Phase};
use gate::Answer;
use gate::answer::{Data, Sample, Series};
use gate::history::OnUnknown;
use gate::verdict::{Asked, Trouble};
use jiff::ToSpan;
use serde_json::json;

use super::scene::Scene;
use crate::action::Action;
use crate::observed::Answered;
use crate::{Ask, Plan};

fn errors(more: &serde_json::Value) -> Gate {
    let mut gate = json!({
        "name": "errors",
        "prometheus": { "query": "ratio{pod=~\"{{pods}}\",h=\"{{revision}}\"}[{{window}}]",
                        "max": "0.01" },
        "interval": "10s",
    });
    gate.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(gate).unwrap()
}

/// The first batch is ready, and its pause is nobody's business here.
fn ready(gates: Vec<Gate>) -> Scene {
    let mut scene = Scene::in_first_batch();
    scene.seen.rollout.spec.gates = gates;
    scene.seen.rollout.spec.strategy.batches[0].pause = None;
    if let Some(definition) = &mut scene.status().batch.as_mut().unwrap().definition {
        definition.pause = None;
    }
    scene.sets(crate::observed::Sets {
        update: Some(super::scene::set("v2", 2)),
        old: vec![super::scene::set("v1", 8)],
    });
    scene.publish();
    scene
}

fn ask_of(plan: &Plan) -> Ask {
    assert_eq!(plan.asks.len(), 1, "{:?}", plan.asks);
    plan.asks[0].clone()
}

/// Goes to the first measurement; returns its question.
fn due(scene: &mut Scene) -> Ask {
    scene.now = scene.now.checked_add(11.seconds()).unwrap();
    let ask = ask_of(&scene.plan());
    scene.publish();
    ask
}

fn scalar(ask: &Ask, value: f64) -> Asked {
    let data = Data::Scalar(Sample { at: ask.at, value });
    Ok(Answer { data, warnings: Vec::new(), infos: Vec::new() })
}

fn answer(scene: &mut Scene, ask: &Ask, asked: Asked) -> Plan {
    scene.seen.answers = vec![Answered::new(ask.clone(), asked)];
    scene.plan()
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
fn a_question_is_asked_when_it_is_due_and_names_the_batch_s_pods() {
    let mut scene = ready(vec![errors(&json!({}))]);
    assert_eq!(scene.status().phase, Phase::Judging);
    assert!(scene.plan().asks.is_empty());
    let ask = due(&mut scene);
    assert_eq!(ask.provider, "default");
    assert_eq!((ask.gate.as_str(), ask.batch), ("errors", 1));
    let query = "ratio{pod=~\"(?:web-v2-0|web-v2-1)\",h=\"v2\"}[11s]";
    assert_eq!(ask.query, query);
    // Not yet answered, it is asked again; the shell asks once.
    assert_eq!(ask_of(&scene.plan()).query, query);
}

#[test]
fn a_pass_lets_the_batch_go_on_and_is_kept() {
    let mut scene = ready(vec![errors(&json!({}))]);
    let ask = due(&mut scene);
    let good = scalar(&ask, 0.01);
    let plan = answer(&mut scene, &ask, good);
    assert!(advances(&plan) && plan.asks.is_empty());
    let gate = &plan.status.gates[0];
    assert_eq!((gate.state, gate.measured.tally().passed), (GateState::Passed, 1));
    let last = &gate.measured.last()[0];
    assert_eq!((last.query.as_str(), last.values[0].value.as_str()), (&*ask.query, "0.01"));
}

#[test]
fn an_answer_counts_once_however_often_it_is_seen() {
    let mut scene = ready(vec![errors(&json!({ "count": 2 }))]);
    let ask = due(&mut scene);
    let good = scalar(&ask, 0.0);
    answer(&mut scene, &ask, good);
    scene.publish();
    let plan = scene.plan();
    assert!(!advances(&plan) && plan.asks.is_empty());
    assert_eq!(plan.status.gates[0].measured.tally().passed, 1);
}

#[test]
fn what_was_measured_before_an_edit_counts_nothing_after_it() {
    let mut scene = ready(vec![errors(&json!({ "count": 2 }))]);
    let before = due(&mut scene);
    let good = scalar(&before, 0.0);
    answer(&mut scene, &before, good.clone());
    scene.publish();
    // How often is no edit of what is asked.
    scene.seen.rollout.spec.gates = vec![errors(&json!({ "count": 1 }))];
    assert!(advances(&scene.plan()));
    let prometheus = json!({ "query": "other({{window}})", "max": "0.02" });
    scene.seen.rollout.spec.gates = vec![errors(&json!({ "prometheus": prometheus }))];
    let plan = scene.plan();
    assert!(!advances(&plan));
    assert_eq!(plan.status.gates[0].measured.tally().passed, 0);
    let ask = ask_of(&plan);
    assert!(ask.query.starts_with("other("), "{}", ask.query);
    // Nor does what comes late of the question before.
    let late = Ask { at: ask.at, ..before };
    assert!(!advances(&answer(&mut scene, &late, good.clone())));
    assert!(advances(&answer(&mut scene, &ask, good)));
}

#[test]
fn an_answer_of_another_batch_counts_nothing() {
    let mut scene = ready(vec![errors(&json!({}))]);
    let ask = due(&mut scene);
    let good = scalar(&ask, 0.0);
    let other = Ask { batch: 2, ..ask.clone() };
    let plan = answer(&mut scene, &other, good.clone());
    assert!(!advances(&plan));
    // Nor one of before the batch was ready.
    let early = Ask { at: ask.at.checked_sub(60.seconds()).unwrap(), ..ask };
    assert!(!advances(&answer(&mut scene, &early, good)));
}

#[test]
fn a_fail_takes_back_or_stops_as_the_gate_or_the_rollout_says() {
    for (rollout, own, phase) in [
        (OnFailure::Abort, json!({}), Phase::Aborting),
        (OnFailure::Abort, json!({ "onFailure": "Pause" }), Phase::Failed),
        (OnFailure::Pause, json!({}), Phase::Failed),
        (OnFailure::Pause, json!({ "onFailure": "Abort" }), Phase::Aborting),
    ] {
        let mut scene = ready(vec![errors(&own)]);
        scene.seen.rollout.spec.on_failure = rollout;
        let ask = due(&mut scene);
        let bad = scalar(&ask, 0.05);
        let plan = answer(&mut scene, &ask, bad);
        assert_eq!(plan.status.phase, phase);
        let failure = plan.status.failure.unwrap();
        assert!(
            failure.contains("gate errors failed in batch 1 of 3: 1 failed: 0.05 is above max")
        );
    }
}

#[test]
fn nothing_but_a_real_sample_passes() {
    let vector = |values: &[f64]| {
        let series = |value: &f64| Series {
            labels: Default::default(),
            sample: Sample { at: super::scene::now(), value: *value },
        };
        Data::Vector(values.iter().map(series).collect())
    };
    let answer_of = |data, warnings: &[&str]| {
        let warnings = warnings.iter().map(ToString::to_string).collect();
        Ok(Answer { data, warnings, infos: Vec::new() })
    };
    let asked: Vec<Asked> = vec![
        answer_of(vector(&[]), &[]),
        answer_of(vector(&[f64::NAN]), &[]),
        answer_of(vector(&[f64::NEG_INFINITY]), &[]),
        answer_of(vector(&[0.0, 0.0]), &[]),
        answer_of(vector(&[0.0]), &["partial"]),
        Err(Trouble::Unreachable("refused".into())),
        Err(Trouble::Unasked("no provider".into())),
    ];
    for on_unknown in [OnUnknown::Pause, OnUnknown::Abort] {
        for asked in &asked {
            let limits = json!({ "unknownLimit": 0, "errorLimit": 0 });
            let mut scene = ready(vec![errors(&limits)]);
            scene.seen.rollout.spec.on_unknown = on_unknown;
            let ask = due(&mut scene);
            let plan = answer(&mut scene, &ask, asked.clone());
            assert!(!advances(&plan), "{asked:?}");
            let aborts = plan.status.phase == Phase::Aborting;
            assert_eq!(aborts, on_unknown == OnUnknown::Abort, "{asked:?}");
        }
    }
}

#[test]
fn a_gate_without_pods_to_ask_about_is_unknown() {
    let mut scene = ready(vec![errors(&json!({}))]);
    scene.status().batch.as_mut().unwrap().definition.as_mut().unwrap().pause =
        Some(crds::rollout::Pause { duration: None });
    let mut none = super::scene::set("v2", 2);
    none.pods.clear();
    scene.sets(crate::observed::Sets { update: Some(none), old: vec![super::scene::set("v1", 8)] });
    scene.now = scene.now.checked_add(11.seconds()).unwrap();
    let plan = scene.plan();
    assert!(plan.asks.is_empty());
    assert_eq!(plan.status.gates[0].measured.last()[0].reason, "NoPods");
}

fn from_template() -> Gate {
    let mut gate = errors(&json!({}));
    gate.prometheus = None;
    let template = json!({ "name": "errors", "args": { "max": "0.02" } });
    gate.template = Some(serde_json::from_value(template).unwrap());
    gate
}

fn template(max: &str) -> crds::gates::Template {
    let spec = json!({ "args": [{ "name": "max" }],
        "prometheus": { "query": "ratio{pod=~\"{{pods}}\"}", "max": max } });
    let object = json!({ "apiVersion": "sluice.dev/v1alpha1", "kind": "GateTemplate",
        "metadata": { "name": "errors" }, "spec": spec });
    let template: crds::GateTemplate = serde_json::from_value(object).unwrap();
    template.spec.into()
}

#[test]
fn a_template_is_read_before_each_measurement() {
    let mut gate = from_template();
    gate.count = Some(2);
    let mut scene = ready(vec![gate]);
    for passes in 1..=2 {
        let ask = due(&mut scene);
        assert!(ask.template.is_some() && ask.query.is_empty());
        let read = Answered::of_template(ask, Ok(template("{{args.max}}")));
        scene.seen.answers = vec![read];
        let ask = ask_of(&scene.plan());
        assert_eq!(ask.query, "ratio{pod=~\"(?:web-v2-0|web-v2-1)\"}");
        assert!(ask.template.is_none() && ask.resolved.is_some());
        let good = scalar(&ask, 0.02);
        let plan = answer(&mut scene, &ask, good);
        assert_eq!(plan.status.gates[0].measured.tally().passed, passes);
        assert_eq!(advances(&plan), passes == 2);
        scene.publish();
    }
}

#[test]
fn a_template_that_makes_no_gate_is_an_error_that_holds() {
    for (read, words) in [
        (Err("there is no GateTemplate errors".to_owned()), "there is no GateTemplate errors"),
        (Ok(template("{{args.most}}")), "{{args.most}} is no argument of the template"),
        (Ok(template("much")), "\"much\" is no decimal number"),
    ] {
        let mut scene = ready(vec![from_template()]);
        let ask = due(&mut scene);
        scene.seen.answers = vec![Answered::of_template(ask, read)];
        let plan = scene.plan();
        let last = plan.status.gates[0].measured.last()[0].clone();
        assert_eq!(last.verdict, gate::Verdict::Error);
        assert!(last.told.contains(words), "{}", last.told);
        assert!(plan.asks.is_empty() && !advances(&plan));
    }
}
