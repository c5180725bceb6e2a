//! Gates that compare with stable, at one moment: what is asked, and what the answers add up to.
//! Their whole stories are in `tests/scripts`.

use crds::Gate;
use crds::status::{GateState, Phase};
use gate::answer::{Data, Sample, Series};
use gate::verdict::{Asked, Trouble};
use gate::{Answer, Evidence};
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::scene::{Scene, set};
use crate::observed::{Answered, Past, Sets};
use crate::{Ask, Plan};

fn gate(more: &serde_json::Value) -> Gate {
    let mut gate = json!({
        "name": "errors",
        "prometheus": { "errorRatio": {}, "compare": {} },
        "interval": "10s",
        "count": 3,
    });
    gate.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(gate).unwrap()
}

/// Two of ten pods are new and ready since this moment.
fn ready(gate: Gate) -> Scene {
    let mut scene = Scene::in_first_batch();
    scene.seen.rollout.spec.gates = vec![gate];
    scene.sets(Sets { update: Some(set("v2", 2)), old: vec![set("v1", 8)] });
    scene.publish();
    scene
}

fn later(scene: &mut Scene, seconds: i64) -> Plan {
    scene.now = scene.now.checked_add(seconds.seconds()).unwrap();
    scene.plan()
}

/// Each pod's requests, of which so many are bad: of new pods, and of stable ones.
fn counts(ask: &Ask, at: Timestamp, new: f64, stable: f64) -> Asked {
    let both = ask.both.as_ref().unwrap();
    let series = |(pod, value): (&String, f64)| Series {
        labels: [("pod".to_owned(), pod.clone())].into(),
        sample: Sample { at, value },
    };
    let pods = both.pods.new.iter().map(|pod| (pod, new));
    let pods = pods.chain(both.pods.stable.iter().map(|pod| (pod, stable)));
    let data = Data::Vector(pods.map(series).collect());
    Ok(Answer { data, warnings: Vec::new(), infos: Vec::new() })
}

fn answer(scene: &mut Scene, ask: &Ask, new: f64, stable: f64) -> Plan {
    let both = ask.both.clone().unwrap();
    let past = both.past.iter().map(|at| Past {
        at: *at,
        asked: counts(ask, *at, 0.0, stable),
        requests: counts(ask, *at, 0.0, 100.0),
    });
    scene.seen.answers = vec![Answered {
        requests: Some(counts(ask, both.until, 100.0, 100.0)),
        past: past.collect(),
        ..Answered::new(ask.clone(), counts(ask, both.until, new, stable))
    }];
    let plan = scene.plan();
    scene.publish();
    plan
}

#[test]
fn both_versions_are_counted_over_the_same_interval_and_stable_s_past_once() {
    let mut scene = ready(gate(&json!({})));
    let ask = later(&mut scene, 11).asks[0].clone();
    let both = ask.both.clone().unwrap();
    assert_eq!((both.pods.new.len(), both.pods.stable.len()), (2, 8));
    assert!(ask.query.contains("web-v2-0|web-v2-1|web-v1-0|"), "{}", ask.query);
    assert!(ask.query.contains("code=~\"5..\"") && ask.query.contains("[11s]"));
    assert!(!ask.requests.clone().unwrap().contains("code"));
    assert_eq!((both.until, both.past.len()), (scene.now, 20));
    let window = ask.window.as_secs();
    assert!(both.past.windows(2).all(|two| two[1].duration_since(two[0]).as_secs() == 11));
    assert_eq!((both.past[19], window), (scene.now.checked_sub(11.seconds()).unwrap(), 11));
    answer(&mut scene, &ask, 1.0, 1.0);
    let next = later(&mut scene, 12).asks[0].clone();
    let next_both = next.both.unwrap();
    assert_eq!((next_both.until, next.window.as_secs()), (scene.now, 12));
    assert_eq!(next_both.past, []);
}

#[test]
fn evidence_is_in_the_status_and_grows_from_look_to_look() {
    let mut scene = ready(gate(&json!({})));
    for (looks, state) in
        [(1, GateState::Measuring), (2, GateState::Measuring), (3, GateState::Passed)]
    {
        let ask = later(&mut scene, 11).asks[0].clone();
        let plan = answer(&mut scene, &ask, 2.0, 2.0);
        let said = &plan.status.gates[0];
        assert_eq!(said.state, state, "{said:?}");
        let kept = said.comparison.clone().unwrap();
        assert_eq!(kept.until.0, ask.both.unwrap().until);
        let evidence = Evidence::from_text(&kept.evidence).unwrap();
        assert_eq!(evidence.counts().0.requests(), 200 * looks);
        let last = said.measured.last().last().unwrap().clone();
        assert!(last.told.starts_with(&format!("new {} of {} requests", 4 * looks, 200 * looks)));
        let values: Vec<_> = last.values.iter().map(|value| value.value.as_str()).collect();
        assert_eq!(values, ["4", "200", "16", "800"]);
    }
}

#[test]
fn the_same_answer_or_one_of_an_older_interval_counts_nothing_more() {
    let mut scene = ready(gate(&json!({})));
    let ask = later(&mut scene, 11).asks[0].clone();
    answer(&mut scene, &ask, 2.0, 2.0);
    let before = scene.status().gates.clone();
    scene.plan();
    scene.publish();
    assert_eq!(scene.status().gates, before);
    scene.now = scene.now.checked_add(11.seconds()).unwrap();
    let stale = Ask { at: scene.now, ..ask };
    answer(&mut scene, &stale, 90.0, 2.0);
    assert_eq!(scene.status().gates, before);
}

#[test]
fn a_worse_version_is_taken_back_with_its_numbers() {
    let mut scene = ready(gate(&json!({})));
    let ask = later(&mut scene, 11).asks[0].clone();
    let plan = answer(&mut scene, &ask, 50.0, 1.0);
    assert_eq!(plan.status.phase, Phase::Aborting);
    let failure = plan.status.failure.unwrap();
    let words = "gate errors failed in batch 1 of 3: 1 failed: new 100 of 200 requests (50.00%), \
                 stable 8 of 800 requests (1.00%) after 1 look: evidence ";
    assert!(failure.starts_with(words), "{failure}");
    assert!(failure.ends_with("that it is worse than 1.2 x stable + 0.001"), "{failure}");
}

#[test]
fn silence_and_trouble_are_no_pass_and_their_time_is_counted_later() {
    let mut scene = ready(gate(&json!({ "count": 1 })));
    let ask = later(&mut scene, 11).asks[0].clone();
    let until = ask.both.clone().unwrap().until;
    let mut silent = Answered {
        requests: Some(counts(&ask, until, 100.0, 0.0)),
        ..Answered::new(ask.clone(), counts(&ask, until, 0.0, 0.0))
    };
    for reason in ["NoRequests", "Unreachable"] {
        scene.seen.answers = vec![silent.clone()];
        let plan = scene.plan();
        let said = &plan.status.gates[0];
        assert_eq!(
            (said.measured.last().last().unwrap().reason.as_str(), said.state),
            (reason, GateState::Measuring)
        );
        assert_eq!(said.comparison, None);
        scene.publish();
        let ask = later(&mut scene, 10).asks[0].clone();
        silent = Answered { asked: Err(Trouble::Unreachable("refused".into())), ask, ..silent };
    }
    assert_eq!(silent.ask.window.as_secs(), 31);
}

#[test]
fn whoever_lets_a_worse_version_go_on_begins_anew() {
    let mut scene = ready(gate(&json!({ "onFailure": "Pause" })));
    let ask = later(&mut scene, 11).asks[0].clone();
    answer(&mut scene, &ask, 50.0, 1.0);
    assert_eq!(scene.status().phase, Phase::Failed);
    scene.ask(crds::request::Verb::Resume, "v2", 1);
    scene.publish();
    scene.seen.answers.clear();
    later(&mut scene, 5);
    scene.publish();
    let ask = later(&mut scene, 12).asks[0].clone();
    assert_eq!(ask.both.clone().unwrap().past.len(), 20);
    let plan = answer(&mut scene, &ask, 1.0, 1.0);
    let said = plan.status.gates[0].measured.last()[0].told.clone();
    assert!(said.starts_with("new 2 of 200 requests"), "{said}");
}
