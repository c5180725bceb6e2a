//! Batches of every small workload.

use crds::IntOrPercent::{Count, Percent};
use crds::rollout::{Batch, Pause};
use crds::status::BatchStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Goal, Step};

fn batches(replicas: &[crds::IntOrPercent]) -> Vec<Batch> {
    replicas
        .iter()
        .map(|replicas| Batch { replicas: *replicas, traffic: None, pause: None })
        .collect()
}

fn goals(spec: &[Batch], replicas: i32, surge: i32) -> Vec<Goal> {
    let last = u32::try_from(spec.len()).unwrap();
    (1..=last)
        .map(|index| Step::of(spec, None, index, replicas).goal(spec, replicas, surge))
        .collect()
}

#[test]
fn percentages_are_rounded_up_and_the_last_batch_is_everything() {
    let spec = batches(&[Percent(20), Percent(50), Percent(100)]);
    assert_eq!(goals(&spec, 10, 1), [Goal::Ratio(2), Goal::Ratio(5), Goal::All]);
    assert_eq!(goals(&spec, 3, 1), [Goal::Share(1), Goal::Share(2), Goal::All]);
    assert_eq!(goals(&spec, 201, 1), [Goal::Share(41), Goal::Share(101), Goal::All]);
}

#[test]
fn a_batch_is_never_less_than_the_one_before() {
    let spec = batches(&[Count(5), Percent(20), Percent(100)]);
    assert_eq!(goals(&spec, 10, 1), [Goal::Share(5), Goal::Share(5), Goal::All]);
    assert_eq!(goals(&spec, 100, 1), [Goal::Share(5), Goal::Ratio(20), Goal::All]);
}

#[test]
fn a_batch_that_is_not_the_last_leaves_an_old_pod() {
    let spec = batches(&[Count(8), Percent(99), Percent(100)]);
    assert_eq!(goals(&spec, 2, 0), [Goal::Share(1), Goal::Share(1), Goal::All]);
    assert_eq!(goals(&spec, 10, 0), [Goal::Share(8), Goal::Share(9), Goal::All]);
}

#[test]
fn one_replica_needs_a_surge_for_a_new_pod() {
    let spec = batches(&[Percent(20), Percent(100)]);
    assert_eq!(goals(&spec, 1, 1), [Goal::Beside, Goal::All]);
    assert_eq!(goals(&spec, 1, 0), [Goal::Shut, Goal::All]);
}

#[test]
fn every_small_workload_gets_batches_that_grow_and_end_with_everything() {
    let sizes = || (1..=12).map(Count).chain((1..=100).map(Percent));
    for replicas in 1..=12 {
        for (first, second) in sizes().flat_map(|first| sizes().map(move |second| (first, second)))
        {
            let spec = batches(&[first, second, Percent(100)]);
            for surge in [0, 1] {
                let goals = goals(&spec, replicas, surge);
                let pods: Vec<_> = goals.iter().map(|goal| goal.new_pods(replicas)).collect();
                assert!(pods.is_sorted(), "{spec:?} of {replicas}: {pods:?}");
                assert_eq!(goals.last(), Some(&Goal::All));
                for goal in &goals[..2] {
                    assert!(goal.old_pods(replicas) >= 1, "{spec:?} of {replicas}: {goal:?}");
                    assert!(goal.new_pods(replicas) >= i32::from(surge > 0 || replicas > 1));
                }
            }
        }
    }
}

#[test]
fn an_edit_of_the_spec_counts_from_the_next_batch_on() {
    let pause = Some(Pause { duration: None });
    let begun = BatchStatus {
        index: 1,
        count: 3,
        replicas: 2,
        definition: Some(Batch { replicas: Percent(20), traffic: None, pause }),
        started_at: Time(jiff::Timestamp::UNIX_EPOCH),
        ready_at: None,
        promoted: false,
        full: false,
        gates_skipped: None,
    };
    let edited = batches(&[Percent(60), Percent(100)]);
    let now = Step::of(&edited, Some(&begun), 1, 10);
    assert_eq!(now.goal(&edited, 10, 1), Goal::Ratio(2));
    assert!(now.definition.is_some_and(|batch| batch.pause.is_some()));
    let next = Step::of(&edited, Some(&begun), 2, 10);
    assert_eq!((next.count, next.goal(&edited, 10, 1)), (2, Goal::All));
    // What is after the batch does not make it larger, and the next is no smaller.
    let smaller = batches(&[Count(1), Count(1), Percent(100)]);
    assert_eq!(Step::of(&smaller, Some(&begun), 1, 10).goal(&smaller, 10, 1), Goal::Ratio(2));
    assert_eq!(Step::of(&smaller, Some(&begun), 2, 10).goal(&smaller, 10, 1), Goal::Ratio(2));
}

#[test]
fn a_spec_that_lost_batches_ends_with_the_next_one() {
    let edited = batches(&[Percent(100)]);
    let next = Step::of(&edited, None, 4, 5);
    assert_eq!((next.index, next.count, next.is_last()), (4, 4, true));
    assert_eq!(Step::of(&[], None, 0, 5).goal(&[], 5, 1), Goal::All);
}
