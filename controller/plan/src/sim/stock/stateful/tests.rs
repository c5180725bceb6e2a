//! The model of the stock StatefulSet controller against what the real one (1.34, its sources) does
//! with partitions, lost pods, broken pods and scalings.

use std::time::Duration;

use crds::Revision;
use crds::contract::FENCE_PARTITION;
use serde_json::{Value, json};

use crate::sim::cluster::Precondition;
use crate::sim::moment::Moment;
use crate::sim::stock::Behaviour;
use crate::sim::user::{Stated, manifest};
use crate::sim::world::{NAME, Options, World};

const SEEDS: u64 = 20;

/// A StatefulSet of v1 with four replicas, all ready, and no controller of ours.
fn deployed(seed: u64, stated: Stated) -> World {
    let mut world = created(seed, stated);
    quiet(&mut world);
    world
}

fn created(seed: u64, stated: Stated) -> World {
    let mut world = World::new(&Options { seed, ..Options::default() });
    world.user.manifest.stated = Stated { stateful: true, replicas: Some(4), ..stated };
    world.user_apply().unwrap();
    world
}

fn ordered(seed: u64) -> World {
    deployed(seed, Stated::default())
}

fn parallel() -> Stated {
    Stated { parallel: true, ..Stated::default() }
}

fn quiet(world: &mut World) {
    world.run_for(Duration::from_secs(3600));
}

fn after(world: &mut World, millis: i64) {
    let until = Moment::from_millis(world.now().millis() + millis);
    world.run_until(until);
}

fn write(world: &mut World, change: impl FnOnce(&mut Value)) {
    let mut raw = world.cluster.deployment_json(NAME).unwrap();
    change(&mut raw["spec"]);
    world.cluster.update_deployment("test", NAME, &Precondition::default(), raw).unwrap();
    world.settle_write();
}

/// Another version from this pod on.
fn update(world: &mut World, version: &str, partition: i32) {
    write(world, |spec| {
        spec["template"] = manifest::template(version);
        spec["updateStrategy"]["rollingUpdate"]["partition"] = json!(partition);
    });
}

fn lose(world: &mut World, pod: &str) {
    world.cluster.update_pod(pod, |pod| pod.meta.deleting = true);
    world.settle_write();
}

fn breaks(world: &mut World, version: &str) {
    let revision = Revision::of_template(&manifest::template(version));
    let broken = Some("ImagePullBackOff".to_owned());
    world.kubelet.set(&revision, Behaviour { broken, ..Behaviour::default() });
}

/// The pods by ordinal: the version, with `!` where one is not ready, `-` where there is none.
fn pods(world: &World) -> String {
    let word = |index: i32| {
        let pod = world.cluster.pods.get(&format!("{NAME}-{index}"));
        let Some(pod) = pod.filter(|pod| pod.is_active()) else { return "-".to_owned() };
        let is =
            |version: &&&str| Revision::of_template(&manifest::template(version)) == pod.revision;
        let version = ["v1", "v2", "v3"].iter().find(is).unwrap();
        format!("{version}{}", if pod.is_ready() { "" } else { "!" })
    };
    let last = world.cluster.pods.iter().filter_map(|pod| pod.ordinal()).max().unwrap_or(-1);
    (0..=last).map(word).collect::<Vec<_>>().join(" ")
}

/// All that the pods have been until nothing happens any more, each once.
fn history(world: &mut World) -> Vec<String> {
    let mut seen = vec![pods(world)];
    for _ in 0..20_000 {
        after(world, 1);
        let now = pods(world);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    seen
}

#[track_caller]
fn holds_for_all_seeds(check: impl Fn(u64)) {
    (0..SEEDS).for_each(check);
}

#[test]
fn in_order_each_pod_waits_for_those_below() {
    let mut world = created(1, Stated::default());
    let expected = [
        "",
        "v1!",
        "v1",
        "v1 v1!",
        "v1 v1",
        "v1 v1 v1!",
        "v1 v1 v1",
        "v1 v1 v1 v1!",
        "v1 v1 v1 v1",
    ];
    assert_eq!(history(&mut world), expected);
}

#[test]
fn in_parallel_all_start_at_once() {
    let mut world = created(1, parallel());
    after(&mut world, 100);
    assert_eq!(pods(&world), "v1! v1! v1! v1!");
}

#[test]
fn an_update_goes_from_the_top_one_by_one() {
    for stated in [Stated::default(), parallel()] {
        let mut world = deployed(1, stated);
        update(&mut world, "v2", 2);
        let expected = [
            "v1 v1 v1 v1",
            "v1 v1 v1 -",
            "v1 v1 v1",
            "v1 v1 v1 v2!",
            "v1 v1 v1 v2",
            "v1 v1 - v2",
            "v1 v1 v2! v2",
            "v1 v1 v2 v2",
        ];
        assert_eq!(history(&mut world), expected);
    }
}

#[test]
fn a_lost_pod_is_made_of_what_its_side_of_the_partition_has() {
    holds_for_all_seeds(|seed| {
        let mut world = ordered(seed);
        update(&mut world, "v2", 2);
        quiet(&mut world);
        lose(&mut world, "web-0");
        lose(&mut world, "web-3");
        quiet(&mut world);
        assert_eq!(pods(&world), "v1 v1 v2 v2");
        update(&mut world, "v2", FENCE_PARTITION);
        quiet(&mut world);
        assert_eq!(pods(&world), "v1 v1 v2 v2", "raising it takes none back");
        lose(&mut world, "web-3");
        quiet(&mut world);
        assert_eq!(pods(&world), "v1 v1 v2 v1");
    });
}

#[test]
fn scaling_up_makes_pods_of_what_their_side_of_the_partition_has() {
    holds_for_all_seeds(|seed| {
        let mut world = ordered(seed);
        update(&mut world, "v2", 4);
        world.user_scale(6).unwrap();
        quiet(&mut world);
        assert_eq!(pods(&world), "v1 v1 v1 v1 v2 v2");
        update(&mut world, "v2", FENCE_PARTITION);
        world.user_scale(8).unwrap();
        quiet(&mut world);
        assert_eq!(pods(&world), "v1 v1 v1 v1 v2 v2 v1 v1");
    });
}

#[test]
fn in_order_a_broken_pod_stops_even_the_way_back() {
    holds_for_all_seeds(|seed| {
        let mut world = ordered(seed);
        breaks(&mut world, "v2");
        update(&mut world, "v2", 0);
        quiet(&mut world);
        assert_eq!(pods(&world), "v1 v1 v1 v2!");
        update(&mut world, "v1", 0);
        quiet(&mut world);
        assert_eq!(pods(&world), "v1 v1 v1 v2!");
        lose(&mut world, "web-3");
        quiet(&mut world);
        assert_eq!(pods(&world), "v1 v1 v1 v1");
    });
}

#[test]
fn in_parallel_a_broken_pod_is_replaced() {
    let mut world = deployed(1, parallel());
    breaks(&mut world, "v2");
    update(&mut world, "v2", 0);
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 v1 v1 v2!");
    update(&mut world, "v1", 0);
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 v1 v1 v1");
}

#[test]
fn the_current_revision_follows_once_all_pods_are_updated_and_ready() {
    let current = |world: &World| {
        let live = world.cluster.deployment(NAME).unwrap();
        let name = live.current.clone().unwrap();
        world.cluster.sets.get(&name).unwrap().revision.clone()
    };
    let of = |version: &str| Revision::of_template(&manifest::template(version));
    let mut world = ordered(1);
    assert_eq!(current(&world), of("v1"));
    update(&mut world, "v2", 1);
    quiet(&mut world);
    assert_eq!((pods(&world).as_str(), current(&world)), ("v1 v2 v2 v2", of("v1")));
    // So what is lost below a partition is not of the version that most pods have.
    update(&mut world, "v3", FENCE_PARTITION);
    lose(&mut world, "web-3");
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 v2 v2 v1");
    update(&mut world, "v3", 0);
    quiet(&mut world);
    assert_eq!((pods(&world).as_str(), current(&world)), ("v3 v3 v3 v3", of("v3")));
}

#[test]
fn scaling_down_goes_from_the_top() {
    let mut world = ordered(1);
    world.user_scale(2).unwrap();
    assert_eq!(history(&mut world), ["v1 v1 v1 v1", "v1 v1 v1 -", "v1 v1 v1", "v1 v1 -", "v1 v1"]);
    let mut world = deployed(1, parallel());
    world.user_scale(2).unwrap();
    after(&mut world, 100);
    assert_eq!(pods(&world), "v1 v1 - -");
}

#[test]
fn in_order_two_broken_pods_beyond_the_size_stay() {
    let mut world = ordered(1);
    for pod in ["web-2", "web-3"] {
        crate::sim::stock::kubelet::set_ready(&mut world.cluster, pod, false);
        world.settle_write();
    }
    after(&mut world, 100);
    world.user_scale(2).unwrap();
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 v1 v1! v1!");
    lose(&mut world, "web-3");
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 v1");
}

#[test]
fn a_template_that_comes_again_is_the_same_revision_with_a_new_number() {
    let mut world = ordered(1);
    update(&mut world, "v2", 0);
    quiet(&mut world);
    update(&mut world, "v1", 0);
    quiet(&mut world);
    let number = |version: &str| {
        let revision = Revision::of_template(&manifest::template(version));
        let set = world.cluster.sets.iter().find(|set| set.revision == revision).unwrap();
        crate::sim::stock::revisions::number(set)
    };
    assert_eq!((number("v1"), number("v2"), world.cluster.sets.iter().count()), (3, 2, 2));
}

#[test]
fn on_delete_only_what_is_deleted_is_updated() {
    let mut world = deployed(1, Stated { recreate: true, ..Stated::default() });
    write(&mut world, |spec| spec["template"] = manifest::template("v2"));
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 v1 v1 v1");
    lose(&mut world, "web-1");
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 v2 v1 v1");
}
