//! From the hold to the first batch.

use crds::IntOrPercent::Count;
use crds::Target;
use crds::contract::FENCE_MIN_READY_SECONDS;
use crds::status::Phase;

use super::scene::*;
use crate::observed::{Fact, Sets};
use crate::{Action, READY, RECONCILING};

#[test]
fn the_first_plan_of_a_release_moves_nothing() {
    let scene = Scene::held();
    let plan = scene.plan();
    assert_eq!(
        plan.actions,
        [Action::KeepTemplate { revision: revision("v1"), set: "web-v1".into() }]
    );
    assert_phase(&plan, Phase::Progressing, "Pods");
    assert!(is(&plan, RECONCILING) && !is(&plan, READY) && plan.watch_sets);
    assert_eq!(turns(&plan), ["ReleaseHeld", "BatchStarted"]);
    assert_eq!(plan.status.original, Some(ORIGINAL));
}

#[test]
fn nothing_is_known_of_the_sets_at_first() {
    let mut scene = Scene::held();
    scene.workload().sets = Fact::Unknown("not watched yet".into());
    let plan = scene.publish();
    assert_phase(&plan, Phase::Progressing, "Pods");
    assert!(plan.actions.is_empty());
    scene.seen.unsettled_since = Some(scene.now);
    scene.later(4);
    assert_eq!(waits(&scene.plan()), "Pods");
    scene.later(1);
    assert_eq!(waits(&scene.plan()), "FactsUnknown");
}

#[test]
fn the_first_batch_opens_once_the_status_says_so() {
    let scene = Scene::announced();
    let plan = scene.plan();
    assert!(matches!(plan.actions[0], Action::KeepTemplate { .. }));
    let hold = written(&plan).hold.unwrap();
    let fenced = hold.as_fenced().unwrap();
    assert_eq!(fenced.batch, 1);
    let target = Target { paused: false, max_surge: Count(2), max_unavailable: Count(0) };
    assert_eq!(fenced.target, target);
    assert_eq!(plan.status, scene.seen.rollout.status, "opening costs no status write");
}

#[test]
fn no_batch_opens_while_nobody_knows_what_is_kept() {
    let mut scene = Scene::announced();
    scene.seen.kept = Fact::Unknown("timeout".into());
    assert!(scene.plan().actions.is_empty());
}

#[test]
fn a_pause_stops_the_first_batch_too() {
    let mut scene = Scene::held();
    scene.seen.rollout.spec.paused = true;
    let plan = scene.publish();
    assert_phase(&plan, Phase::Held, "SpecPaused");
    assert!(plan.actions.iter().all(|action| matches!(action, Action::KeepTemplate { .. })));
    scene.seen.rollout.spec.paused = false;
    scene.later(3600);
    let plan = scene.plan();
    assert_phase(&plan, Phase::Progressing, "Pods");
    let started = plan.status.batch.as_ref().unwrap().started_at.0;
    assert_eq!(started, scene.now, "the deadline counts from here");
    assert!(plan.actions.iter().all(|action| matches!(action, Action::KeepTemplate { .. })));
}

#[test]
fn the_users_own_pause_is_waited_for() {
    let mut scene = Scene::held();
    let mut fenced = scene.fenced();
    fenced.original.paused = true;
    scene.hold(fenced);
    let plan = scene.publish();
    assert_phase(&plan, Phase::Held, "DeploymentPaused");
    assert!(plan.actions.iter().all(|action| matches!(action, Action::KeepTemplate { .. })));
}

#[test]
fn a_fenced_stable_set_is_repaired_first() {
    let mut scene = Scene::announced();
    scene.keep("v1");
    let mut stable = set("v1", 10);
    stable.min_ready_seconds = FENCE_MIN_READY_SECONDS;
    stable.available = Some(0);
    scene.sets(Sets { update: None, old: vec![stable.clone()] });
    let plan = scene.plan();
    assert_eq!(
        plan.actions,
        [Action::RepairSet {
            set: "web-v1".into(),
            uid: "v1-uid".into(),
            resource_version: "11".into(),
            min_ready_seconds: 0,
        }]
    );
    stable.min_ready_seconds = 0;
    for (available, opens) in [(None, false), (Some(9), false), (Some(10), true)] {
        stable.available = available;
        scene.sets(Sets { update: None, old: vec![stable.clone()] });
        assert_eq!(!scene.plan().actions.is_empty(), opens, "{available:?}");
    }
}

#[test]
fn another_fenced_set_is_no_concern() {
    let mut scene = Scene::announced();
    scene.keep("v1");
    scene.sets(Sets { update: None, old: vec![unready("v0", 2), set("v1", 8)] });
    assert_eq!(written(&scene.plan()).hold.unwrap().as_fenced().unwrap().batch, 1);
}

#[test]
fn without_one_pod_of_the_stable_revision_there_is_nothing_to_hold() {
    let mut scene = Scene::announced();
    scene.sets(Sets::default());
    assert_eq!(written(&scene.plan()).hold, None);
}

#[test]
fn sizes_that_do_not_go_with_the_replicas_are_waited_for() {
    let mut scene = Scene::announced();
    scene.keep("v1");
    scene.workload().replicas = 20;
    assert!(scene.plan().actions.is_empty(), "ten pods of twenty");
    scene.workload().replicas = 8;
    let mut stable = set("v1", 10);
    stable.desired = Some(10);
    scene.sets(Sets { update: None, old: vec![stable] });
    assert!(scene.plan().actions.is_empty(), "sized for ten");
}

#[test]
fn a_third_version_starts_at_the_first_batch() {
    let mut scene = Scene::after_first_batch();
    let mut fenced = scene.fenced();
    fenced.revision = revision("v3");
    fenced.batch = 0;
    fenced.target.paused = true;
    scene.hold(fenced);
    scene.sets(Sets { update: None, old: vec![set("v2", 2), set("v1", 8)] });
    let plan = scene.publish();
    assert_phase(&plan, Phase::Progressing, "Pods");
    assert_eq!(plan.status.update_revision, Some(revision("v3")));
    assert_eq!(plan.status.stable_revision, Some(revision("v1")));
    let batch = plan.status.batch.as_ref().unwrap();
    assert_eq!((batch.index, &batch.ready_at), (1, &None));
    assert_eq!(written(&plan).hold.unwrap().as_fenced().unwrap().stable, revision("v1"));
}

#[test]
fn a_humans_pause_is_of_one_revision() {
    let mut scene = Scene::after_first_batch();
    scene.ask(crds::request::Verb::Pause, "v2", 0);
    scene.publish();
    assert!(scene.status().paused.is_some());
    let mut fenced = scene.fenced();
    fenced.revision = revision("v3");
    fenced.batch = 0;
    fenced.target.paused = true;
    scene.hold(fenced);
    scene.sets(Sets { update: None, old: vec![set("v2", 2), set("v1", 8)] });
    assert_eq!(scene.publish().status.paused, None);
}
