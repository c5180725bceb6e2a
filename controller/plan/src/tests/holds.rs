//! Holds that are not as the controller wrote them, and the ways back.

use crds::IntOrPercent::{Count, Percent};
use crds::hold::{Bar, Reading};
use crds::status::Phase;
use crds::{Fenced, Hold, HoldState, Target};

use super::scene::*;
use crate::observed::{Fact, Sets};
use crate::{Action, STALLED};

#[test]
fn a_hold_of_a_newer_schema_is_left_alone() {
    let mut scene = Scene::after_first_batch();
    scene.workload().hold = Reading::Newer(2);
    let plan = scene.plan();
    assert_phase(&plan, Phase::Stalled, "NewerHold");
    assert!(plan.actions.is_empty() && is(&plan, STALLED));
    scene.seen.rollout.deleting = true;
    scene.workload().fields = fields(&ORIGINAL);
    assert!(scene.plan().actions.is_empty());
}

#[test]
fn an_unreadable_hold_is_taken_off_only_where_it_hides_nothing() {
    let mut scene = Scene::at_rest();
    scene.workload().hold = Reading::Malformed("not JSON".into());
    scene.workload().hold_text = Some("{".into());
    let plan = scene.plan();
    assert_phase(&plan, Phase::Stalled, "HoldUnreadable");
    assert_eq!(written(&plan).hold, None);
    scene.workload().fields = fence();
    let plan = scene.plan();
    assert_phase(&plan, Phase::Stalled, "HoldUnreadable");
    assert!(plan.actions.is_empty());
}

#[test]
fn a_fence_without_a_hold_gets_it_back_from_the_status() {
    let mut scene = Scene::after_first_batch();
    let before = scene.fenced();
    scene.annotate(None);
    scene.workload().projected = false;
    let plan = scene.plan();
    assert_eq!(written(&plan).hold, Some(Hold::fenced(before)));
    assert_eq!(waits(&plan), "Webhook");
}

#[test]
fn a_fence_that_nobody_remembers_is_said_to_be_one() {
    let mut scene = Scene::at_rest();
    scene.workload().fields = fence();
    let plan = scene.plan();
    assert_phase(&plan, Phase::Stalled, "FenceWithoutHold");
    assert!(plan.actions.is_empty());
    assert!(plan.status.waiting_for.unwrap().message.contains("release-hold"));
}

#[test]
fn a_bar_under_the_fence_becomes_a_hold_again() {
    let mut scene = Scene::after_first_batch();
    let before = scene.fenced();
    scene.annotate(Some(Hold::barred(revision("v2"), Bar::Rejected)));
    scene.workload().projected = false;
    assert_eq!(written(&scene.plan()).hold, Some(Hold::fenced(before)));
    // With the stable template live already: a rollback of the barred revision, which is barred
    // again in the next write.
    scene.workload().revision = revision("v1");
    let hold = written(&scene.plan()).hold.unwrap();
    let fenced = hold.as_fenced().unwrap().clone();
    assert_eq!((&fenced.revision, fenced.rollback), (&revision("v2"), true));
    scene.annotate(Some(hold));
    let write = written(&scene.plan());
    assert!(matches!(&write.hold.unwrap().state,
        HoldState::Barred(bar) if bar.revision == revision("v2") && bar.why == Bar::Rejected));
}

#[test]
fn a_write_that_no_webhook_saw_is_repeated() {
    let mut scene = Scene::after_first_batch();
    scene.workload().projected = false;
    let plan = scene.plan();
    assert_eq!(written(&plan).hold, Some(Hold::fenced(scene.fenced())));
    assert_eq!(waits(&plan), "Webhook");
    assert!(!written(&plan).may_write_fields);
    assert!(turns(&plan).contains(&"WebhookMissing"));
}

#[test]
fn a_template_that_slipped_into_a_release_is_held_from_there_on() {
    let mut scene = Scene::after_first_batch();
    scene.workload().revision = revision("v3");
    scene.workload().projected = false;
    let plan = scene.plan();
    let hold = written(&plan).hold.unwrap();
    let fenced = hold.as_fenced().unwrap();
    assert_eq!((&fenced.revision, fenced.batch), (&revision("v3"), 0));
    assert!(fenced.target.paused);
    assert_eq!(fenced.target.max_unavailable, Percent(20));
    assert!(turns(&plan).contains(&"Escaped"));
}

#[test]
fn a_rollback_of_the_users_is_lifted_in_the_next_write() {
    let mut scene = Scene::after_first_batch();
    let mut fenced = scene.fenced();
    fenced.revision = revision("v1");
    fenced.rollback = true;
    fenced.target.paused = true;
    scene.hold(fenced);
    scene.sets(Sets { update: Some(set("v1", 8)), old: vec![set("v2", 2)] });
    let plan = scene.plan();
    let write = written(&plan);
    assert!(write.hold.is_none() && write.may_write_fields);
    assert_phase(&plan, Phase::RollingBack, "StablePods");
    assert_eq!((&plan.status.update_revision, &plan.status.batch), (&None, &None));

    *scene.status() = plan.status;
    scene.annotate(None);
    scene.workload().fields = fields(&ORIGINAL);
    assert_phase(&scene.publish(), Phase::RollingBack, "StablePods");
    scene.sets(Sets { update: Some(unready("v1", 10)), old: vec![set("v2", 0)] });
    assert_phase(&scene.publish(), Phase::RollingBack, "StablePods");
    scene.sets(Sets { update: Some(set("v1", 10)), old: vec![set("v2", 0)] });
    let plan = scene.plan();
    assert_phase(&plan, Phase::Ready, "");
    assert_eq!(turns(&plan), ["RolledBack"]);
    assert_eq!(plan.actions, [Action::DropTemplate { name: "web-v1".into() }]);
}

#[test]
fn a_rollback_under_the_users_own_pause_says_so() {
    let mut scene = Scene::after_first_batch();
    scene.annotate(None);
    scene.workload().fields = fields(&ORIGINAL);
    scene.own().paused = true;
    scene.workload().revision = revision("v1");
    scene.sets(Sets { update: Some(set("v1", 8)), old: vec![set("v2", 2)] });
    assert_phase(&scene.plan(), Phase::RollingBack, "DeploymentPaused");
}

#[test]
fn at_zero_the_stable_template_comes_back_and_the_update_is_kept() {
    let mut scene = Scene::after_first_batch();
    scene.workload().replicas = 0;
    scene.sets(Sets { update: Some(set("v2", 0)), old: vec![set("v1", 0)] });
    let plan = scene.publish();
    assert_phase(&plan, Phase::Paused, "Promotion"); // not before it is done
    assert!(matches!(&plan.actions[0], Action::KeepTemplate { revision: kept, .. }
        if *kept == revision("v2")));
    let write = written(&plan);
    assert_eq!(write.payload.unwrap().revision, revision("v1"));
    assert!(matches!(&write.hold.unwrap().state,
        HoldState::Barred(bar) if bar.why == Bar::Dormant));
}

fn dormant() -> Scene {
    let mut scene = Scene::after_first_batch();
    scene.keep("v2");
    scene.annotate(Some(Hold::barred(revision("v2"), Bar::Dormant)));
    scene.workload().fields = fields(&ORIGINAL);
    scene.workload().revision = revision("v1");
    scene.workload().replicas = 0;
    scene.sets(Sets { update: Some(set("v1", 0)), old: vec![set("v2", 0)] });
    scene
}

#[test]
fn a_dormant_release_starts_again_with_stable_pods() {
    let mut scene = dormant();
    let plan = scene.publish();
    assert_phase(&plan, Phase::Held, "ScaledToZero");
    assert!(plan.actions.is_empty() && !plan.watch_sets);
    assert_eq!(plan.status.update_revision, Some(revision("v2")));
    scene.workload().replicas = 10;
    scene.sets(Sets { update: Some(unready("v1", 10)), old: vec![set("v2", 0)] });
    let plan = scene.publish();
    assert_phase(&plan, Phase::Held, "StablePods");
    assert!(plan.actions.is_empty() && plan.watch_sets);
    scene.sets(Sets { update: Some(set("v1", 10)), old: vec![set("v2", 0)] });
    let write = written(&scene.plan());
    let fenced = write.hold.as_ref().unwrap().as_fenced().unwrap();
    assert_eq!(*fenced, Fenced::first(revision("v2"), revision("v1"), ORIGINAL));
    assert_eq!(write.payload.unwrap().revision, revision("v2"));
}

#[test]
fn a_dormant_release_can_be_aborted() {
    let mut scene = dormant();
    scene.ask(crds::request::Verb::Abort, "v2", 0);
    let write = written(&scene.plan());
    assert!(matches!(&write.hold.unwrap().state,
        HoldState::Barred(bar) if bar.why == Bar::Rejected));
    scene.ask(crds::request::Verb::Promote, "v2", 1);
    assert!(!scene.plan().status.answer.unwrap().granted);
}

#[test]
fn another_template_under_a_bar_takes_the_bar_off() {
    let mut scene = dormant();
    scene.workload().revision = revision("v4");
    let plan = scene.plan();
    assert_eq!(written(&plan).hold, None);
    // Said once the bar is gone: should the write fail, v2 must not come back over v4.
    assert_eq!(plan.status.stable_revision, Some(revision("v1")));
    scene.workload().hold = Reading::None;
    scene.workload().hold_text = None;
    scene.status().clone_from(&plan.status);
    assert_eq!(scene.plan().status.stable_revision, Some(revision("v4")));
}

#[test]
fn a_barred_template_that_slipped_in_is_put_back() {
    let mut scene = dormant();
    scene.workload().revision = revision("v2");
    scene.workload().replicas = 10;
    let write = written(&scene.plan());
    assert_eq!(write.payload.unwrap().revision, revision("v1"));
}

#[test]
fn a_bar_that_was_not_projected_is_written_again() {
    let mut scene = dormant();
    let before = scene.workload().hold.clone();
    scene.workload().projected = false;
    let write = written(&scene.plan());
    assert_eq!(Reading::Hold(Box::new(write.hold.unwrap())), before);
}

#[test]
fn the_last_batch_is_lifted_when_all_its_pods_are_ready() {
    let mut scene = Scene::after_first_batch();
    let target = Target { paused: false, max_surge: Count(0), max_unavailable: Percent(100) };
    let fenced = Fenced { batch: 3, target, ..scene.fenced() };
    scene.hold(fenced);
    scene.sets(Sets { update: Some(set("v2", 9)), old: vec![set("v1", 1)] });
    assert_phase(&scene.publish(), Phase::Progressing, "Pods");
    scene.sets(Sets { update: Some(set("v2", 10)), old: vec![set("v1", 0)] });
    let plan = scene.plan();
    assert_eq!(written(&plan).hold, None);
    assert_eq!(plan.status, scene.seen.rollout.status, "lifting costs no status write");

    scene.annotate(None);
    scene.workload().fields = fields(&ORIGINAL);
    scene.workload().generation = 8;
    assert!(scene.plan().actions.is_empty(), "the stock controller has not seen it");
    scene.workload().observed_generation = 8;
    scene.sets(Sets { update: Some(set("v2", 10)), old: vec![set("v1", 1)] });
    assert!(scene.plan().actions.is_empty(), "an old pod is left");
    scene.sets(Sets { update: Some(set("v2", 10)), old: vec![set("v1", 0)] });
    let plan = scene.plan();
    assert_phase(&plan, Phase::Ready, "");
    assert_eq!(turns(&plan), ["Released"]);
    assert_eq!(plan.actions, [Action::DropTemplate { name: "web-v1".into() }]);
    assert_eq!(plan.status.stable_revision, Some(revision("v2")));
}

#[test]
fn what_scaling_left_is_moved_back() {
    let mut scene = Scene::after_first_batch();
    scene.sets(Sets { update: Some(set("v2", 10)), old: vec![set("v1", 0)] });
    let resize = |set: &str, uid: &str, was, replicas| Action::ResizeSet {
        set: set.into(),
        uid: uid.into(),
        was,
        replicas,
        desired: 10,
        max: 10,
    };
    assert_eq!(scene.plan().actions, [resize("web-v1", "v1-uid", 0, 3)]);
    scene.sets(Sets { update: Some(set("v2", 10)), old: vec![unready("v1", 3)] });
    assert!(scene.plan().actions.is_empty(), "the old pods have to be ready");
    scene.sets(Sets { update: Some(set("v2", 10)), old: vec![set("v1", 3)] });
    assert_eq!(scene.plan().actions, [resize("web-v2", "v2-uid", 10, 7)]);

    let mut fenced = scene.fenced();
    fenced.original.max_surge = Count(0);
    fenced.original.max_unavailable = Count(2);
    scene.hold(fenced);
    scene.sets(Sets { update: Some(set("v2", 10)), old: vec![set("v1", 0)] });
    let both = [resize("web-v1", "v1-uid", 0, 2), resize("web-v2", "v2-uid", 10, 8)];
    assert_eq!(scene.plan().actions, both);
}

#[test]
fn unknown_sets_stop_a_release_where_it_is() {
    let mut scene = Scene::after_first_batch();
    scene.ask(crds::request::Verb::Promote, "v2", 1);
    scene.publish();
    scene.workload().sets = Fact::Unknown("timeout".into());
    assert!(scene.plan().actions.is_empty());
}
