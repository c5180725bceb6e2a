//! An armed workload that no Rollout names.

use crds::contract::FENCE_MIN_READY_SECONDS;
use crds::hold::{Bar, Reading};
use crds::{Hold, Revision};

use super::scene::*;
use crate::WriteHold;
use crate::orphan::{GiveBack, give_back};

#[track_caller]
fn lift(workload: &crate::observed::Workload) -> WriteHold {
    match give_back(workload) {
        GiveBack::Lift(write) => *write,
        other => panic!("{other:?}"),
    }
}

#[test]
fn at_rest_only_the_labels_go() {
    let disarm = GiveBack::Disarm { uid: "web-uid".into() };
    assert_eq!(give_back(Scene::at_rest().workload()), disarm);
}

#[test]
fn a_hold_is_lifted_first_whether_a_webhook_answers_or_not() {
    let bar = Hold::barred(Revision::from("bbbbbbbbbb"), Bar::Rejected);
    let mut barred = Scene::at_rest();
    barred.annotate(Some(bar));
    let mut unreadable = Scene::at_rest();
    unreadable.workload().hold = Reading::Malformed("no hold".into());
    unreadable.workload().hold_text = Some("{".into());
    for mut scene in [Scene::after_first_batch(), barred, unreadable] {
        let text = scene.workload().hold_text.clone();
        let write = lift(scene.workload());
        assert!(write.hold.is_none() && write.may_write_fields && text.is_some());
        assert_eq!(write.was, text);
    }
}

#[test]
fn the_labels_stay_until_the_stock_controller_knows_of_the_lift() {
    let mut scene = Scene::at_rest();
    scene.workload().generation += 1;
    assert_eq!(give_back(scene.workload()), GiveBack::Wait);
}

#[test]
fn what_nobody_can_tell_is_left_alone_with_its_labels() {
    let mut bare = Scene::at_rest();
    bare.own().min_ready_seconds = FENCE_MIN_READY_SECONDS;
    let mut unreadable = Scene::at_rest();
    unreadable.own().min_ready_seconds = FENCE_MIN_READY_SECONDS;
    unreadable.workload().hold = Reading::Malformed("no hold".into());
    let mut newer = Scene::at_rest();
    newer.workload().hold = Reading::Newer(9);
    for (mut scene, cure) in [(bare, "release-hold"), (unreadable, "release-hold"), (newer, "9")] {
        match give_back(scene.workload()) {
            GiveBack::Leave(why) => assert!(why.contains(cure), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}
