//! The model of the stock CloneSet controller: its decision against OpenKruise's own examples
//! (`cloneset_sync_utils_test.go`), and what it does pass by pass.

use std::rc::Rc;
use std::time::Duration;

use crds::{IntOrPercent, Revision};
use serde_json::{Value, json};

use super::decide::{Diff, Member, Wish, decide};
use crate::sim::cluster::Precondition;
use crate::sim::cluster::objects::Pod;
use crate::sim::moment::Moment;
use crate::sim::stock::Behaviour;
use crate::sim::user::{Stated, manifest};
use crate::sim::world::{NAME, Options, World};

/// `O` old, `N` new, small: not available; `*` behind one that is to go.
fn members(pods: &str) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for letter in pods.chars() {
        match (letter, members.last_mut()) {
            ('*', Some(last)) => last.doomed = true,
            _ => members.push(Member {
                new: letter.eq_ignore_ascii_case(&'n'),
                doomed: false,
                available: letter.is_ascii_uppercase(),
            }),
        }
    }
    members
}

/// Replicas, partition, unavailable, surge.
type Asked = (i32, i32, i32, i32);

#[track_caller]
fn assert_decides((replicas, partition, unavailable, surge): Asked, pods: &str, expected: Diff) {
    let wish = Wish { replicas, partition, surge, unavailable };
    assert_eq!(decide(&wish, &members(pods)), expected, "{pods}");
}

fn nothing() -> Diff {
    Diff::default()
}

fn up(up: i32) -> Diff {
    Diff { up, ..nothing() }
}

fn updates(update: i32, update_max_unavailable: i32) -> Diff {
    Diff { update, update_max_unavailable, ..nothing() }
}

#[test]
fn decides_as_kruise_does_without_surge() {
    assert_decides((5, 0, 1, 0), "", up(5));
    assert_decides((5, 3, 1, 0), "OOOOO", updates(2, 1));
    assert_decides((5, 3, 1, 0), "NOOOO", updates(1, 1));
    assert_decides((5, 3, 1, 0), "NNOOO", nothing());
    assert_decides((5, 0, 1, 0), "N*NNNN", Diff { delete_ready_limit: 1, ..nothing() });
    assert_decides((5, 4, 1, 0), "ONNNN", nothing());
    let lost = Diff { up: 1, up_old: 1, ..nothing() };
    assert_decides((5, 3, 1, 0), "OONN", lost);
    assert_decides((5, 5, 1, 0), "OOON", Diff { up: 1, up_old: 2, ..nothing() });
}

#[test]
fn decides_as_kruise_does_with_surge() {
    let asked = (5, 3, 1, 1);
    let surge = |diff: Diff| Diff { use_surge: 1, ..diff };
    assert_decides(asked, "OOOOO", surge(Diff { up: 1, ..updates(2, 1) }));
    assert_decides(asked, "OOOOOn", surge(updates(1, 2)));
    let marked = Diff { use_surge_old: 1, delete_ready_limit: 1, ..updates(1, 2) };
    assert_decides(asked, "OOOOO*n", surge(marked));
    assert_decides(asked, "OOOOn", surge(Diff { up: 1, ..updates(1, 1) }));
    let down = Diff { down: 1, down_old: 1, ..nothing() };
    assert_decides(asked, "OOOOnn", down);
    assert_decides(asked, "OOOONn", Diff { delete_ready_limit: 1, ..down });
    assert_decides(asked, "OOONN", nothing());
}

#[test]
fn decides_as_kruise_does_under_a_percentage() {
    // 99% of 5.
    let asked = (5, 4, 3, 2);
    let surge = Diff { up: 1, use_surge: 1, ..updates(1, 3) };
    assert_decides(asked, "OOOOO", surge);
    let down = Diff { down: 1, down_old: 1, delete_ready_limit: 3, ..nothing() };
    assert_decides(asked, "OOOOOn", down);
    assert_decides(asked, "OOOOn", nothing());
}

#[test]
fn decides_as_kruise_does_under_a_pause() {
    // A pause has taken the surge away. What is missing is of the new version.
    assert_decides((5, 0, 0, 0), "OOO", Diff { up: 2, ..updates(3, -2) });
    let down = Diff { down: 2, down_old: 5, delete_ready_limit: 2, ..updates(3, 2) };
    assert_decides((3, 0, 0, 0), "OOOOO", down);
    assert_decides((5, 2, 0, 0), "OOOOOnnn", Diff { down: 3, down_old: 3, ..nothing() });
}

/// A CloneSet of v1 with so many replicas, all ready, and no controller of ours.
fn deployed(seed: u64, replicas: i32, stated: Stated) -> World {
    let mut world = World::new(&Options { seed, ..Options::default() });
    world.user.manifest.stated = Stated { cloneset: true, replicas: Some(replicas), ..stated };
    world.user_apply().unwrap();
    quiet(&mut world);
    world
}

fn quiet(world: &mut World) {
    world.run_for(Duration::from_secs(3600));
}

fn write(world: &mut World, change: impl FnOnce(&mut Value)) {
    let mut raw = world.cluster.deployment_json(NAME).unwrap();
    change(&mut raw["spec"]);
    world.cluster.update_deployment("test", NAME, &Precondition::default(), raw).unwrap();
    world.settle_write();
}

/// Another version, of which the partition keeps so much of what was before.
fn update(world: &mut World, version: &str, partition: Value) {
    write(world, |spec| {
        spec["template"] = manifest::template(version);
        spec["updateStrategy"]["partition"] = partition;
    });
}

fn revision(version: &str) -> Revision {
    Revision::of_template(&manifest::template(version))
}

fn lose(world: &mut World, version: &str) {
    let of = |pod: &&Rc<Pod>| pod.revision == revision(version) && pod.is_active();
    let found = world.cluster.pods.iter().find(of).unwrap();
    let name = Rc::clone(&found.meta.name);
    world.cluster.update_pod(&name, |pod| pod.meta.deleting = true);
    world.settle_write();
}

fn breaks(world: &mut World, version: &str) {
    let broken = Some("ImagePullBackOff".to_owned());
    world.kubelet.set(&revision(version), Behaviour { broken, ..Behaviour::default() });
}

/// Pods by version; ready ones of all.
fn pods(world: &World) -> String {
    let mut words = Vec::new();
    for version in ["v1", "v2", "v3"] {
        let of = revision(version);
        let mine = world.cluster.pods.iter().filter(|pod| pod.revision == of && pod.is_active());
        let mine: Vec<_> = mine.collect();
        let ready = mine.iter().filter(|pod| pod.is_ready()).count();
        match mine.len() {
            0 => {}
            all if all == ready => words.push(format!("{version} {all}")),
            all => words.push(format!("{version} {ready}/{all}")),
        }
    }
    words.join(", ")
}

/// All that the pods have been until nothing happens any more, each once.
fn history(world: &mut World) -> Vec<String> {
    let mut seen = vec![pods(world)];
    for _ in 0..20_000 {
        let until = Moment::from_millis(world.now().millis() + 1);
        world.run_until(until);
        let now = pods(world);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    seen
}

fn current(world: &World) -> Revision {
    let name = world.cluster.deployment(NAME).unwrap().current.clone().unwrap();
    world.cluster.sets.get(&name).unwrap().revision.clone()
}

#[test]
fn an_update_goes_by_what_may_be_unavailable_as_far_as_the_partition_lets_it() {
    let mut world = deployed(1, 5, Stated::default());
    update(&mut world, "v2", json!(3));
    let expected =
        ["v1 5", "v1 4", "v1 4, v2 0/1", "v1 4, v2 1", "v1 3, v2 1", "v1 3, v2 1/2", "v1 3, v2 2"];
    assert_eq!(history(&mut world), expected);
    assert_eq!(current(&world), revision("v1"));
    update(&mut world, "v2", json!(0));
    quiet(&mut world);
    assert_eq!((pods(&world).as_str(), current(&world)), ("v2 5", revision("v2")));
}

#[test]
fn a_surge_is_there_before_anything_goes() {
    let one = IntOrPercent::Count;
    let stated = Stated { surge: Some(one(1)), unavailable: Some(one(0)), ..Stated::default() };
    let mut world = deployed(1, 2, stated);
    update(&mut world, "v2", json!(1));
    let expected = ["v1 2", "v1 2, v2 0/1", "v1 2, v2 1", "v1 1, v2 1"];
    assert_eq!(history(&mut world), expected);
}

#[test]
fn what_is_lost_or_added_fills_the_old_part_first() {
    let mut world = deployed(1, 10, Stated::default());
    update(&mut world, "v2", json!("80%"));
    quiet(&mut world);
    for (version, scale, expected) in [
        ("v1", 10, "v1 8, v2 2"),
        ("v2", 10, "v1 8, v2 2"),
        ("v1", 20, "v1 16, v2 4"),
        ("v1", 5, "v1 4, v2 1"),
    ] {
        lose(&mut world, version);
        world.user_scale(scale).unwrap();
        quiet(&mut world);
        assert_eq!(pods(&world), expected);
    }
    update(&mut world, "v2", json!("100%"));
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 4, v2 1", "raising it takes none back");
    lose(&mut world, "v2");
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 5");
    // A number keeps that number, whatever is added.
    update(&mut world, "v2", json!(5));
    world.user_scale(8).unwrap();
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 5, v2 3");
}

#[test]
fn scaling_down_under_a_shut_partition_takes_the_new_ones() {
    let mut world = deployed(1, 10, Stated::default());
    update(&mut world, "v2", json!("80%"));
    quiet(&mut world);
    update(&mut world, "v2", json!("100%"));
    world.user_scale(8).unwrap();
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 8");
}

#[test]
fn a_pause_stops_updates_and_nothing_else() {
    let mut world = deployed(1, 5, Stated { paused: Some(true), ..Stated::default() });
    update(&mut world, "v2", json!(0));
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 5");
    lose(&mut world, "v1");
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 4, v2 1");
}

#[test]
fn broken_pods_stop_an_update_and_are_replaced_first() {
    let mut world = deployed(1, 5, Stated::default());
    breaks(&mut world, "v2");
    update(&mut world, "v2", json!(0));
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 4, v2 0/1");
    update(&mut world, "v3", json!(0));
    quiet(&mut world);
    assert_eq!(pods(&world), "v3 5");
}

#[test]
fn a_third_version_takes_the_youngest_first() {
    let mut world = deployed(1, 10, Stated::default());
    update(&mut world, "v2", json!(7));
    quiet(&mut world);
    update(&mut world, "v3", json!(8));
    quiet(&mut world);
    assert_eq!((pods(&world).as_str(), current(&world)), ("v1 7, v2 1, v3 2", revision("v1")));
}

#[test]
fn the_current_revision_follows_counts_alone() {
    let mut world = deployed(1, 1, Stated::default());
    breaks(&mut world, "v2");
    update(&mut world, "v2", json!(0));
    quiet(&mut world);
    assert_eq!((pods(&world).as_str(), current(&world)), ("v2 0/1", revision("v2")));
    world.user_scale(0).unwrap();
    update(&mut world, "v3", json!(0));
    quiet(&mut world);
    assert_eq!((pods(&world).as_str(), current(&world)), ("", revision("v3")));
}

#[test]
fn the_status_is_of_the_pods_before_the_pass() {
    let mut world = deployed(1, 5, Stated::default());
    world.user_scale(7).unwrap();
    let generation = world.cluster.deployment(NAME).unwrap().meta.generation;
    let mut before = 0;
    for _ in 0..200 {
        let until = Moment::from_millis(world.now().millis() + 1);
        world.run_until(until);
        let live = world.cluster.deployment(NAME).unwrap();
        if live.status.observed_generation == generation {
            before = live.status.replicas;
            break;
        }
    }
    assert_eq!(before, 5);
    quiet(&mut world);
    assert_eq!(world.cluster.deployment(NAME).unwrap().status.replicas, 7);
}

#[test]
fn old_caches_make_no_pod_too_many() {
    for seed in 0..20 {
        let mut world = deployed(seed, 6, Stated::default());
        world.faults.lag = (50, 1500);
        update(&mut world, "v2", json!("50%"));
        world.user_scale(9).unwrap();
        for words in history(&mut world) {
            let all: usize = words.split(", ").map(count_of).sum();
            assert!(all <= 9, "{words}");
        }
        assert_eq!(pods(&world), "v1 5, v2 4");
    }
}

/// Of `v1 2/3` the 3.
fn count_of(word: &str) -> usize {
    let counts = word.split_once(' ').map_or("0", |(_, counts)| counts);
    counts.rsplit('/').next().unwrap_or("0").parse().unwrap()
}
