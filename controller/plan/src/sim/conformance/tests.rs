//! The lives that are given to real controllers: the model's course of one that was measured, and
//! that there are enough of them, of every kind.

use serde_json::json;

use super::{LIMITS, Life, Size, Sizes, fence, limits, merged, unfence};
use crate::sim::random::Random;

fn life(replicas: i32, patches: Vec<serde_json::Value>) -> Life {
    Life { name: "web".to_owned(), replicas, patches }
}

fn held(version: &str, unavailable: serde_json::Value) -> serde_json::Value {
    let rolling =
        serde_json::Value::from_iter([("maxSurge", json!(0)), ("maxUnavailable", unavailable)]);
    json!({
        "template": { "spec": super::manifest::template(version)["spec"] },
        "minReadySeconds": super::FENCE_MIN_READY_SECONDS,
        "progressDeadlineSeconds": super::FENCE_PROGRESS_DEADLINE_SECONDS,
        "strategy": { "rollingUpdate": rolling },
    })
}

/// (replicas, available) of v1 and of v2; every pod is ready.
fn of(sizes: &Sizes) -> [(i32, i32); 2] {
    ["app:v1", "app:v2"].map(|image| {
        let size = sizes.get(image).copied().unwrap_or_default();
        assert_eq!(size.ready, size.replicas);
        (size.replicas, size.available)
    })
}

#[test]
fn a_course_has_every_settled_point() {
    let scaled = |replicas: i32| json!({ "replicas": replicas });
    let life = life(10, vec![held("v2", json!(2)), scaled(20), scaled(8), unfence()]);
    let course: Vec<_> = life.course().unwrap().iter().map(of).collect();
    let expected = [
        [(10, 10), (0, 0)],
        [(8, 8), (2, 0)],
        [(16, 16), (4, 0)],
        [(6, 6), (2, 0)],
        [(0, 0), (8, 8)],
    ];
    assert_eq!(course, expected);
}

#[test]
fn a_pause_settles_too() {
    let life =
        life(4, vec![json!({ "paused": true }), held("v2", json!(2)), json!({ "paused": false })]);
    let course: Vec<_> = life.course().unwrap().iter().map(of).collect();
    let still = [(4, 4), (0, 0)];
    assert_eq!(course, [still, still, still, [(2, 2), (2, 0)]]);
}

#[test]
fn most_lives_are_certain_and_all_kinds_of_writes_are_among_them() {
    let lives: Vec<_> = Life::certain().take(200).collect();
    let last: u64 = lives[199].0.name.rsplit('-').next().unwrap().parse().unwrap();
    assert!(last < 300, "{last} lives for 200 certain ones");
    let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
    for (life, course) in &lives {
        assert_eq!(course.len(), life.patches.len() + 1);
        let keys = life.patches.iter().flat_map(|patch| patch.as_object().unwrap().keys());
        keys.for_each(|key| *kinds.entry(key).or_default() += 1);
    }
    let wanted = ["minReadySeconds", "paused", "replicas", "strategy", "template"];
    assert!(wanted.iter().all(|kind| kinds[kind] > 50), "{kinds:?}");
    let mixed = |sizes: &&Sizes| sizes.len() > 1;
    let mixed = lives.iter().flat_map(|(_, course)| course).filter(mixed).count();
    assert!(mixed > 100, "{mixed} settled points with several ReplicaSets");
}

#[test]
fn what_settles_is_ready() {
    for (life, course) in Life::certain().take(100) {
        for sizes in course {
            for Size { replicas, ready, available } in sizes.into_values() {
                assert!(ready == replicas && available <= ready, "{life:?}");
            }
        }
    }
}

#[test]
fn every_limit_is_one_that_the_api_accepts() {
    for (surge, unavailable) in LIMITS {
        assert!(surge != "0" || unavailable != "0");
    }
    let mut random = Random::stream(1, "limits");
    let fenced = merged(fence(&mut random), &limits(&mut random));
    assert!(fenced["progressDeadlineSeconds"].as_i64() > fenced["minReadySeconds"].as_i64());
}
