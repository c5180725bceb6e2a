//! The model of the stock controllers against what the real ones (1.34.4, real pods) did in
//! experiments: each table below was measured on a real cluster first.

use std::time::Duration;

use crds::Revision;
use crds::contract::{FENCE_MIN_READY_SECONDS, FENCE_PROGRESS_DEADLINE_SECONDS};
use serde_json::{Value, json};

use crate::sim::cluster::Precondition;
use crate::sim::cluster::objects::ReplicaSet;
use crate::sim::moment::Moment;
use crate::sim::user::manifest;
use crate::sim::world::{NAME, Options, World};

/// A Deployment of v1 with these fields, all pods ready, and no controller of ours.
fn deployed(replicas: i32, seed: u64) -> World {
    let mut world = World::new(&Options { seed, ..Options::default() });
    world.user.manifest.stated.replicas = Some(replicas);
    world.user_apply().unwrap();
    quiet(&mut world);
    assert_eq!(sizes(&world), (replicas, 0));
    world
}

fn quiet(world: &mut World) {
    world.run_for(Duration::from_secs(3600));
}

fn after(world: &mut World, millis: i64) {
    let until = Moment::from_millis(world.now().millis() + millis);
    world.run_until(until);
}

/// Writes the Deployment's spec as nobody in particular.
fn write(world: &mut World, change: impl FnOnce(&mut Value)) {
    let mut raw = world.cluster.deployment_json(NAME).unwrap();
    change(&mut raw["spec"]);
    world.cluster.update_deployment("test", NAME, &Precondition::default(), raw).unwrap();
    world.settle_write();
}

fn hold(world: &mut World, version: &str, unavailable: Value, surge: Value) {
    write(world, |spec| {
        spec["template"] = manifest::template(version);
        fence(spec);
        spec["strategy"] = rolling(unavailable, surge);
    });
    quiet(world);
}

fn fence(spec: &mut Value) {
    spec["minReadySeconds"] = json!(FENCE_MIN_READY_SECONDS);
    spec["progressDeadlineSeconds"] = json!(FENCE_PROGRESS_DEADLINE_SECONDS);
}

fn unfence(spec: &mut Value) {
    spec["minReadySeconds"] = json!(0);
    spec["progressDeadlineSeconds"] = json!(600);
}

fn rolling(unavailable: Value, surge: Value) -> Value {
    let rolling = Value::from_iter([("maxUnavailable", unavailable), ("maxSurge", surge)]);
    json!({ "type": "RollingUpdate", "rollingUpdate": rolling })
}

fn scale(world: &mut World, replicas: i32) {
    world.user_scale(replicas).unwrap();
    quiet(world);
}

fn set_of(world: &World, version: &str) -> Option<ReplicaSet> {
    let revision = Revision::of_template(&manifest::template(version));
    world.cluster.sets.iter().find(|set| set.revision == revision).map(|set| (**set).clone())
}

fn pods_of(world: &World, version: &str) -> i32 {
    set_of(world, version).map_or(0, |set| {
        let mine = world.cluster.pods.iter();
        let mine = mine.filter(|pod| pod.owner == set.meta.uid && pod.is_active());
        i32::try_from(mine.count()).unwrap()
    })
}

/// Pods of v1 and of v2.
fn sizes(world: &World) -> (i32, i32) {
    (pods_of(world, "v1"), pods_of(world, "v2"))
}

fn ready(world: &World) -> usize {
    world.cluster.pods.iter().filter(|pod| pod.is_active() && pod.is_ready()).count()
}

fn resize(world: &mut World, version: &str, replicas: i32, size: Option<(i32, i32)>) {
    let mut wanted = set_of(world, version).unwrap();
    wanted.replicas = replicas;
    if let Some((desired, max)) = size {
        let texts = [("desired", desired), ("max", max)];
        for (key, number) in texts {
            let key = format!("deployment.kubernetes.io/{key}-replicas");
            wanted.annotations.insert(key, number.to_string());
        }
    }
    world.cluster.update_set(&Precondition::default(), wanted).unwrap();
    world.settle_write();
}

/// From 2 new + 8 old of 10 held by `unavailable`, through these scales.
#[track_caller]
fn scaling(unavailable: &Value, start: (i32, i32), steps: &[(i32, (i32, i32))]) {
    for seed in 0..20 {
        let mut world = deployed(start.0 + start.1, seed);
        hold(&mut world, "v2", unavailable.clone(), json!(0));
        assert_eq!(sizes(&world), start, "held");
        for (replicas, expected) in steps {
            scale(&mut world, *replicas);
            assert_eq!(sizes(&world), *expected, "scaled to {replicas}, seed {seed}");
        }
    }
}

#[test]
fn a_hold_is_exactly_surge_and_unavailable() {
    for (unavailable, surge, expected) in
        [(2, 0, (8, 2)), (3, 1, (7, 4)), (4, 0, (6, 4)), (10, 0, (0, 10))]
    {
        let mut world = deployed(10, 1);
        hold(&mut world, "v2", json!(unavailable), json!(surge));
        assert_eq!(sizes(&world), expected);
    }
}

#[test]
fn hold_then_more_then_proportional_scaling() {
    scaling(&json!(2), (8, 2), &[(20, (16, 4)), (8, (6, 2))]);
    let mut world = deployed(8, 1);
    hold(&mut world, "v2", json!(3), json!(1));
    assert_eq!(sizes(&world), (5, 4));
    hold(&mut world, "v2", json!(4), json!(0));
    assert_eq!(sizes(&world), (4, 4));
}

#[test]
fn integers_let_pods_out_when_scaled() {
    scaling(&json!(2), (8, 2), &[(0, (0, 0)), (10, (0, 10))]);
    scaling(&json!(2), (8, 2), &[(1, (0, 1)), (10, (0, 10))]);
    scaling(&json!(5), (5, 5), &[(5, (0, 5)), (10, (0, 10))]);
    scaling(&json!(1), (1, 1), &[(5, (2, 3)), (20, (8, 12))]);
    scaling(&json!(1), (1, 1), &[(20, (10, 10))]);
}

#[test]
fn percentages_keep_the_share_but_for_rounding() {
    scaling(&json!("20%"), (8, 2), &[(4, (3, 1)), (10, (8, 2))]);
    scaling(&json!("20%"), (8, 2), &[(1, (0, 1)), (10, (0, 10))]);
    scaling(&json!("50%"), (5, 5), &[(5, (2, 3)), (10, (4, 6)), (3, (1, 2)), (12, (4, 8))]);
}

#[test]
fn paused_at_rest_is_safe_but_for_zero() {
    for (step, expected) in [(1, (10, 0)), (0, (0, 10))] {
        let mut world = deployed(10, 1);
        hold(&mut world, "v2", json!(2), json!(0));
        write(&mut world, |spec| spec["paused"] = json!(true));
        quiet(&mut world);
        scale(&mut world, step);
        if step == 1 {
            assert_eq!(sizes(&world), (1, 0));
        }
        scale(&mut world, 10);
        assert_eq!(sizes(&world), expected);
    }
}

#[test]
fn paused_is_no_standstill() {
    // v2 crashing, s=3 u=2: 8 + 5; v3's write pauses with s=0.
    let mut world = deployed(10, 1);
    let broken = crate::sim::stock::Behaviour {
        broken: Some("CrashLoopBackOff".to_owned()),
        ..crate::sim::stock::Behaviour::default()
    };
    world.kubelet.set(&Revision::of_template(&manifest::template("v2")), broken);
    hold(&mut world, "v2", json!(2), json!(3));
    assert_eq!(sizes(&world), (8, 5));
    write(&mut world, |spec| {
        spec["template"] = manifest::template("v3");
        spec["paused"] = json!(true);
        spec["strategy"] = rolling(json!(2), json!(0));
    });
    quiet(&mut world);
    assert_eq!(pods_of(&world, "v1"), 6);
    assert_eq!(ready(&world), 6);
    // v2 at rest 5+5; v3's write pauses with the user's own 30%.
    let mut world = deployed(10, 1);
    hold(&mut world, "v2", json!(5), json!(0));
    write(&mut world, |spec| {
        spec["template"] = manifest::template("v3");
        spec["paused"] = json!(true);
        spec["strategy"] = rolling(json!("30%"), json!("30%"));
    });
    quiet(&mut world);
    assert_eq!(sizes(&world), (6, 7));
}

#[test]
fn no_replicas_and_paused_loses_history_or_starts_another_version() {
    let mut world = deployed(10, 1);
    scale(&mut world, 0);
    write(&mut world, |spec| {
        spec["revisionHistoryLimit"] = json!(0);
        spec["template"] = manifest::template("v2");
        spec["paused"] = json!(true);
    });
    quiet(&mut world);
    assert_eq!(world.cluster.sets.iter().count(), 0);

    let mut world = deployed(3, 1);
    for version in ["v2", "v1"] {
        after(&mut world, 2000);
        write(&mut world, |spec| spec["template"] = manifest::template(version));
        quiet(&mut world);
    }
    scale(&mut world, 0);
    write(&mut world, |spec| {
        spec["template"] = manifest::template("v3");
        spec["paused"] = json!(true);
    });
    quiet(&mut world);
    scale(&mut world, 3);
    assert_eq!(sizes(&world), (0, 3));
}

#[test]
fn a_fenced_stable_set_is_eaten_first() {
    let back = |seed| {
        let mut world = deployed(6, seed);
        hold(&mut world, "v2", json!(2), json!(0));
        assert_eq!(sizes(&world), (4, 2));
        write(&mut world, |spec| spec["template"] = manifest::template("v1"));
        quiet(&mut world);
        world
    };
    // As it went on the real cluster: v1 counted as unavailable before v2's pods were taken away.
    let mut world = (0..20).map(back).find(|world| sizes(world) == (4, 2)).unwrap();
    write(&mut world, |spec| spec["template"] = manifest::template("v3"));
    quiet(&mut world);
    assert_eq!(sizes(&world), (2, 2));
    assert_eq!(pods_of(&world, "v3"), 2);
}

#[test]
fn a_third_version_replaces_the_second_first() {
    let mut world = deployed(10, 1);
    hold(&mut world, "v2", json!(4), json!(0));
    assert_eq!(sizes(&world), (6, 4));
    hold(&mut world, "v3", json!(4), json!(0));
    assert_eq!(sizes(&world), (6, 0));
    assert_eq!(pods_of(&world, "v3"), 4);
}

#[test]
fn restoring_moves_no_pod_and_rolling_back_is_one_write() {
    let mut world = deployed(10, 1);
    hold(&mut world, "v2", json!(10), json!(0));
    let names = |world: &World| -> Vec<String> {
        world.cluster.pods.iter().map(|pod| pod.meta.name.to_string()).collect()
    };
    let before = names(&world);
    write(&mut world, |spec| {
        unfence(spec);
        spec["strategy"] = rolling(json!("25%"), json!("25%"));
    });
    quiet(&mut world);
    assert_eq!(names(&world), before);

    let mut world = deployed(3, 1);
    hold(&mut world, "v2", json!(1), json!(0));
    write(&mut world, |spec| {
        spec["template"] = manifest::template("v1");
        unfence(spec);
        spec["strategy"] = rolling(json!("25%"), json!("25%"));
    });
    quiet(&mut world);
    assert_eq!(sizes(&world), (3, 0));
}

/// 0 old + 10 new after a visit at one replica, held by 20%.
fn drifted(seed: u64) -> World {
    let mut world = deployed(10, seed);
    hold(&mut world, "v2", json!("20%"), json!(0));
    scale(&mut world, 1);
    scale(&mut world, 10);
    assert_eq!(sizes(&world), (0, 10));
    world
}

#[test]
fn lowering_the_only_set_is_undone_at_once() {
    for paused in [true, false] {
        let mut world = drifted(1);
        write(&mut world, |spec| spec["paused"] = json!(paused));
        quiet(&mut world);
        resize(&mut world, "v2", 8, None);
        after(&mut world, 200);
        assert!(ready(&world) < 10, "ready pods were lost for nothing");
        quiet(&mut world);
        assert_eq!(sizes(&world), (0, 10));
    }
}

#[test]
fn paused_refills_the_larger_set() {
    let mut world = drifted(1);
    write(&mut world, |spec| spec["paused"] = json!(true));
    quiet(&mut world);
    resize(&mut world, "v1", 2, Some((10, 10)));
    quiet(&mut world);
    assert_eq!(sizes(&world), (2, 8));
    for size in [6, 4, 2] {
        resize(&mut world, "v2", size, None);
        quiet(&mut world);
        assert_eq!(sizes(&world), (2, 8));
    }
    resize(&mut world, "v1", 4, Some((10, 10)));
    quiet(&mut world);
    assert_eq!(sizes(&world), (4, 6));
    // A tie of 6 and 6: the older one is cut.
    resize(&mut world, "v1", 6, Some((10, 10)));
    quiet(&mut world);
    assert_eq!(sizes(&world), (4, 6));
}

#[test]
fn stale_size_annotations_multiply() {
    let mut world = drifted(1);
    write(&mut world, |spec| spec["paused"] = json!(true));
    quiet(&mut world);
    resize(&mut world, "v1", 2, None);
    after(&mut world, 200);
    assert_eq!(ready(&world), 0, "all new pods are removed");
    quiet(&mut world);
    assert_eq!(sizes(&world), (10, 0));
}

#[test]
fn moving_back_unpaused_with_surge_loses_nothing() {
    let mut world = drifted(1);
    for step in 1..=8 {
        resize(&mut world, "v1", step, Some((10, 10)));
        quiet(&mut world);
        assert_eq!(sizes(&world), (step, 10 - step + 1));
        resize(&mut world, "v2", 10 - step, None);
        assert!(ready(&world) >= 10);
        quiet(&mut world);
        assert_eq!(sizes(&world), (step, 10 - step));
    }
    assert_eq!(sizes(&world), (8, 2));
}

#[test]
fn moving_back_unpaused_without_surge_goes_back_to_back() {
    let mut world = drifted(1);
    for step in 1..=4 {
        resize(&mut world, "v1", 2 * step, Some((10, 10)));
        resize(&mut world, "v2", 10 - 2 * step, None);
        quiet(&mut world);
        assert_eq!(sizes(&world), (2 * step, 10 - 2 * step));
    }
}

#[test]
fn one_replica() {
    let mut world = deployed(1, 1);
    hold(&mut world, "v2", json!(0), json!(1));
    assert_eq!(sizes(&world), (1, 1));
    scale(&mut world, 4);
    assert_eq!(sizes(&world), (2, 3));
    scale(&mut world, 1);
    assert_eq!(sizes(&world), (1, 1));
    write(&mut world, |spec| {
        unfence(spec);
        spec["strategy"] = rolling(json!("25%"), json!("25%"));
    });
    quiet(&mut world);
    assert_eq!(sizes(&world), (0, 1));

    let mut world = deployed(1, 1);
    write(&mut world, |spec| {
        spec["template"] = manifest::template("v2");
        spec["paused"] = json!(true);
        fence(spec);
        spec["strategy"] = rolling(json!(1), json!(0));
    });
    quiet(&mut world);
    assert_eq!(sizes(&world), (1, 0));
    scale(&mut world, 3);
    scale(&mut world, 1);
    assert_eq!(sizes(&world), (1, 0));
}

#[test]
fn parking_and_coming_back() {
    let park = |world: &mut World, surge: Value| {
        write(world, |spec| {
            spec["paused"] = json!(true);
            unfence(spec);
            spec["strategy"] = rolling(json!("20%"), surge);
        });
        quiet(world);
    };
    let held = || {
        let mut world = deployed(10, 3);
        hold(&mut world, "v2", json!("20%"), json!(0));
        world
    };
    let mut world = held();
    park(&mut world, json!(0));
    assert_eq!(sizes(&world), (8, 2));
    scale(&mut world, 20);
    assert_eq!(sizes(&world), (16, 4));
    scale(&mut world, 10);
    scale(&mut world, 1);
    scale(&mut world, 10);
    assert_eq!(sizes(&world), (10, 0));
    let mut world = held();
    park(&mut world, json!("30%"));
    assert_eq!(pods_of(&world, "v2"), 3);
    // Back: fenced while paused, unpaused once nothing is available any more.
    let mut world = held();
    park(&mut world, json!(0));
    write(&mut world, fence);
    quiet(&mut world);
    write(&mut world, |spec| {
        spec["paused"] = json!(false);
        spec["strategy"] = rolling(json!("40%"), json!(0));
    });
    quiet(&mut world);
    assert_eq!(sizes(&world), (6, 4));
    // In one write the stock controller may count the new pods as available, and double the batch.
    let doubles = |seed: &u64| {
        let mut world = deployed(10, *seed);
        hold(&mut world, "v2", json!("20%"), json!(0));
        park(&mut world, json!(0));
        write(&mut world, |spec| {
            fence(spec);
            spec["paused"] = json!(false);
            spec["strategy"] = rolling(json!("40%"), json!(0));
        });
        quiet(&mut world);
        sizes(&world) == (4, 6)
    };
    assert!((0..20).any(|seed| doubles(&seed)));
}

#[test]
fn evicted_stable_pods_come_back_stable() {
    let mut world = deployed(6, 1);
    hold(&mut world, "v2", json!(2), json!(0));
    world.user_evict("v1", 2).unwrap();
    quiet(&mut world);
    assert_eq!(sizes(&world), (4, 2));
}

#[test]
fn stock_controllers_restarted_after_a_scale_keep_the_share() {
    let mut world = deployed(6, 1);
    hold(&mut world, "v2", json!(2), json!(0));
    world.stop_stock();
    world.user_scale(12).unwrap();
    after(&mut world, 5000);
    world.start_stock();
    quiet(&mut world);
    assert_eq!(sizes(&world), (8, 4));
}
