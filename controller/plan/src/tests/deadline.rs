//! Batches that do not get ready, and pauses with a time.

use std::time::Duration;

use crds::GepDuration;
use crds::contract::FENCE_PROGRESS_DEADLINE_SECONDS;
use crds::request::Verb;
use crds::rollout::{OnFailure, Pause};
use crds::status::Phase;

use super::scene::*;
use crate::STALLED;
use crate::observed::Sets;

fn broken() -> Scene {
    let mut scene = Scene::in_first_batch();
    scene.sets(Sets { update: Some(troubled(unready("v2", 2))), old: vec![set("v1", 8)] });
    scene
}

#[test]
fn the_status_names_the_pod_and_the_containers_own_reason() {
    let plan = broken().plan();
    assert_phase(&plan, Phase::Progressing, "PodTrouble");
    let message = plan.status.waiting_for.unwrap().message;
    assert_eq!(message, "pod web-v2-0, container app: ImagePullBackOff: no such image");
}

#[test]
fn at_the_deadline_the_release_is_taken_back() {
    let mut scene = broken();
    scene.later(599);
    let plan = scene.publish();
    assert!(plan.actions.is_empty());
    scene.now = plan.wake.unwrap();
    assert_eq!(scene.now, now().checked_add(Duration::from_secs(600)).unwrap());
    let plan = scene.plan();
    assert_phase(&plan, Phase::Aborting, "StablePods");
    assert!(written(&plan).payload.is_some());
    let failure = plan.status.failure.unwrap();
    assert!(failure.starts_with("batch 1 of 3 was not ready within 600s: pod web-v2-0"));
}

#[test]
fn an_abort_that_was_begun_is_finished_though_the_pods_get_ready() {
    let mut scene = broken();
    scene.later(600);
    *scene.status() = scene.plan().status;
    scene.sets(Sets { update: Some(set("v2", 2)), old: vec![set("v1", 8)] });
    assert!(written(&scene.plan()).payload.is_some());
}

#[test]
fn pods_that_flap_do_not_reset_the_deadline() {
    let mut scene = Scene::in_first_batch();
    let started = scene.status().batch.clone().unwrap().started_at;
    for ready in [1, 0, 1, 0] {
        scene.later(100);
        let mut update = unready("v2", 2);
        update.pods[0].ready_since = (ready == 1).then_some(scene.now);
        scene.sets(Sets { update: Some(update), old: vec![set("v1", 8)] });
        scene.publish();
    }
    assert_eq!(scene.status().batch.clone().unwrap().started_at, started);
    scene.later(200);
    assert_phase(&scene.plan(), Phase::Aborting, "StablePods");
}

#[test]
fn the_rollouts_own_deadline_comes_first() {
    let mut scene = broken();
    scene.seen.rollout.spec.progress_deadline = Some(GepDuration::from(Duration::from_secs(30)));
    scene.later(30);
    assert_phase(&scene.plan(), Phase::Aborting, "StablePods");
}

#[test]
fn no_deadline_is_no_deadline() {
    let mut scene = broken();
    let mut fenced = scene.fenced();
    fenced.original.progress_deadline_seconds = FENCE_PROGRESS_DEADLINE_SECONDS;
    scene.hold(fenced);
    scene.later(1_000_000);
    let plan = scene.plan();
    assert!(plan.actions.is_empty() && plan.wake.is_none());
}

fn failed() -> Scene {
    let mut scene = broken();
    scene.seen.rollout.spec.on_failure = OnFailure::Pause;
    scene.later(600);
    scene.publish();
    scene
}

#[test]
fn a_failure_may_wait_for_a_human() {
    let mut scene = failed();
    let plan = scene.plan();
    assert_phase(&plan, Phase::Failed, "Failed");
    assert!(is(&plan, STALLED) && plan.actions.is_empty() && plan.wake.is_none());
    // Pods that get ready by themselves change nothing.
    scene.sets(Sets { update: Some(set("v2", 2)), old: vec![set("v1", 8)] });
    scene.later(600);
    assert_phase(&scene.publish(), Phase::Failed, "Failed");
    scene.ask(Verb::Promote, "v2", 1);
    assert!(!scene.plan().status.answer.unwrap().granted);
}

#[test]
fn resume_and_retry_give_a_failed_batch_its_time_once_more() {
    for verb in [Verb::Resume, Verb::Retry] {
        let mut scene = failed();
        scene.ask(verb, "v2", 1);
        let plan = scene.publish();
        assert_phase(&plan, Phase::Progressing, "PodTrouble");
        assert_eq!(plan.status.batch.unwrap().started_at.0, scene.now);
        assert_eq!(plan.status.failure, None);
        scene.later(600);
        assert_phase(&scene.publish(), Phase::Failed, "Failed");
    }
}

#[test]
fn an_abort_of_a_failed_release_keeps_the_reason() {
    let mut scene = failed();
    scene.ask(Verb::Abort, "v2", 0);
    let failure = scene.publish().status.failure.unwrap();
    assert!(failure.starts_with("aborted by alice: batch 1 of 3 was not ready"), "{failure}");
}

fn timed() -> Scene {
    let mut scene = Scene::in_first_batch();
    let duration = Some(GepDuration::from(Duration::from_secs(600)));
    scene.seen.rollout.spec.strategy.batches[0].pause = Some(Pause { duration });
    scene.status().batch.as_mut().unwrap().definition = None;
    scene.sets(Sets { update: Some(set("v2", 2)), old: vec![set("v1", 8)] });
    scene.now = scene.now.checked_add(Duration::from_millis(300)).unwrap();
    scene
}

#[test]
fn a_pause_with_a_time_is_never_too_short() {
    let mut scene = timed();
    let ready = scene.now;
    let plan = scene.publish();
    assert_phase(&plan, Phase::Paused, "PauseTime");
    let wake = plan.wake.unwrap();
    let pause = wake.duration_since(ready).as_secs_f64();
    assert!((600.0..601.0).contains(&pause), "{pause}");
    scene.now = wake;
    assert_eq!(written(&scene.plan()).hold.unwrap().as_fenced().unwrap().batch, 2);
}

#[test]
fn readiness_lost_in_a_pause_counts_when_the_pause_ends() {
    let mut scene = timed();
    scene.publish();
    scene.sets(Sets { update: Some(unready("v2", 2)), old: vec![set("v1", 8)] });
    let plan = scene.publish();
    assert_phase(&plan, Phase::Paused, "PauseTime");
    assert!(plan.actions.is_empty(), "the shares stay");
    scene.later(601);
    let plan = scene.publish();
    assert_phase(&plan, Phase::Progressing, "Pods");
    let batch = plan.status.batch.unwrap();
    assert_eq!(batch.ready_at, None);
    assert!(scene.now.duration_since(batch.started_at.0).as_secs() < 1, "a deadline of its own");
}

#[test]
fn the_users_own_min_ready_seconds_count() {
    let mut scene = Scene::in_first_batch();
    let mut fenced = scene.fenced();
    fenced.original.min_ready_seconds = 90;
    scene.hold(fenced);
    scene.sets(Sets { update: Some(set("v2", 2)), old: vec![set("v1", 8)] });
    let plan = scene.publish();
    assert_phase(&plan, Phase::Progressing, "Pods");
    assert_eq!(plan.wake, Some(now().checked_add(Duration::from_secs(30)).unwrap()));
    scene.later(30);
    assert_phase(&scene.publish(), Phase::Paused, "Promotion");
}

#[test]
fn time_in_the_users_own_pause_does_not_count() {
    let mut scene = Scene::in_first_batch();
    let mut fenced = scene.fenced();
    fenced.original.paused = true;
    scene.hold(fenced.clone());
    assert_phase(&scene.publish(), Phase::Progressing, "DeploymentPaused");
    scene.later(10_000);
    assert_phase(&scene.publish(), Phase::Progressing, "DeploymentPaused");
    fenced.original.paused = false;
    scene.hold(fenced);
    let plan = scene.publish();
    assert_phase(&plan, Phase::Progressing, "Pods");
    assert_eq!(plan.status.batch.unwrap().started_at.0, scene.now);
}
