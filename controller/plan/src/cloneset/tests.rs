//! The partition of a CloneSet for single states.

use crds::request::Verb;
use crds::rollout::WorkloadRef;
use crds::status::Phase;
use crds::{Hold, HoldState, IntOrPercent, Kept, Portion, Portioned};

use crate::action::{Action, Plan};
use crate::observed::{CloneSet, CloneSetFields, Live, NumberedRevision, Pod};
use crate::tests::scene::{Scene, assert_phase, batch, manual, now, revision, written};

const OWN: Kept = Kept::Pods(0);

fn kept(text: &str) -> Kept {
    text.parse().unwrap()
}

/// Ten pods of v1 at rest, of a CloneSet with this partition of the user's own.
fn at_rest(own: Kept) -> Scene {
    let mut scene = Scene::at_rest();
    let spec = &mut scene.seen.rollout.spec;
    spec.workload_ref = WorkloadRef {
        api_version: "apps.kruise.io/v1alpha1".into(),
        kind: "CloneSet".into(),
        name: "web".into(),
    };
    let percent = IntOrPercent::Percent;
    spec.strategy.batches = vec![manual(percent(20)), batch(percent(50)), batch(percent(100))];
    scene.workload().fields = Live::CloneSet(CloneSet {
        fields: CloneSetFields::Rolling { partition: own },
        size: 10,
        surge: 0,
        paused: false,
        min_ready_seconds: 0,
        deadline_seconds: None,
        current: Some("web-v1".into()),
    });
    scene.seen.rollout.status = Default::default();
    pods(&mut scene, &["v1"; 10]);
    scene.seen.rollout.status = scene.plan().status;
    scene
}

fn live(scene: &mut Scene) -> &mut CloneSet {
    match &mut scene.workload().fields {
        Live::CloneSet(live) => live,
        other => panic!("no cloneset: {other:?}"),
    }
}

/// The pods: a version, with `!` for one that is not ready.
fn pods(scene: &mut Scene, pods: &[&str]) {
    let named = |(index, word): (usize, &&str)| {
        let since = now().checked_sub(jiff::Span::new().seconds(60)).unwrap();
        let pod = Pod {
            name: format!("web-{index}"),
            uid: format!("uid-{index}"),
            resource_version: "7".into(),
            ready_since: (!word.ends_with('!')).then_some(since),
            trouble: None,
        };
        // The label is the hash alone where Kruise is told so.
        (word.trim_end_matches('!').to_owned(), pod)
    };
    let pods: Vec<_> = pods.iter().enumerate().map(named).collect();
    let one = |(number, name): (i64, &str)| NumberedRevision {
        name: format!("web-{name}"),
        uid: format!("{name}-uid"),
        resource_version: "11".into(),
        number,
        revision: revision(name),
    };
    let revisions = [(1, "v1"), (2, "v2"), (3, "v3")].map(one).to_vec();
    let (hold, template) = (scene.workload().hold.clone(), scene.workload().revision.clone());
    let seen = live(scene).clone();
    scene.workload().replicas = seen.reach(&hold);
    scene.workload().sets = seen.sets(&hold, &template, revisions, pods);
}

fn hold(scene: &mut Scene, held: Portioned) {
    live(scene).fields = CloneSetFields::Rolling { partition: held.target.partition };
    scene.workload().revision = held.revision.clone();
    scene.annotate(Some(Hold::of_release(HoldState::Portioned(held))));
}

fn held_at(batch: u32, partition: Kept, own: Kept) -> Portioned {
    let first = Portioned::first(revision("v2"), revision("v1"), Portion { partition: own });
    Portioned { batch, target: Portion { partition }, ..first }
}

/// v2 over v1 in this batch, with these pods, and the status says so.
fn in_batch(number: u32, partition: &str, words: &[&str]) -> Scene {
    let mut scene = at_rest(OWN);
    hold(&mut scene, held_at(0, Kept::ALL, OWN));
    scene.keep("v1");
    pods(&mut scene, &["v1"; 10]);
    scene.publish();
    for batch in 1..=number {
        hold(&mut scene, held_at(batch, kept(partition), OWN));
        pods(&mut scene, words);
        scene.status().batch.as_mut().unwrap().promoted = batch < number;
        scene.publish();
    }
    scene
}

#[track_caller]
fn target(plan: &Plan) -> (u32, String) {
    match written(plan).hold.unwrap().state {
        HoldState::Portioned(held) => (held.batch, held.target.partition.to_string()),
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

const TWO_NEW: [&str; 10] = ["v1", "v1", "v1", "v1", "v1", "v1", "v1", "v1", "v2", "v2"];

#[test]
fn the_first_batch_is_a_share() {
    let mut scene = at_rest(OWN);
    hold(&mut scene, held_at(0, Kept::ALL, OWN));
    scene.keep("v1");
    let plan = scene.publish();
    assert_phase(&plan, Phase::Progressing, "Pods");
    assert_eq!(target(&plan), (1, "80%".into()));
    assert_eq!(plan.status.original_partition, Some(OWN));
}

#[test]
fn a_share_that_is_the_batchs_at_any_scale_stays() {
    let scene = in_batch(1, "80%", &TWO_NEW);
    let plan = scene.plan();
    assert_phase(&plan, Phase::Paused, "Promotion");
    assert!(plan.actions.is_empty());
}

#[test]
fn a_count_lets_nothing_more_be_once_its_pods_are_there() {
    let mut scene = in_batch(1, "80%", &TWO_NEW);
    scene.seen.rollout.spec.strategy.batches[0] = manual(IntOrPercent::Count(2));
    scene.status().batch.as_mut().unwrap().definition =
        Some(scene.seen.rollout.spec.strategy.batches[0].clone());
    assert_eq!(target(&scene.plan()), (1, "100%".into()));
}

#[test]
fn a_promote_goes_on() {
    let mut scene = in_batch(1, "80%", &TWO_NEW);
    scene.ask(Verb::Promote, "v2", 1);
    scene.publish();
    assert_eq!(target(&scene.plan()), (2, "50%".into()));
}

#[test]
fn a_share_that_no_whole_percentage_is_has_decimals() {
    let mut scene = at_rest(OWN);
    hold(&mut scene, held_at(0, Kept::ALL, OWN));
    scene.keep("v1");
    live(&mut scene).size = 3;
    pods(&mut scene, &["v1"; 3]);
    assert_eq!(target(&scene.publish()), (1, "66.6666%".into()));
}

#[test]
fn scaling_up_while_the_batch_is_exact_needs_no_write() {
    let mut scene = in_batch(1, "80%", &TWO_NEW);
    live(&mut scene).size = 20;
    let words: Vec<&str> = TWO_NEW.iter().copied().chain(["v1"; 8]).chain(["v2"; 2]).collect();
    pods(&mut scene, &words);
    assert!(scene.plan().actions.is_empty());
}

#[test]
fn a_share_that_lets_more_be_after_scaling_goes_up_at_once() {
    let mut scene = in_batch(1, "66.6666%", &["v1", "v1", "v2"]);
    scene.workload().generation += 1;
    live(&mut scene).size = 30;
    pods(&mut scene, &["v1", "v1", "v2"]);
    // Twenty per cent of thirty are six, and the share would let ten be.
    assert_eq!(target(&scene.plan()), (1, "80%".into()));
}

#[test]
fn what_is_beyond_the_batch_goes_back_one_by_one() {
    let mut words = TWO_NEW;
    words[7] = "v2!";
    let scene = in_batch(1, "80%", &words);
    assert_eq!(target(&scene.plan()), (1, "100%".into()));
    let scene = in_batch(1, "100%", &words);
    assert_eq!(deleted(&scene.plan()), ["web-7"]);
    words[7] = "v2";
    let scene = in_batch(1, "100%", &words);
    assert_eq!(deleted(&scene.plan()).len(), 1);
    (words[7], words[0]) = ("v2", "v1!");
    let scene = in_batch(1, "100%", &words);
    assert!(deleted(&scene.plan()).is_empty());
}

#[test]
fn pods_that_scaling_down_removes_are_waited_for() {
    let mut scene = in_batch(1, "80%", &TWO_NEW);
    live(&mut scene).size = 5;
    pods(&mut scene, &TWO_NEW);
    assert!(scene.plan().actions.is_empty());
    pods(&mut scene, &TWO_NEW[4..9]);
    assert!(scene.plan().actions.is_empty());
    pods(&mut scene, &TWO_NEW[..5]);
    // Kept at 80%, a new pod is the stock controller's to make.
    assert!(scene.plan().actions.is_empty());
}

#[test]
fn the_users_own_partition_bounds_every_batch_and_keeps_none_on_the_way_back() {
    let mut scene = at_rest(kept("30%"));
    hold(&mut scene, held_at(0, Kept::ALL, kept("30%")));
    scene.keep("v1");
    pods(&mut scene, &["v1"; 10]);
    // Seven pods may be updated at all: twenty per cent of them are two.
    assert_eq!(target(&scene.publish()), (1, "80%".into()));
    hold(&mut scene, held_at(1, kept("80%"), kept("30%")));
    pods(&mut scene, &TWO_NEW);
    scene.publish();
    scene.ask(Verb::Abort, "v2", 1);
    let write = written(&scene.plan());
    scene.publish();
    live(&mut scene).fields = CloneSetFields::Rolling { partition: kept("30%") };
    scene.workload().revision = revision("v1");
    scene.annotate(write.hold);
    pods(&mut scene, &TWO_NEW);
    let plan = scene.publish();
    assert_phase(&plan, Phase::Aborting, "StablePods");
    assert_eq!(deleted(&plan).len(), 1);
    pods(&mut scene, &["v1"; 10]);
    assert_phase(&scene.publish(), Phase::Rejected, "Rejected");
}

/// A batch of two pods by number.
fn in_count_batch(partition: &str, words: &[&str]) -> Scene {
    let mut scene = in_batch(1, partition, words);
    scene.seen.rollout.spec.strategy.batches[0] = manual(IntOrPercent::Count(2));
    scene.status().batch.as_mut().unwrap().definition =
        Some(scene.seen.rollout.spec.strategy.batches[0].clone());
    scene
}

#[test]
fn the_partition_is_not_shut_while_a_surge_stands_beside_the_old_pods() {
    let words = [&TWO_NEW[..], &["v1"]].concat();
    let mut scene = in_count_batch("80%", &words);
    live(&mut scene).surge = 1;
    // Shut now, the stock controller would take a new pod for the one that is too many.
    assert!(scene.plan().actions.is_empty());
    pods(&mut scene, &TWO_NEW);
    assert_eq!(target(&scene.plan()), (1, "100%".into()));
}

#[test]
fn a_pause_of_the_users_shuts_what_scaling_would_pass() {
    let words = [&["v2"; 1][..], &["v1"; 9]].concat();
    let mut scene = in_count_batch("80%", &words);
    live(&mut scene).paused = true;
    assert_eq!(target(&scene.plan()), (1, "100%".into()));
    // A share that is the batch's at any scale may stay.
    let mut scene = in_batch(1, "80%", &words);
    live(&mut scene).paused = true;
    assert!(scene.plan().actions.is_empty());
}

/// v1 is live again over v2, which was aborted; three pods of ten are the user's own to keep.
fn taken_back(words: &[&str]) -> Scene {
    let mut scene = at_rest(kept("30%"));
    scene.annotate(Some(Hold::barred(revision("v2"), crds::hold::Bar::Rejected)));
    pods(&mut scene, words);
    scene.status().stable_revision = Some(revision("v1"));
    scene.status().phase = Phase::Aborting;
    scene
}

#[test]
fn what_the_own_partition_keeps_of_a_version_taken_back_goes_when_all_are_there() {
    assert_eq!(deleted(&taken_back(&TWO_NEW).plan()).len(), 1);
    // One is missing: none goes, though an update would reach only seven.
    assert!(deleted(&taken_back(&TWO_NEW[1..]).plan()).is_empty());
    // What serves nobody goes at once.
    let broken = [&TWO_NEW[..9], &["v2!"]].concat();
    assert_eq!(deleted(&taken_back(&broken).plan()), ["web-9"]);
    // The stock controller has not come to an end: four more than it may keep.
    let many = [&["v1"; 6][..], &["v2"; 4]].concat();
    assert!(deleted(&taken_back(&many).plan()).is_empty());
}

#[test]
fn it_is_back_when_all_pods_are_and_not_only_those_of_an_update() {
    let mut scene = taken_back(&["v1"; 9]);
    assert_phase(&scene.publish(), Phase::Aborting, "StablePods");
    pods(&mut scene, &["v1"; 10]);
    assert_phase(&scene.publish(), Phase::Rejected, "Rejected");
}

#[test]
fn what_the_own_partition_keeps_after_a_release_may_be_of_any_version() {
    let mut words = ["v2"; 10];
    (words[0], words[1], words[2]) = ("v1", "v1", "v3");
    let mut scene = at_rest(kept("30%"));
    scene.workload().revision = revision("v2");
    pods(&mut scene, &words);
    scene.status().update_revision = Some(revision("v2"));
    scene.status().stable_revision = Some(revision("v3"));
    scene.status().phase = Phase::Progressing;
    assert_eq!(scene.publish().status.phase, Phase::Ready);
}

#[test]
fn the_users_own_pause_is_waited_for() {
    let mut scene = at_rest(OWN);
    live(&mut scene).paused = true;
    hold(&mut scene, held_at(0, Kept::ALL, OWN));
    scene.keep("v1");
    let plan = scene.publish();
    assert_phase(&plan, Phase::Held, "DeploymentPaused");
    let said = plan.status.waiting_for.unwrap().message;
    assert_eq!(said, "cloneset web is paused by its own spec.updateStrategy.paused; resume it");
}

#[test]
fn the_last_batch_is_the_users_partition_and_its_end_the_lift() {
    let mut words = ["v2"; 10];
    words[0] = "v1";
    let scene = in_batch(3, "0%", &words);
    assert_eq!(target(&scene.plan()), (3, "0".into()));
    let mut scene = in_batch(3, "0%", &["v2"; 10]);
    hold(&mut scene, held_at(3, OWN, OWN));
    pods(&mut scene, &["v2"; 10]);
    assert!(written(&scene.plan()).hold.is_none());
}

#[test]
fn a_lost_hold_is_made_again_from_the_status() {
    let mut scene = in_batch(1, "100%", &TWO_NEW);
    scene.annotate(None);
    scene.workload().projected = false;
    assert_eq!(target(&scene.plan()), (1, "100%".into()));
}

#[test]
fn on_delete_is_refused() {
    let mut scene = at_rest(OWN);
    live(&mut scene).fields = CloneSetFields::OnDelete;
    let plan = scene.plan();
    assert_phase(&plan, Phase::Stalled, "OnDeleteStrategy");
    assert!(plan.actions.is_empty());
}
