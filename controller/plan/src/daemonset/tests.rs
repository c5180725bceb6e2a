//! The pods of a DaemonSet for single states.

use crds::request::Verb;
use crds::rollout::WorkloadRef;
use crds::status::Phase;
use crds::{Hold, HoldState, IntOrPercent, UpdateType, Updating, Withheld};

use crate::action::{Action, Plan};
use crate::observed::{DaemonSet, DaemonSetFields, Live, NumberedRevision, Pod};
use crate::tests::scene::{Scene, assert_phase, batch, manual, now, revision, written};

const OWN: Updating = Updating { by: UpdateType::RollingUpdate };

/// Five nodes with v1 at rest; batches of two until promoted, 80 %, 100 %.
fn at_rest() -> Scene {
    let mut scene = Scene::at_rest();
    let spec = &mut scene.seen.rollout.spec;
    spec.workload_ref =
        WorkloadRef { api_version: "apps/v1".into(), kind: "DaemonSet".into(), name: "web".into() };
    let (count, percent) = (IntOrPercent::Count, IntOrPercent::Percent);
    spec.strategy.batches = vec![manual(count(2)), batch(percent(80)), batch(percent(100))];
    scene.workload().fields = Live::DaemonSet(DaemonSet {
        fields: DaemonSetFields { by: UpdateType::RollingUpdate },
        nodes: 5,
        misscheduled: 0,
        max_unavailable: count(1),
        max_surge: count(0),
        min_ready_seconds: 0,
    });
    scene.seen.rollout.status = Default::default();
    pods(&mut scene, &["v1"; 5]);
    scene.seen.rollout.status = scene.plan().status;
    scene
}

fn live(scene: &mut Scene) -> &mut DaemonSet {
    match &mut scene.workload().fields {
        Live::DaemonSet(live) => live,
        other => panic!("no daemonset: {other:?}"),
    }
}

/// The pods: a version, with `!` for one that is not ready and `?` for one that has just become so.
fn pods(scene: &mut Scene, words: &[&str]) {
    let named = |(index, word): (usize, &&str)| {
        let ago = if word.ends_with('?') { 1 } else { 60 };
        let since = now().checked_sub(jiff::Span::new().seconds(ago)).unwrap();
        let pod = Pod {
            name: format!("web-{index}"),
            uid: format!("uid-{index}"),
            resource_version: "7".into(),
            ready_since: (!word.ends_with('!')).then_some(since),
            trouble: None,
        };
        (word.trim_end_matches(['!', '?']).to_owned(), pod)
    };
    let pods: Vec<_> = words.iter().enumerate().map(named).collect();
    let one = |(number, name): (i64, &str)| NumberedRevision {
        name: format!("web-{name}"),
        uid: format!("{name}-uid"),
        resource_version: "11".into(),
        number,
        revision: revision(name),
    };
    let revisions = [(1, "v1"), (2, "v2"), (3, "v3")].map(one).to_vec();
    let template = scene.workload().revision.clone();
    let seen = live(scene).clone();
    scene.workload().replicas = seen.nodes;
    scene.workload().sets = seen.sets(&template, revisions, pods);
}

fn hold(scene: &mut Scene, held: Withheld) {
    live(scene).fields.by = held.target.by;
    scene.workload().revision = held.revision.clone();
    scene.annotate(Some(Hold::of_release(HoldState::Withheld(held))));
}

fn held_at(batch: u32) -> Withheld {
    Withheld { batch, ..Withheld::first(revision("v2"), revision("v1"), OWN) }
}

/// v2 over v1 in this batch, with these pods, and the status says so.
fn in_batch(number: u32, words: &[&str]) -> Scene {
    let mut scene = at_rest();
    hold(&mut scene, held_at(0));
    scene.keep("v1");
    pods(&mut scene, &["v1"; 5]);
    scene.publish();
    for batch in 1..=number {
        hold(&mut scene, held_at(batch));
        pods(&mut scene, words);
        scene.status().batch.as_mut().unwrap().promoted = batch < number;
        scene.publish();
    }
    scene
}

#[track_caller]
fn batch_of(plan: &Plan) -> u32 {
    match written(plan).hold.unwrap().state {
        HoldState::Withheld(held) => held.batch,
        other => panic!("{other:?}"),
    }
}

fn deleted(plan: &Plan) -> Vec<&str> {
    fn name(action: &Action) -> Option<&str> {
        match action {
            Action::DeletePod { pod, .. } => Some(pod),
            _ => None,
        }
    }
    plan.actions.iter().filter_map(name).collect()
}

#[test]
fn a_release_is_announced_before_a_pod_goes() {
    let mut scene = at_rest();
    hold(&mut scene, held_at(0));
    scene.keep("v1");
    let plan = scene.publish();
    assert_phase(&plan, Phase::Progressing, "Pods");
    assert_eq!(plan.status.original_strategy, Some(UpdateType::RollingUpdate));
    assert_eq!((batch_of(&plan), deleted(&plan).len()), (1, 0));
}

#[test]
fn a_batch_takes_one_pod_at_a_time() {
    let scene = in_batch(1, &["v1"; 5]);
    assert_eq!(deleted(&scene.plan()), ["web-0"]);
    // Gone, and the new one not there yet; then there and not ready; then ready.
    for words in [&["v1"; 4][..], &["v1", "v1", "v1", "v1", "v2!"]] {
        assert!(deleted(&in_batch(1, words).plan()).is_empty(), "{words:?}");
    }
    let words = ["v1", "v1", "v1", "v1", "v2"];
    assert_eq!(deleted(&in_batch(1, &words).plan()), ["web-0"]);
    let plan = in_batch(1, &["v1", "v1", "v1", "v2", "v2"]).plan();
    assert_phase(&plan, Phase::Paused, "Promotion");
    assert!(plan.actions.is_empty());
}

#[test]
fn the_users_max_unavailable_is_how_many_go_at_once() {
    // Thirty per cent of five are rounded up, and none is one.
    for (own, most) in [
        (IntOrPercent::Count(3), 2),
        (IntOrPercent::Percent(30), 2),
        (IntOrPercent::Percent(20), 1),
        (IntOrPercent::Count(0), 1),
    ] {
        let mut scene = in_batch(1, &["v1"; 5]);
        live(&mut scene).max_unavailable = own;
        assert_eq!(deleted(&scene.plan()).len(), most, "{own}");
    }
}

#[test]
fn broken_pods_go_first_and_cost_nothing() {
    let scene = in_batch(1, &["v1", "v1", "v1!", "v1", "v1!"]);
    assert_eq!(deleted(&scene.plan()), ["web-2", "web-4"]);
    let scene = in_batch(1, &["v1", "v1", "v1!", "v1", "v1"]);
    assert_eq!(deleted(&scene.plan()), ["web-2"]);
}

#[test]
fn min_ready_seconds_count_for_new_pods() {
    let mut scene = in_batch(1, &["v1", "v1", "v1", "v1", "v2?"]);
    live(&mut scene).min_ready_seconds = 10;
    let plan = scene.plan();
    assert!(deleted(&plan).is_empty());
    assert!(plan.wake.is_some());
}

#[test]
fn an_overtaken_version_goes_before_the_stable_one() {
    let mut scene = at_rest();
    hold(&mut scene, held_at(0));
    scene.keep("v1");
    pods(&mut scene, &["v1"; 5]);
    scene.publish();
    let third = Withheld { revision: revision("v3"), ..held_at(0) };
    hold(&mut scene, third.clone());
    pods(&mut scene, &["v1", "v1", "v1", "v2", "v2"]);
    scene.publish();
    scene.publish();
    hold(&mut scene, Withheld { batch: 1, ..third });
    pods(&mut scene, &["v1", "v1", "v1", "v2", "v2"]);
    assert_eq!(deleted(&scene.publish()), ["web-3"]);
}

#[test]
fn the_pod_of_a_new_node_counts_and_none_is_moved_back() {
    let mut scene = in_batch(1, &["v1", "v1", "v1", "v1", "v1", "v2"]);
    live(&mut scene).nodes = 6;
    scene.workload().replicas = 6;
    assert_eq!(deleted(&scene.plan()), ["web-0"]);
    let mut scene = in_batch(1, &["v1", "v1", "v1", "v2", "v2", "v2"]);
    live(&mut scene).nodes = 6;
    scene.workload().replicas = 6;
    let plan = scene.plan();
    assert_phase(&plan, Phase::Paused, "Promotion");
    assert!(plan.actions.is_empty());
}

#[test]
fn a_pod_of_a_closed_node_hides_no_missing_one() {
    let mut scene = in_batch(2, &["v1", "v1", "v1", "v2", "v2"]);
    live(&mut scene).misscheduled = 1;
    assert!(deleted(&scene.plan()).is_empty());
}

#[test]
fn nothing_goes_before_the_nodes_are_counted() {
    let mut scene = in_batch(1, &["v1"; 5]);
    scene.workload().generation += 1;
    assert!(scene.plan().actions.is_empty());
}

#[test]
fn a_promote_goes_on() {
    let mut scene = in_batch(1, &["v1", "v1", "v1", "v2", "v2"]);
    scene.ask(Verb::Promote, "v2", 1);
    scene.publish();
    assert_eq!(batch_of(&scene.plan()), 2);
}

#[test]
fn the_last_batch_takes_all_and_its_end_is_the_lift() {
    let scene = in_batch(3, &["v1", "v2", "v2", "v2", "v2"]);
    assert_eq!(deleted(&scene.plan()), ["web-0"]);
    let scene = in_batch(3, &["v2"; 5]);
    assert!(written(&scene.plan()).hold.is_none());
}

#[test]
fn a_failed_release_takes_no_more_pods() {
    let mut scene = in_batch(1, &["v1", "v1", "v1", "v1", "v2"]);
    scene.status().phase = Phase::Failed;
    scene.status().failure = Some("too slow".into());
    let plan = scene.plan();
    assert_phase(&plan, Phase::Failed, "Failed");
    assert!(plan.actions.is_empty());
}

#[test]
fn an_abort_is_one_write_and_the_rest_is_the_stock_controllers() {
    let words = ["v1", "v1", "v1", "v2", "v2"];
    let mut scene = in_batch(1, &words);
    scene.ask(Verb::Abort, "v2", 1);
    let write = written(&scene.plan());
    assert!(write.payload.is_some() && write.may_write_fields);
    scene.publish();
    live(&mut scene).fields.by = UpdateType::RollingUpdate;
    scene.workload().revision = revision("v1");
    scene.annotate(write.hold);
    pods(&mut scene, &words);
    let plan = scene.publish();
    assert_phase(&plan, Phase::Aborting, "StablePods");
    assert!(deleted(&plan).is_empty());
    pods(&mut scene, &["v1"; 5]);
    assert_phase(&scene.publish(), Phase::Rejected, "Rejected");
}

#[test]
fn a_lost_hold_is_made_again_from_the_status() {
    let mut scene = in_batch(1, &["v1", "v1", "v1", "v2", "v2"]);
    scene.annotate(None);
    assert_eq!(batch_of(&scene.plan()), 1);
}

#[test]
fn a_write_past_the_webhook_is_repeated_at_once() {
    let mut scene = in_batch(1, &["v1"; 5]);
    live(&mut scene).fields.by = UpdateType::RollingUpdate;
    scene.workload().generation += 1;
    scene.workload().projected = false;
    let plan = scene.plan();
    assert_eq!((batch_of(&plan), deleted(&plan).len()), (1, 0));
}

#[test]
fn a_surge_that_is_not_kept_is_said_once() {
    let mut scene = at_rest();
    live(&mut scene).max_surge = IntOrPercent::Percent(10);
    live(&mut scene).max_unavailable = IntOrPercent::Count(0);
    hold(&mut scene, held_at(0));
    scene.keep("v1");
    pods(&mut scene, &["v1"; 5]);
    let said =
        |plan: &Plan| plan.events.iter().filter(|turn| turn.reason == "SurgeNotKept").count();
    let first = scene.plan();
    scene.publish();
    assert_eq!((said(&first), said(&scene.plan())), (1, 0));
}

#[test]
fn the_users_own_on_delete_is_refused() {
    let mut scene = at_rest();
    live(&mut scene).fields.by = UpdateType::OnDelete;
    let plan = scene.plan();
    assert_phase(&plan, Phase::Stalled, "OnDeleteStrategy");
    assert!(plan.actions.is_empty());
}

#[test]
fn while_there_are_more_pods_than_nodes_none_goes() {
    let mut scene = in_batch(1, &["v1"; 5]);
    live(&mut scene).nodes = 4;
    scene.workload().replicas = 4;
    assert!(scene.seen.is_unsettled());
    assert!(deleted(&scene.plan()).is_empty());
    // What is on a closed node is known to be there.
    live(&mut scene).misscheduled = 1;
    assert_eq!(deleted(&scene.plan()), ["web-0"]);
}
