//! What the status keeps of the gates: over the batches, and until the next release begins.

use crds::request::Verb;
use crds::status::{GateState, GateStatus, Phase};
use crds::{Fenced, Gate, IntOrPercent, Target};
use gate::Answer;
use gate::answer::{Data, Sample};
use gate::history::KEPT_MAX;
use gate::verdict::Asked;
use jiff::ToSpan;
use serde_json::json;

use super::scene::{Scene, batch, set, turns, waits};
use crate::action::Action;
use crate::observed::{Answered, Sets};
use crate::{Ask, Plan};

fn gate(more: &serde_json::Value) -> Gate {
    let mut gate = json!({ "name": "errors", "interval": "10s",
        "prometheus": { "query": "ratio", "max": "0.01" } });
    gate.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(gate).unwrap()
}

/// This batch is ready, with so many pods of ten.
fn ready_in(scene: &mut Scene, batch: u32, pods: i32) {
    let share = IntOrPercent::Percent(10 * pods);
    let target =
        Target { paused: false, max_surge: IntOrPercent::Count(0), max_unavailable: share };
    let fenced = Fenced { batch, target, ..scene.fenced() };
    scene.hold(fenced);
    let old = if pods == 10 { Vec::new() } else { vec![set("v1", 10 - pods)] };
    scene.sets(Sets { update: Some(set("v2", pods)), old });
    scene.publish();
}

fn in_first(gate: Gate) -> Scene {
    let mut scene = Scene::in_first_batch();
    scene.seen.rollout.spec.gates = vec![gate];
    ready_in(&mut scene, 1, 2);
    scene
}

/// The only batch is ready and bakes for a minute.
fn baking(gate: Gate) -> Scene {
    let mut scene = Scene::in_first_batch();
    let spec = &mut scene.seen.rollout.spec;
    spec.gates = vec![gate];
    spec.strategy.batches = vec![batch(IntOrPercent::Percent(100))];
    spec.bake = Some("1m".parse().unwrap());
    scene.status().batch = None;
    ready_in(&mut scene, 1, 10);
    scene
}

fn value(ask: &Ask, value: f64) -> Asked {
    let data = Data::Scalar(Sample { at: ask.at, value });
    Ok(Answer { data, warnings: Vec::new(), infos: Vec::new() })
}

fn silent() -> Asked {
    Ok(Answer { data: Data::Vector(Vec::new()), warnings: Vec::new(), infos: Vec::new() })
}

/// So many seconds later there is a question, and this is the answer.
fn measure(scene: &mut Scene, seconds: i64, answer: impl Fn(&Ask) -> Answered) -> Plan {
    scene.now = scene.now.checked_add(seconds.seconds()).unwrap();
    let asked = scene.plan();
    assert_eq!(asked.asks.len(), 1, "{:?}", asked.asks);
    scene.seen.answers = vec![answer(&asked.asks[0])];
    let plan = scene.plan();
    *scene.status() = plan.status.clone();
    scene.seen.answers.clear();
    plan
}

fn of(asked: impl Fn(&Ask) -> Asked) -> impl Fn(&Ask) -> Answered {
    move |ask| Answered::new(ask.clone(), asked(ask))
}

fn good(ask: &Ask) -> Asked {
    value(ask, 0.0)
}

fn lifts(plan: &Plan) -> bool {
    let lift = |action: &Action| matches!(action, Action::WriteHold(write) if write.hold.is_none());
    plan.actions.iter().any(lift)
}

fn only(scene: &mut Scene) -> GateStatus {
    scene.status().gates[0].clone()
}

#[test]
fn measurements_outlive_their_batch() {
    let mut scene = in_first(gate(&json!({ "count": 2 })));
    measure(&mut scene, 11, of(|ask| value(ask, 0.001)));
    measure(&mut scene, 10, of(|ask| value(ask, 0.002)));
    ready_in(&mut scene, 2, 5);
    let said = only(&mut scene);
    assert_eq!((said.batch, said.state), (2, GateState::Waiting));
    assert!(said.measured.last().is_empty());
    let kept = |said: &GateStatus| -> Vec<(u32, String)> {
        let earlier = said.earlier.iter();
        earlier.map(|one| (one.batch, one.measured.values[0].value.clone())).collect()
    };
    assert_eq!(kept(&said), [(1, "0.001".to_owned()), (1, "0.002".to_owned())]);
    measure(&mut scene, 11, of(good));
    // The last ten of all.
    for _ in 0..KEPT_MAX - 2 {
        scene.seen.rollout.spec.gates[0].count = Some(100);
        measure(&mut scene, 10, of(good));
    }
    let said = only(&mut scene);
    assert_eq!(said.measured.last().len(), KEPT_MAX - 1);
    assert_eq!(kept(&said), [(1, "0.002".to_owned())]);
    measure(&mut scene, 10, of(good));
    assert!(only(&mut scene).earlier.is_empty());
}

#[test]
fn what_was_measured_before_an_edit_is_kept_and_counts_nothing() {
    let mut scene = in_first(gate(&json!({ "count": 2 })));
    measure(&mut scene, 11, of(good));
    let other = json!({ "count": 2, "prometheus": { "query": "other", "max": "0.01" } });
    scene.seen.rollout.spec.gates = vec![gate(&other)];
    scene.publish();
    let said = only(&mut scene);
    assert_eq!((said.earlier.len(), said.earlier[0].measured.query.as_str()), (1, "ratio"));
    assert_eq!(said.measured.tally().attempts, 0);
}

#[test]
fn the_record_stays_until_the_next_release_begins() {
    let mut scene = in_first(gate(&json!({})));
    measure(&mut scene, 11, of(good));
    scene.ask(Verb::SkipGates, "v2", 1);
    scene.publish();
    let (gates, skipped) = (scene.status().gates.clone(), scene.status().skipped.clone());
    let skips = scene.status().batch.clone().unwrap().gates_skipped.unwrap();
    assert_eq!(skips.by.as_deref(), Some("alice"));
    assert_eq!((skipped[0].batch, skipped[0].by.as_deref()), (1, Some("alice")));
    // The batch that was skipped is over, and so is the release.
    ready_in(&mut scene, 2, 5);
    assert!(scene.status().batch.clone().unwrap().gates_skipped.is_none());
    assert_eq!(scene.status().skipped, skipped);
    let mut after = Scene::at_rest();
    after.seen.rollout.spec.gates = vec![gate(&json!({}))];
    after.status().gates.clone_from(&gates);
    after.status().skipped.clone_from(&skipped);
    let plan = after.publish();
    assert_eq!(plan.status.phase, Phase::Ready);
    assert_eq!((&plan.status.gates, &plan.status.skipped), (&gates, &skipped));
    assert!(plan.asks.is_empty());
    let mut next = Scene::held();
    next.status().gates = gates;
    next.status().skipped = skipped;
    let plan = next.publish();
    assert!(plan.status.gates.is_empty() && plan.status.skipped.is_empty());
}

#[test]
fn requests_are_kept_where_a_least_number_of_them_is_asked_for() {
    let prometheus = json!({ "query": "ratio", "max": "0.01", "minRequests": 50,
        "requests": "count(x)" });
    let with = |count: Option<f64>| {
        let mut scene = in_first(gate(&json!({ "prometheus": prometheus })));
        let requests = |ask: &Ask| match count {
            Some(count) => value(ask, count),
            None => silent(),
        };
        measure(&mut scene, 11, |ask| Answered {
            requests: Some(requests(ask)),
            ..Answered::new(ask.clone(), good(ask))
        });
        only(&mut scene).measured.last()[0].clone()
    };
    for (count, reason) in [(Some(80.0), "WithinBound"), (Some(7.0), "FewRequests")] {
        let one = with(count);
        let requests = one.requests.unwrap();
        assert_eq!((one.reason.as_str(), requests.query.as_str()), (reason, "count(x)"));
        assert_eq!(requests.value, count.map(|count| count.to_string()));
    }
    assert_eq!(with(None).requests.unwrap().value, None);
}

#[test]
fn a_query_as_long_as_a_rollout_may_write_it_is_kept_whole() {
    let query = format!("ratio{{a=\"{}\"}}", "x".repeat(3_980));
    let long = json!({ "count": 2, "prometheus": { "query": query, "max": "0.01" } });
    let mut scene = in_first(gate(&long));
    measure(&mut scene, 11, of(good));
    assert_eq!(only(&mut scene).measured.last()[0].query, query);
    measure(&mut scene, 10, of(good));
    let last = only(&mut scene).measured.last().to_vec();
    assert_eq!((last[0].query.len(), last[1].query.len()), (1_003, query.len()));
}

#[test]
fn no_bake_ends_unmeasured() {
    let mut scene = baking(gate(&json!({ "errorLimit": 100, "unknownLimit": 100 })));
    let plan = measure(&mut scene, 11, of(good));
    assert_eq!(waits(&plan), "BakeTime");
    for _ in 0..4 {
        assert_eq!(waits(&measure(&mut scene, 10, of(|_| silent()))), "BakeTime");
    }
    // The time is over, and nobody has seen how the version is.
    for seconds in [10, 600] {
        let plan = measure(&mut scene, seconds, of(|_| silent()));
        assert_eq!((waits(&plan), lifts(&plan)), ("Gate", false));
        let said = plan.status.waiting_for.clone().unwrap().message;
        assert!(said.contains("passed, but the last measurement is Unknown"), "{said}");
    }
    assert!(lifts(&measure(&mut scene, 10, of(good))));
}

#[test]
fn a_bake_ends_with_a_sample_of_its_end_and_fails_by_one() {
    for (last, lifted, phase) in [(0.0, true, Phase::Judging), (0.05, false, Phase::Aborting)] {
        let mut scene = baking(gate(&json!({ "interval": "25s" })));
        measure(&mut scene, 25, of(good));
        measure(&mut scene, 25, of(good));
        scene.now = scene.now.checked_add(10.seconds()).unwrap();
        let plan = scene.plan();
        let said = plan.status.waiting_for.clone().unwrap().message;
        assert!(
            !lifts(&plan) && said.contains("not measured yet at the end of the bake"),
            "{said}"
        );
        // Between two measurements of the schedule.
        let plan = measure(&mut scene, 0, of(|ask| value(ask, last)));
        assert_eq!((lifts(&plan), plan.status.phase), (lifted, phase));
    }
}

#[test]
fn a_pause_that_ends_in_an_outage_is_not_told_as_a_batch_that_gets_ready() {
    let mut scene = in_first(gate(&json!({ "background": true })));
    measure(&mut scene, 11, of(good));
    assert_eq!(scene.status().phase, Phase::Paused);
    scene.ask(Verb::Promote, "v2", 1);
    let plan = measure(&mut scene, 10, of(|_| silent()));
    assert!(plan.status.answer.unwrap().granted);
    let plan = scene.plan();
    assert_eq!((waits(&plan), plan.status.phase), ("Gate", Phase::Judging));
    assert!(plan.actions.is_empty() && !turns(&plan).contains(&"BatchReady"));
}
