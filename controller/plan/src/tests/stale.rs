//! Knowledge that is behind: counts of the stock controllers', and writes that no webhook saw.

use std::time::Duration;

use crds::IntOrPercent::Percent;
use crds::request::Verb;
use crds::status::Phase;

use super::scene::*;
use crate::draft::PATIENCE_SECONDS;
use crate::observed::{Set, Sets};

/// The stable ReplicaSet wants eight pods and still counts nine.
fn behind() -> Set {
    Set { available: Some(9), ..set("v1", 8) }
}

/// The user brought v1 back in the middle of the first batch.
fn rolled_back(stable: Set) -> Scene {
    let mut scene = Scene::after_first_batch();
    let mut fenced = scene.fenced();
    fenced.revision = revision("v1");
    fenced.rollback = true;
    scene.hold(fenced);
    scene.sets(Sets { update: Some(stable), old: vec![set("v2", 2)] });
    scene
}

fn aborted(stable: Set) -> Scene {
    let mut scene = Scene::in_first_batch();
    scene.ask(Verb::Abort, "v2", 1);
    scene.sets(Sets { update: Some(unready("v2", 2)), old: vec![stable] });
    scene
}

#[test]
fn a_way_back_waits_for_the_stable_count() {
    let ways = [(rolled_back as fn(Set) -> Scene, Phase::RollingBack), (aborted, Phase::Aborting)];
    for (way, phase) in ways {
        let mut scene = way(behind());
        let plan = scene.publish();
        assert_phase(&plan, phase, "StablePods");
        assert!(plan.actions.is_empty() && plan.watch_sets);

        let counted = way(set("v1", 8)).workload().sets.clone();
        scene.workload().sets = counted;
        let plan = scene.plan();
        assert_phase(&plan, phase, "StablePods");
        written(&plan);
    }
}

#[test]
fn it_does_not_wait_for_ever() {
    for way in [rolled_back as fn(Set) -> Scene, aborted] {
        let mut scene = way(behind());
        let plan = scene.publish();
        let patience = Duration::from_secs(PATIENCE_SECONDS.unsigned_abs());
        assert_eq!(plan.wake, Some(now().checked_add(patience).unwrap()));
        scene.now = plan.wake.unwrap();
        written(&scene.plan());
    }
}

#[test]
fn a_count_that_is_not_known_is_waited_for() {
    let scene = &mut rolled_back(Set { available: None, ..set("v1", 8) });
    assert_phase(&scene.publish(), Phase::RollingBack, "StablePods");
}

#[test]
fn a_deadline_is_never_too_short() {
    let mut scene = Scene::announced();
    scene.now = scene.now.checked_add(Duration::from_millis(900)).unwrap();
    *scene.status() = Default::default();
    scene.publish();
    let started = scene.status().batch.clone().unwrap().started_at.0;
    assert_eq!(started, now().checked_add(Duration::from_secs(1)).unwrap());
}

#[test]
fn a_pause_that_no_webhook_noted_is_the_users() {
    let mut scene = Scene::after_first_batch();
    scene.workload().projected = false;
    let mut noted = scene.fenced();
    noted.original.paused = true;
    *scene.own() = crate::observed::Fields::held(&noted);
    let hold = written(&scene.plan()).hold.unwrap();
    let again = hold.as_fenced().unwrap();
    assert!(again.original.paused && !again.target.paused);
    assert_eq!((again.batch, again.target.max_unavailable), (1, Percent(20)));
}
