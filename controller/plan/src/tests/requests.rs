//! What a human asks for, granted or refused.

use crds::hold::Bar;
use crds::request::Verb;
use crds::status::{Answer, Phase};
use crds::{Hold, HoldState};

use super::scene::*;
use crate::observed::{Fact, Sets};
use crate::{Action, Plan, STALLED, TemplateFrom};

fn answer(plan: &Plan) -> &Answer {
    plan.status.answer.as_ref().unwrap()
}

#[track_caller]
fn assert_refused(plan: &Plan, words: &str) {
    let Answer { granted, message, .. } = answer(plan);
    assert!(!granted && message.contains(words), "{granted}: {message}");
    assert!(turns(plan).contains(&"RequestRefused"));
}

#[test]
fn promote_is_on_record_before_a_pod_moves() {
    let mut scene = Scene::after_first_batch();
    scene.ask(Verb::Promote, "v2", 1);
    let plan = scene.plan();
    assert!(plan.actions.is_empty() && answer(&plan).granted);
    assert_eq!(answer(&plan).by.as_deref(), Some("alice"));
    let plan = scene.publish();
    assert_eq!(written(&plan).hold.unwrap().as_fenced().unwrap().batch, 2);
}

#[test]
fn a_request_is_answered_once() {
    let mut scene = Scene::after_first_batch();
    scene.ask(Verb::Pause, "v2", 1);
    scene.publish();
    let answered = scene.status().answer.clone();
    scene.later(60);
    assert_eq!(scene.plan().status.answer, answered);
}

#[test]
fn a_late_promote_says_what_changed() {
    let mut scene = Scene::after_first_batch();
    scene.ask(Verb::Promote, "v2", 2);
    assert_refused(&scene.plan(), "at batch 1 now");
    scene.ask(Verb::Promote, "v0", 1);
    assert_refused(&scene.plan(), "the release is of v2 now");
    scene.ask(Verb::PromoteFull, "v2", 2);
    assert_refused(&scene.plan(), "at batch 1 now");
    scene.seen.rollout.spec.paused = true;
    scene.ask(Verb::Promote, "v2", 1);
    assert_refused(&scene.plan(), "spec.paused");
}

#[test]
fn a_promote_before_the_pods_are_ready_takes_the_pause_away() {
    let mut scene = Scene::in_first_batch();
    scene.ask(Verb::Promote, "v2", 1);
    let plan = scene.publish();
    assert!(answer(&plan).granted && plan.actions.is_empty());
    scene.sets(Sets { update: Some(set("v2", 2)), old: vec![set("v1", 8)] });
    assert_eq!(written(&scene.plan()).hold.unwrap().as_fenced().unwrap().batch, 2);
}

#[test]
fn promote_full_skips_pauses_and_not_readiness() {
    let mut scene = Scene::in_first_batch();
    scene.seen.rollout.spec.strategy.batches[1] = manual(crds::IntOrPercent::Percent(50));
    scene.ask(Verb::PromoteFull, "v2", 0);
    assert!(scene.publish().actions.is_empty());
    scene.sets(Sets { update: Some(set("v2", 2)), old: vec![set("v1", 8)] });
    let hold = written(&scene.plan()).hold.unwrap();
    scene.hold(hold.as_fenced().unwrap().clone());
    let plan = scene.publish();
    assert_eq!(plan.status.batch.as_ref().map(|batch| (batch.index, batch.full)), Some((2, true)));
    scene.sets(Sets { update: Some(set("v2", 5)), old: vec![set("v1", 5)] });
    assert_eq!(written(&scene.plan()).hold.unwrap().as_fenced().unwrap().batch, 3);
}

#[test]
fn pause_and_resume() {
    let mut scene = Scene::in_first_batch();
    scene.seen.rollout.spec.strategy.batches[0] = batch(crds::IntOrPercent::Percent(20));
    scene.status().batch.as_mut().unwrap().definition = None;
    scene.ask(Verb::Pause, "v2", 1);
    assert!(answer(&scene.publish()).granted);
    scene.sets(Sets { update: Some(set("v2", 2)), old: vec![set("v1", 8)] });
    let plan = scene.publish();
    assert_phase(&plan, Phase::Paused, "Paused");
    assert!(plan.status.waiting_for.as_ref().unwrap().message.contains("alice"));
    scene.ask(Verb::Resume, "v2", 1);
    let plan = scene.publish();
    assert_eq!(written(&plan).hold.unwrap().as_fenced().unwrap().batch, 2);
}

#[test]
fn resume_of_what_nobody_paused_names_the_cure() {
    let mut scene = Scene::after_first_batch();
    scene.ask(Verb::Resume, "v2", 1);
    assert_refused(&scene.plan(), "promote");
    let mut scene = Scene::in_first_batch();
    scene.ask(Verb::Resume, "v2", 1);
    assert_refused(&scene.plan(), "not paused");
}

#[test]
fn promote_takes_a_humans_pause_back() {
    let mut scene = Scene::after_first_batch();
    scene.ask(Verb::Pause, "v2", 1);
    scene.publish();
    scene.ask(Verb::Promote, "v2", 1);
    let plan = scene.publish();
    assert_eq!(plan.status.paused, None);
    assert_eq!(written(&plan).hold.unwrap().as_fenced().unwrap().batch, 2);
}

#[test]
fn requests_at_rest_are_refused() {
    let mut scene = Scene::at_rest();
    for verb in [Verb::Promote, Verb::PromoteFull, Verb::Pause, Verb::Resume, Verb::Abort] {
        scene.ask(verb, "v1", 0);
        assert_refused(&scene.plan(), "there is no release");
    }
    scene.ask(Verb::Retry, "v1", 0);
    assert_refused(&scene.plan(), "there is no release");
}

#[test]
fn abort_brings_the_stable_template_and_is_answered_when_seen() {
    let mut scene = Scene::after_first_batch();
    scene.ask(Verb::Abort, "v2", 0);
    let plan = scene.plan();
    assert_phase(&plan, Phase::Aborting, "StablePods");
    let write = written(&plan);
    assert!(matches!(&write.hold.as_ref().unwrap().state,
        HoldState::Barred(barred) if barred.revision == revision("v2")));
    let payload = write.payload.unwrap();
    assert_eq!(payload.revision, revision("v1"));
    assert_eq!(payload.from, TemplateFrom::Kept("web-v1".into()));
    assert!(write.may_write_fields && plan.status.answer.is_none());

    let plan = barred(&mut scene);
    assert!(answer(&plan).granted);
    assert_eq!(plan.status.failure.as_deref(), Some("aborted by alice"));
    assert_phase(&plan, Phase::Aborting, "StablePods");
}

/// v2 was taken back; its pods are still there.
fn barred(scene: &mut Scene) -> Plan {
    scene.annotate(Some(Hold::barred(revision("v2"), Bar::Rejected)));
    scene.workload().fields = fields(&ORIGINAL);
    scene.workload().revision = revision("v1");
    scene.sets(Sets { update: Some(set("v1", 8)), old: vec![set("v2", 2)] });
    scene.publish()
}

/// All pods are of v1 again.
fn rejected() -> Scene {
    let mut scene = Scene::after_first_batch();
    scene.ask(Verb::Abort, "v2", 0);
    scene.publish();
    barred(&mut scene);
    scene.sets(Sets { update: Some(set("v1", 10)), old: vec![set("v2", 0)] });
    scene.publish();
    scene.seen.kept = Fact::Known(Vec::new());
    scene.keep("v2");
    scene.seen.rollout.request = None;
    scene
}

#[test]
fn after_an_abort_the_rollout_is_stalled_until_something_else_comes() {
    let mut scene = rejected();
    let plan = scene.publish();
    assert_phase(&plan, Phase::Rejected, "Rejected");
    assert!(is(&plan, STALLED) && !plan.watch_sets && plan.actions.is_empty());
    assert_eq!(plan.status.rejected_revision, Some(revision("v2")));
    assert!(plan.status.waiting_for.unwrap().message.contains("aborted by alice"));
}

#[test]
fn an_abort_first_keeps_the_template_and_does_not_insist() {
    let mut scene = Scene::after_first_batch();
    scene.ask(Verb::Abort, "v2", 0);
    let plan = scene.plan();
    assert!(matches!(plan.actions[0], Action::KeepTemplate { .. }));
    *scene.status() = plan.status;
    assert!(matches!(scene.plan().actions[0], Action::WriteHold(_)));
}

#[test]
fn an_abort_needs_neither_sets_nor_a_projected_hold() {
    let mut scene = Scene::after_first_batch();
    scene.ask(Verb::Abort, "v2", 0);
    scene.workload().sets = Fact::Unknown("timeout".into());
    scene.workload().projected = false;
    assert!(written(&scene.plan()).payload.is_some());
}

#[test]
fn an_abort_without_a_template_says_so() {
    let mut scene = Scene::after_first_batch();
    scene.ask(Verb::Abort, "v2", 0);
    scene.seen.kept = Fact::Known(Vec::new());
    scene.sets(Sets { update: Some(set("v2", 2)), old: Vec::new() });
    assert_phase(&scene.plan(), Phase::Aborting, "StableTemplateLost");
    scene.workload().sets = Fact::Unknown("timeout".into());
    assert_phase(&scene.plan(), Phase::Aborting, "FactsUnknown");
}

#[test]
fn retry_brings_the_rejected_template_held() {
    let mut scene = rejected();
    scene.ask(Verb::Retry, "v2", 0);
    let plan = scene.plan();
    let write = written(&plan);
    let fenced = write.hold.as_ref().unwrap().as_fenced().unwrap().clone();
    assert_eq!((fenced.batch, fenced.target.paused), (0, true));
    assert_eq!((&fenced.stable, fenced.original), (&revision("v1"), ORIGINAL));
    assert_eq!(write.payload.unwrap().from, TemplateFrom::Kept("web-v2".into()));
    scene.hold(fenced);
    scene.sets(Sets { update: Some(set("v2", 0)), old: vec![set("v1", 10)] });
    let plan = scene.plan();
    assert!(answer(&plan).granted);
    assert_phase(&plan, Phase::Progressing, "Pods");
    assert_eq!(plan.status.rejected_revision, None);
}

#[test]
fn retry_of_a_template_that_is_gone_lifts_the_bar() {
    let mut scene = rejected();
    scene.seen.kept = Fact::Known(Vec::new());
    scene.sets(Sets { update: Some(set("v1", 10)), old: Vec::new() });
    scene.ask(Verb::Retry, "v2", 0);
    let plan = scene.plan();
    assert_eq!(written(&plan).hold, None);
    assert!(turns(&plan).contains(&"TemplateLost"));
    scene.annotate(None);
    let plan = scene.plan();
    assert!(answer(&plan).granted && answer(&plan).message.contains("apply it again"));
    assert_phase(&plan, Phase::Ready, "");
}

#[test]
fn retry_looks_into_the_sets_before_it_gives_a_template_up() {
    let mut scene = rejected();
    scene.seen.kept = Fact::Known(Vec::new());
    scene.workload().sets = Fact::Unknown("not watched".into());
    scene.ask(Verb::Retry, "v2", 0);
    let plan = scene.plan();
    assert!(
        plan.actions.is_empty()
            && plan.watch_sets
            && plan.status.answer.is_some_and(|answer| answer.verb == Verb::Abort)
    );
}

#[test]
fn other_requests_after_an_abort_are_refused() {
    let mut scene = rejected();
    scene.ask(Verb::Promote, "v2", 1);
    assert_refused(&scene.plan(), "retry");
    scene.ask(Verb::Retry, "v3", 0);
    assert_refused(&scene.plan(), "the rejected one is v2");
    scene.workload().replicas = 0;
    scene.ask(Verb::Retry, "v2", 0);
    assert_refused(&scene.plan(), "scaled to zero");
}
