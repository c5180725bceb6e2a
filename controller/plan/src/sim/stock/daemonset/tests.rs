//! The model of the stock DaemonSet controller against what the real one (1.34, its sources) does
//! under OnDelete, with surge and without, with nodes that come, go and are closed.

use std::time::Duration;

use crds::{IntOrPercent, Revision};
use serde_json::{Value, json};

use crate::sim::cluster::Precondition;
use crate::sim::moment::Moment;
use crate::sim::stock::Behaviour;
use crate::sim::user::{Stated, manifest};
use crate::sim::world::{NAME, Options, World};

/// A DaemonSet of v1 on four nodes, all ready, and no controller of ours.
fn deployed(seed: u64, stated: Stated) -> World {
    let mut world = World::new(&Options { seed, ..Options::default() });
    world.user_nodes(4).unwrap();
    world.user.manifest.stated = Stated { daemon: true, ..stated };
    world.user_apply().unwrap();
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 v1 v1 v1");
    world
}

fn with_surge(surge: i32) -> Stated {
    let (count, none) = (IntOrPercent::Count(surge), IntOrPercent::Count(0));
    Stated { surge: Some(count), unavailable: Some(none), ..Stated::default() }
}

fn with_unavailable(unavailable: IntOrPercent) -> Stated {
    Stated { unavailable: Some(unavailable), ..Stated::default() }
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

fn update(world: &mut World, version: &str) {
    write(world, |spec| spec["template"] = manifest::template(version));
}

fn on_delete(world: &mut World, version: &str) {
    write(world, |spec| {
        spec["template"] = manifest::template(version);
        spec["updateStrategy"]["type"] = json!("OnDelete");
    });
}

fn breaks(world: &mut World, version: &str) {
    let revision = Revision::of_template(&manifest::template(version));
    let broken = Some("ImagePullBackOff".to_owned());
    world.kubelet.set(&revision, Behaviour { broken, ..Behaviour::default() });
}

/// The pods by node: the version, with `!` where one is not ready, `-` where there is none.
fn pods(world: &World) -> String {
    let word = |node: &std::rc::Rc<str>| {
        let here = world.cluster.pods.iter().filter(|pod| pod.node.as_ref() == Some(node));
        let mut words: Vec<_> = here.filter(|pod| pod.is_active()).map(|pod| one(pod)).collect();
        words.sort();
        if words.is_empty() { "-".to_owned() } else { words.join("+") }
    };
    world.cluster.nodes.iter().map(|node| word(&node.meta.name)).collect::<Vec<_>>().join(" ")
}

fn one(pod: &crate::sim::cluster::objects::Pod) -> String {
    let is = |version: &&&str| Revision::of_template(&manifest::template(version)) == pod.revision;
    let version = ["v1", "v2", "v3"].iter().find(is).unwrap();
    format!("{version}{}", if pod.is_ready() { "" } else { "!" })
}

/// The fewest nodes that serve, and the most pods, until nothing happens any more.
fn extremes(world: &mut World) -> (usize, usize) {
    let (mut fewest, mut most) = (usize::MAX, 0);
    for _ in 0..20_000 {
        let until = Moment::from_millis(world.now().millis() + 1);
        world.run_until(until);
        let words = pods(world);
        let serves = |node: &&str| node.split('+').any(|pod| pod.ends_with(char::is_numeric));
        fewest = fewest.min(words.split(' ').filter(serves).count());
        most = most.max(words.split([' ', '+']).filter(|pod| *pod != "-").count());
    }
    (fewest, most)
}

fn status(world: &World) -> (i32, i32, i32, i32) {
    let status = world.cluster.deployment(NAME).unwrap().status;
    (status.replicas, status.updated, status.ready, status.misscheduled)
}

#[test]
fn an_update_keeps_to_max_unavailable() {
    for (own, fewest) in [
        (IntOrPercent::Count(1), 3),
        (IntOrPercent::Count(3), 1),
        // A third of four is rounded up.
        (IntOrPercent::Percent(33), 2),
    ] {
        for seed in 0..10 {
            let mut world = deployed(seed, with_unavailable(own));
            update(&mut world, "v2");
            assert_eq!(extremes(&mut world), (fewest, 4), "{own}");
            assert_eq!(pods(&world), "v2 v2 v2 v2");
        }
    }
}

#[test]
fn with_surge_a_new_pod_stands_beside_the_old_one() {
    for seed in 0..10 {
        let mut world = deployed(seed, with_surge(2));
        update(&mut world, "v2");
        assert_eq!(extremes(&mut world), (4, 6));
        assert_eq!(pods(&world), "v2 v2 v2 v2");
    }
}

#[test]
fn a_broken_version_stops_at_the_limits() {
    let mut world = deployed(1, with_unavailable(IntOrPercent::Count(2)));
    breaks(&mut world, "v2");
    update(&mut world, "v2");
    assert_eq!(extremes(&mut world), (2, 4));
    let mut world = deployed(1, with_surge(1));
    breaks(&mut world, "v2");
    update(&mut world, "v2");
    assert_eq!(extremes(&mut world), (4, 5));
}

#[test]
fn beside_a_pod_that_does_not_serve_one_comes_whatever_the_surge() {
    let mut world = deployed(1, with_surge(1));
    breaks(&mut world, "v2");
    on_delete(&mut world, "v2");
    quiet(&mut world);
    world.user_evict("v1", 3).unwrap();
    quiet(&mut world);
    write(&mut world, |spec| {
        spec["template"] = manifest::template("v3");
        spec["updateStrategy"]["type"] = json!("RollingUpdate");
    });
    assert_eq!(extremes(&mut world).1, 8);
    assert_eq!(pods(&world), "v3 v3 v3 v3");
}

#[test]
fn under_on_delete_only_what_is_missing_is_new() {
    let mut world = deployed(1, Stated::default());
    on_delete(&mut world, "v2");
    quiet(&mut world);
    assert_eq!((pods(&world).as_str(), status(&world)), ("v1 v1 v1 v1", (4, 0, 4, 0)));
    world.user_evict("v1", 1).unwrap();
    world.user_nodes(5).unwrap();
    quiet(&mut world);
    assert_eq!(pods(&world).matches("v2").count(), 2);
    assert_eq!(status(&world), (5, 2, 5, 0));
}

#[test]
fn under_on_delete_the_older_of_two_pods_stays() {
    let mut world = deployed(1, with_surge(2));
    breaks(&mut world, "v2");
    update(&mut world, "v2");
    quiet(&mut world);
    assert_eq!(pods(&world).matches("v2!").count(), 2);
    on_delete(&mut world, "v2");
    quiet(&mut world);
    assert_eq!(pods(&world), "v1 v1 v1 v1");
}

#[test]
fn a_closed_node_keeps_its_pod_and_gets_no_other() {
    let mut world = deployed(1, Stated::default());
    world.user_close("v1", 1).unwrap();
    quiet(&mut world);
    assert_eq!((pods(&world).as_str(), status(&world)), ("v1 v1 v1 v1", (3, 3, 3, 1)));
    update(&mut world, "v2");
    quiet(&mut world);
    assert_eq!((pods(&world).as_str(), status(&world)), ("- v2 v2 v2", (3, 3, 3, 0)));
    world.open_nodes();
    quiet(&mut world);
    assert_eq!(pods(&world), "v2 v2 v2 v2");
}

#[test]
fn the_pod_of_a_lost_node_looks_as_it_did_for_a_while() {
    let mut world = deployed(1, Stated::default());
    world.user_lose("any", 1).unwrap();
    let until = Moment::from_millis(world.now().millis() + 1000);
    world.run_until(until);
    let ready = world.cluster.pods.iter().filter(|pod| pod.is_ready()).count();
    assert_eq!((ready, status(&world).0), (4, 3));
    quiet(&mut world);
    assert_eq!(world.cluster.pods.iter().count(), 3);
}

#[test]
fn pods_that_are_ready_too_short_a_time_go_all_at_once() {
    let stated = Stated { min_ready_seconds: Some(3600), ..Stated::default() };
    let mut world = World::new(&Options { seed: 1, ..Options::default() });
    world.user_nodes(4).unwrap();
    world.user.manifest.stated = Stated { daemon: true, ..stated };
    world.user_apply().unwrap();
    let until = Moment::from_millis(world.now().millis() + 60_000);
    world.run_until(until);
    assert_eq!(pods(&world), "v1 v1 v1 v1");
    update(&mut world, "v2");
    assert_eq!(extremes(&mut world), (0, 4));
}
