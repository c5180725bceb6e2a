//! The partition and the pods that go, for single states; whole releases are in `tests/scripts`.

use crds::contract::FENCE_PARTITION;
use crds::hold::Reading;
use crds::request::Verb;
use crds::rollout::WorkloadRef;
use crds::status::Phase;
use crds::{Hold, HoldState, IntOrPercent::Percent, Partition, Partitioned};

use crate::action::{Action, Plan};
use crate::observed::{Fact, Live, NumberedRevision, Pod, Stateful, StatefulFields};
use crate::tests::scene::{Scene, assert_phase, batch, manual, now, revision, waits, written};

/// Ten pods of v1 at rest, of a StatefulSet with this partition of the user's own.
fn at_rest(own: i32) -> Scene {
    let mut scene = Scene::at_rest();
    let spec = &mut scene.seen.rollout.spec;
    spec.workload_ref = WorkloadRef {
        api_version: "apps/v1".into(),
        kind: "StatefulSet".into(),
        name: "db".into(),
    };
    spec.strategy.batches = vec![manual(Percent(20)), batch(Percent(50)), batch(Percent(100))];
    scene.workload().fields = Live::StatefulSet(Stateful {
        fields: StatefulFields::RollingUpdate { partition: own },
        size: 10,
        start: 0,
        min_ready_seconds: 0,
        ordered: true,
        current: Some("db-v1".into()),
    });
    scene.seen.rollout.status = Default::default();
    pods(&mut scene, &["v1"; 10]);
    scene.seen.rollout.status = scene.plan().status;
    scene
}

fn live(scene: &mut Scene) -> &mut Stateful {
    match &mut scene.workload().fields {
        Live::StatefulSet(live) => live,
        other => panic!("no statefulset: {other:?}"),
    }
}

/// The pods by index: a version, a version with `!` for one that is not ready, `-` for none.
fn pods(scene: &mut Scene, pods: &[&str]) {
    let named = |(index, word): (usize, &&str)| {
        let version = word.trim_end_matches('!');
        let since = now().checked_sub(jiff::Span::new().seconds(60)).unwrap();
        let pod = Pod {
            name: format!("db-{index}"),
            uid: format!("uid-{index}"),
            resource_version: "7".into(),
            ready_since: (!word.ends_with('!')).then_some(since),
            trouble: None,
        };
        (version != "-").then(|| (format!("db-{version}"), pod))
    };
    let pods: Vec<_> = pods.iter().enumerate().filter_map(named).collect();
    let one = |(number, name): (i64, &str)| NumberedRevision {
        name: format!("db-{name}"),
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

fn hold(scene: &mut Scene, held: Partitioned) {
    live(scene).fields = StatefulFields::RollingUpdate { partition: held.target.partition };
    scene.workload().revision = held.revision.clone();
    let hold = Hold::of_release(HoldState::Partitioned(held));
    scene.annotate(Some(hold));
}

fn held_at(batch: u32, partition: i32, own: i32) -> Partitioned {
    let first = Partitioned::first(revision("v2"), revision("v1"), Partition { partition: own });
    Partitioned { batch, target: Partition { partition }, ..first }
}

/// v2 over v1 in this batch, with these pods, and the status says so.
fn in_batch(number: u32, partition: i32, words: &[&str]) -> Scene {
    let mut scene = at_rest(0);
    hold(&mut scene, held_at(0, FENCE_PARTITION, 0));
    scene.keep("v1");
    pods(&mut scene, &["v1"; 10]);
    scene.publish();
    for batch in 1..=number {
        hold(&mut scene, held_at(batch, partition, 0));
        pods(&mut scene, words);
        scene.status().batch.as_mut().unwrap().promoted = batch < number;
        scene.publish();
    }
    scene
}

#[track_caller]
fn target(plan: &Plan) -> (u32, i32) {
    match written(plan).hold.unwrap().state {
        HoldState::Partitioned(held) => (held.batch, held.target.partition),
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
fn the_first_batch_begins_at_the_top() {
    let mut scene = at_rest(0);
    hold(&mut scene, held_at(0, FENCE_PARTITION, 0));
    scene.keep("v1");
    let plan = scene.publish();
    assert_phase(&plan, Phase::Progressing, "Pods");
    assert_eq!(target(&plan), (1, 8));
}

#[test]
fn once_its_pods_are_there_the_partition_goes_up_again() {
    let mut words = TWO_NEW;
    words[8] = "v2!";
    let scene = in_batch(1, 8, &words);
    assert_eq!(target(&scene.plan()), (1, FENCE_PARTITION));
    let scene = in_batch(1, FENCE_PARTITION, &words);
    assert!(scene.plan().actions.is_empty());
    let scene = in_batch(1, FENCE_PARTITION, &TWO_NEW);
    assert_phase(&scene.plan(), Phase::Paused, "Promotion");
}

#[test]
fn a_promote_goes_on_from_where_the_pods_are() {
    let mut scene = in_batch(1, FENCE_PARTITION, &TWO_NEW);
    scene.ask(Verb::Promote, "v2", 1);
    scene.publish();
    assert_eq!(target(&scene.plan()), (2, 5));
}

#[test]
fn scaling_up_at_rest_takes_the_new_share_from_the_top() {
    let mut scene = in_batch(1, FENCE_PARTITION, &TWO_NEW);
    live(&mut scene).size = 20;
    let words: Vec<&str> = TWO_NEW.iter().copied().chain(["v1"; 10]).collect();
    pods(&mut scene, &words);
    // Twenty per cent of twenty are four: two are there.
    assert_eq!(target(&scene.plan()), (1, 18));
}

#[test]
fn scaling_up_while_a_batch_moves_raises_the_partition_at_once() {
    let mut words = TWO_NEW;
    words[8] = "v1";
    let mut scene = in_batch(1, 8, &words);
    live(&mut scene).size = 20;
    scene.workload().generation += 1;
    pods(&mut scene, &words);
    assert_eq!(target(&scene.plan()), (1, 17));
}

#[test]
fn what_scaling_made_beyond_the_batch_goes_back_one_by_one() {
    let beyond: Vec<&str> = TWO_NEW.iter().copied().chain(["v2", "v2!"]).collect();
    let mut scene = in_batch(1, FENCE_PARTITION, &TWO_NEW);
    scene.seen.rollout.spec.strategy.batches[0] = manual(crds::IntOrPercent::Count(2));
    scene.status().batch.as_mut().unwrap().definition =
        Some(scene.seen.rollout.spec.strategy.batches[0].clone());
    live(&mut scene).size = 12;
    pods(&mut scene, &beyond);
    assert_eq!(deleted(&scene.plan()), ["db-11"]);
    let ready: Vec<&str> = TWO_NEW.iter().copied().chain(["v2", "v1"]).collect();
    pods(&mut scene, &ready);
    assert_eq!(deleted(&scene.plan()), ["db-8"]);
    let missing: Vec<&str> = TWO_NEW.iter().copied().chain(["v2", "-"]).collect();
    pods(&mut scene, &missing);
    assert!(deleted(&scene.plan()).is_empty());
}

#[test]
fn a_lost_new_pod_is_made_new_again() {
    let mut words = TWO_NEW;
    words[8] = "-";
    let scene = in_batch(1, FENCE_PARTITION, &words);
    assert_eq!(target(&scene.plan()), (1, 8));
}

#[test]
fn a_broken_old_pod_in_the_batch_does_not_stop_it() {
    let mut words = TWO_NEW;
    words[8] = "v1!";
    let mut scene = in_batch(1, 8, &words);
    assert_eq!(deleted(&scene.plan()), ["db-8"]);
    live(&mut scene).ordered = false;
    assert!(deleted(&scene.plan()).is_empty());
}

#[test]
fn a_pod_is_no_obstacle_where_one_below_it_is_missing_or_not_ready() {
    for below in ["v1!", "-"] {
        let mut words = TWO_NEW;
        (words[3], words[8]) = (below, "v1!");
        assert!(deleted(&in_batch(1, 8, &words).plan()).is_empty(), "{below}");
    }
}

#[test]
fn of_two_broken_pods_beyond_the_size_the_upper_one_goes() {
    let mut words = TWO_NEW;
    (words[8], words[9]) = ("v2!", "v2!");
    let mut scene = in_batch(1, FENCE_PARTITION, &words);
    live(&mut scene).size = 8;
    pods(&mut scene, &words);
    assert_eq!(deleted(&scene.plan()), ["db-9"]);
    pods(&mut scene, &words[..9]);
    assert!(deleted(&scene.plan()).is_empty());
}

#[test]
fn what_comes_back_as_the_same_is_not_moved_back() {
    let beyond: Vec<&str> = TWO_NEW.iter().copied().chain(["v2", "v2"]).collect();
    let mut scene = in_batch(1, FENCE_PARTITION, &TWO_NEW);
    live(&mut scene).size = 12;
    live(&mut scene).current = Some("db-v2".into());
    pods(&mut scene, &beyond);
    assert!(deleted(&scene.plan()).is_empty());
}

#[test]
fn a_broken_new_pod_does_not_stop_the_way_back() {
    let mut words = TWO_NEW;
    words[9] = "v2!";
    let mut scene = in_batch(1, FENCE_PARTITION, &words);
    scene.ask(Verb::Abort, "v2", 1);
    let write = written(&scene.plan());
    assert!(write.may_write_fields);
    assert_eq!(write.payload.unwrap().revision, revision("v1"));
    scene.publish();
    live(&mut scene).fields = StatefulFields::RollingUpdate { partition: 0 };
    scene.workload().revision = revision("v1");
    scene.annotate(write.hold);
    pods(&mut scene, &words);
    let plan = scene.publish();
    assert_phase(&plan, Phase::Aborting, "StablePods");
    assert_eq!(deleted(&plan), ["db-9"]);
}

#[test]
fn the_users_own_partition_bounds_every_batch() {
    let mut scene = at_rest(6);
    hold(&mut scene, held_at(0, FENCE_PARTITION, 6));
    scene.keep("v1");
    pods(&mut scene, &["v1"; 10]);
    let plan = scene.publish();
    // Four pods may be updated at all: twenty per cent of them are one.
    assert_eq!(target(&plan), (1, 9));
    assert_eq!(plan.status.original_partition, Some(crds::Kept::Pods(6)));
}

#[test]
fn the_last_batch_is_the_users_partition_and_its_end_the_lift() {
    let mut words = ["v2"; 10];
    words[0] = "v1";
    let scene = in_batch(3, 0, &words);
    assert!(scene.plan().actions.is_empty());
    let scene = in_batch(3, 0, &["v2"; 10]);
    assert!(written(&scene.plan()).hold.is_none());
}

#[test]
fn a_missing_pod_is_no_reason_to_let_everything_go() {
    let mut scene = at_rest(0);
    hold(&mut scene, held_at(0, FENCE_PARTITION, 0));
    scene.keep("v1");
    live(&mut scene).size = 2;
    pods(&mut scene, &[]);
    let plan = scene.publish();
    assert_eq!(target(&plan), (1, 1));
}

#[test]
fn pods_that_scaling_down_removes_are_waited_for() {
    let mut scene = in_batch(1, FENCE_PARTITION, &TWO_NEW);
    live(&mut scene).size = 5;
    pods(&mut scene, &TWO_NEW);
    assert!(scene.plan().actions.is_empty());
    pods(&mut scene, &TWO_NEW[..5]);
    assert_eq!(target(&scene.plan()), (1, 4));
}

#[test]
fn on_delete_is_refused() {
    let mut scene = at_rest(0);
    live(&mut scene).fields = StatefulFields::OnDelete;
    let plan = scene.plan();
    assert_phase(&plan, Phase::Stalled, "OnDeleteStrategy");
    assert!(plan.actions.is_empty());
}

#[test]
fn a_lost_hold_is_made_again_from_the_status() {
    let mut scene = in_batch(1, FENCE_PARTITION, &TWO_NEW);
    scene.annotate(None);
    scene.workload().projected = false;
    let plan = scene.plan();
    assert_eq!((target(&plan), waits(&plan)), ((1, FENCE_PARTITION), "Webhook"));
}

#[test]
fn a_partition_that_forbids_everything_may_be_the_users_own() {
    let mut scene = at_rest(FENCE_PARTITION);
    pods(&mut scene, &["v1"; 10]);
    assert!(matches!(scene.workload().hold, Reading::None));
    assert_phase(&scene.plan(), Phase::Ready, "");
}

#[test]
fn a_pod_of_a_revision_that_was_not_read_makes_everything_unknown() {
    let mut scene = at_rest(0);
    let seen = live(&mut scene).clone();
    let pod = Pod {
        name: "db-0".into(),
        uid: "u".into(),
        resource_version: "7".into(),
        ready_since: None,
        trouble: None,
    };
    let sets = seen.sets(&Reading::None, &revision("v1"), Vec::new(), vec![("db-v9".into(), pod)]);
    assert!(matches!(sets, Fact::Unknown(_)));
}
