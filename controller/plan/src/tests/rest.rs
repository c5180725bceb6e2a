//! Outside a release: arming, refusals, escapes, deletion.

use crds::status::Phase;
use crds::{Fenced, Hold};

use super::scene::*;
use crate::observed::{Fact, Strategy};
use crate::{ARMED, Action, READY, RECONCILING, STALLED};

#[test]
fn at_rest_nothing_is_written() {
    let mut scene = Scene::at_rest();
    let plan = scene.publish();
    assert_phase(&plan, Phase::Ready, "");
    assert!(plan.actions.is_empty() && plan.wake.is_none() && !plan.watch_sets);
    assert!(is(&plan, ARMED) && is(&plan, READY) && !is(&plan, RECONCILING));
    scene.later(3600);
    assert_eq!(scene.plan().status, *scene.status());
}

#[test]
fn scaling_at_rest_writes_nothing() {
    let mut scene = Scene::at_rest();
    scene.workload().replicas = 20;
    scene.workload().generation = 8;
    scene.workload().sets = Fact::Unknown("not watched".into());
    let plan = scene.plan();
    assert!(plan.actions.is_empty());
    assert_eq!(plan.status, *scene.status());
}

#[test]
fn a_missing_workload_is_waited_for() {
    let mut scene = Scene::at_rest();
    *scene.status() = Default::default();
    scene.seen.workload = Fact::Absent;
    let plan = scene.plan();
    assert_phase(&plan, Phase::Pending, "WorkloadMissing");
    assert!(plan.actions.is_empty() && is(&plan, RECONCILING) && !is(&plan, ARMED));
}

#[test]
fn an_unknown_workload_changes_nothing() {
    let mut scene = Scene::after_first_batch();
    let before = scene.status().clone();
    scene.seen.workload = Fact::Unknown("timeout".into());
    scene.seen.unsettled_since = Some(scene.now);
    let plan = scene.plan();
    assert!(plan.actions.is_empty());
    assert_eq!(plan.status.waiting_for, before.waiting_for);
    assert_eq!(plan.status.phase, before.phase);
    scene.later(10);
    assert_eq!(waits(&scene.plan()), "WorkloadUnknown");
}

#[test]
fn arming_is_the_finalizer_then_the_labels_then_reading_them_back() {
    let mut scene = Scene::at_rest();
    *scene.status() = Default::default();
    scene.seen.rollout.has_finalizer = false;
    scene.workload().armed = false;
    let plan = scene.publish();
    let arm = Action::Arm { uid: "web-uid".into() };
    assert_eq!(plan.actions, [Action::AddFinalizer, arm]);
    assert_phase(&plan, Phase::Pending, "Arming");
    scene.workload().armed = true;
    scene.seen.rollout.has_finalizer = true;
    let plan = scene.plan();
    assert_phase(&plan, Phase::Ready, "");
    assert_eq!(turns(&plan), ["Armed"]);
    assert_eq!(plan.status.stable_revision, Some(revision("v1")));
}

#[test]
fn an_older_rollout_has_the_workload() {
    let mut scene = Scene::at_rest();
    *scene.status() = Default::default();
    scene.workload().armed = false;
    scene.seen.rollout.rival = Some("first".into());
    let plan = scene.plan();
    assert_phase(&plan, Phase::Stalled, "AnotherRollout");
    assert!(plan.actions.is_empty() && is(&plan, STALLED));
    assert!(plan.status.waiting_for.unwrap().message.contains("first"));
}

#[test]
fn recreate_is_never_touched() {
    for armed in [false, true] {
        let mut scene = Scene::at_rest();
        scene.workload().armed = armed;
        scene.own().strategy = Strategy::Recreate;
        let plan = scene.plan();
        assert_phase(&plan, Phase::Stalled, "RecreateStrategy");
        assert!(plan.actions.is_empty() && is(&plan, STALLED));
    }
}

#[test]
fn back_from_recreate_the_live_template_is_stable() {
    let mut scene = Scene::at_rest();
    scene.own().strategy = Strategy::Recreate;
    scene.publish();
    scene.workload().revision = revision("v2");
    scene.publish();
    scene.workload().fields = fields(&ORIGINAL);
    let plan = scene.plan();
    assert_phase(&plan, Phase::Ready, "");
    assert_eq!(plan.status.stable_revision, Some(revision("v2")));
    assert_eq!(turns(&plan), ["Armed"]);
}

#[test]
fn a_template_that_came_unheld_is_told_and_taken_as_stable() {
    let mut scene = Scene::at_rest();
    scene.workload().revision = revision("v2");
    let plan = scene.plan();
    assert_phase(&plan, Phase::Ready, "");
    assert_eq!(plan.status.stable_revision, Some(revision("v2")));
    assert_eq!(plan.events[0].reason, "Escaped");
    assert!(plan.events[0].warning);
}

#[test]
fn at_zero_replicas_a_change_is_complete_at_once() {
    let mut scene = Scene::at_rest();
    scene.workload().replicas = 0;
    scene.workload().revision = revision("v2");
    let plan = scene.plan();
    assert_phase(&plan, Phase::Ready, "");
    assert_eq!(plan.status.stable_revision, Some(revision("v2")));
    assert!(!turns(&plan).contains(&"Escaped"));
}

#[test]
fn a_workload_without_our_labels_is_armed_again() {
    let mut scene = Scene::after_first_batch();
    scene.annotate(None);
    scene.workload().fields = fields(&ORIGINAL);
    scene.workload().armed = false;
    let plan = scene.plan();
    assert_eq!(plan.actions, [Action::Arm { uid: "web-uid".into() }]);
    assert_phase(&plan, Phase::Pending, "Arming");
    assert_eq!(turns(&plan), ["WorkloadReplaced"]);
    assert_eq!((&plan.status.batch, &plan.status.stable_revision), (&None, &None));
}

#[test]
fn labels_that_were_stripped_in_a_release_cost_nothing_of_it() {
    let mut scene = Scene::after_first_batch();
    let batch = scene.status().batch.clone();
    scene.workload().armed = false;
    let plan = scene.plan();
    assert_eq!(plan.actions, [Action::Arm { uid: "web-uid".into() }]);
    assert_eq!(plan.status.batch, batch);
    assert!(!is(&plan, ARMED));
}

#[test]
fn kept_templates_are_dropped_at_rest() {
    let mut scene = Scene::at_rest();
    scene.keep("v0");
    assert_eq!(scene.plan().actions, [Action::DropTemplate { name: "web-v0".into() }]);
    scene.seen.kept = Fact::Unknown("timeout".into());
    assert!(scene.plan().actions.is_empty());
}

#[test]
fn deletion_at_rest_gives_the_workload_back() {
    let mut scene = Scene::at_rest();
    scene.seen.rollout.deleting = true;
    let plan = scene.plan();
    let disarm = Action::Disarm { uid: "web-uid".into() };
    assert_eq!(plan.actions, [disarm, Action::RemoveFinalizer]);
    assert_phase(&plan, Phase::Terminating, "Disarming");
    scene.seen.rollout.has_finalizer = false;
    assert!(scene.plan().actions.is_empty());
}

#[test]
fn deletion_without_a_workload_is_the_finalizer_alone() {
    let mut scene = Scene::at_rest();
    scene.seen.rollout.deleting = true;
    scene.seen.workload = Fact::Absent;
    assert_eq!(scene.plan().actions, [Action::RemoveFinalizer]);
    scene.seen.workload = Fact::Unknown("timeout".into());
    assert!(scene.plan().actions.is_empty());
}

#[test]
fn deletion_of_a_rival_leaves_the_workload_to_the_older_one() {
    let mut scene = Scene::at_rest();
    scene.seen.rollout.deleting = true;
    scene.seen.rollout.rival = Some("first".into());
    assert_eq!(scene.plan().actions, [Action::RemoveFinalizer]);
}

#[test]
fn deletion_takes_a_bar_off_first_and_lets_the_copies_of_it_pass() {
    let mut scene = Scene::at_rest();
    scene.seen.rollout.deleting = true;
    scene.annotate(Some(Hold::barred(revision("v2"), crds::hold::Bar::Rejected)));
    let plan = scene.publish();
    assert_eq!(written(&plan).hold, None);
    scene.annotate(None);
    let plan = scene.publish();
    assert!(plan.actions.is_empty());
    scene.now = plan.wake.unwrap();
    assert!(scene.plan().actions.contains(&Action::RemoveFinalizer));
}

#[test]
fn deletion_in_a_release_goes_on_with_it() {
    let mut scene = Scene::in_first_batch();
    scene.seen.rollout.deleting = true;
    let plan = scene.plan();
    assert_phase(&plan, Phase::Progressing, "Pods");
    assert!(plan.actions.is_empty());
}

#[test]
fn a_rollout_made_in_mid_release_goes_on_from_the_hold_alone() {
    let mut scene = Scene::after_first_batch();
    *scene.status() = Default::default();
    let hold: Fenced = scene.fenced();
    let plan = scene.publish();
    assert_phase(&plan, Phase::Paused, "Promotion");
    assert_eq!(plan.status.stable_revision, Some(hold.stable));
    assert_eq!(plan.status.step.as_deref(), Some("1/3"));
}

#[test]
fn in_a_namespace_that_admission_leaves_alone_nothing_is_armed() {
    let mut scene = Scene::at_rest();
    *scene.status() = Default::default();
    scene.seen.rollout.namespace = "kube-system".into();
    scene.seen.rollout.exempt = true;
    scene.workload().armed = false;
    for workload in [scene.seen.workload.clone(), Fact::Absent, Fact::Unknown("timeout".into())] {
        scene.seen.workload = workload;
        let plan = scene.plan();
        assert_phase(&plan, Phase::Stalled, "NamespaceExempt");
        assert!(is(&plan, STALLED) && !is(&plan, ARMED) && plan.actions.is_empty());
        let said = plan.status.waiting_for.unwrap().message;
        assert!(said.contains("kube-system") && said.contains("delete this Rollout"), "{said}");
    }
}

#[test]
fn what_was_armed_in_such_a_namespace_is_given_back() {
    let mut scene = Scene::at_rest();
    scene.seen.rollout.exempt = true;
    let plan = scene.publish();
    assert_eq!(plan.actions, [Action::Disarm { uid: "web-uid".into() }]);
    assert!(!is(&plan, ARMED));
    scene.workload().armed = false;
    assert!(scene.plan().actions.is_empty());
    scene.seen.rollout.deleting = true;
    assert!(scene.plan().actions.contains(&Action::RemoveFinalizer));
}
