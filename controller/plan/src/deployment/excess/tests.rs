//! The way back from every split that scaling can leave, against the stock controller's filling
//! rule, for all small workloads and limits.

use super::{Back, Sizes, next};
use crate::batch::Goal;
use crate::deployment::Limits;

/// Walks back; returns the ReplicaSets' sizes at the end.
fn walk(goal: Goal, limits: Limits, replicas: i32, new: i32, old: i32, room: i32) -> (i32, i32) {
    let context = format!("{goal:?} {limits:?} N={replicas} {new} new, {old} old");
    let mut sizes = Sizes { replicas, new, old, unready: 0, pods: new + old };
    let most = (new + old).max(replicas + limits.surge.max(room)).max(replicas + room);
    for _ in 0..4 * replicas + 4 {
        let Sizes { new, old, unready, .. } = sizes;
        let ready = new + old - unready;
        match next(goal, limits, sizes, room) {
            Back::None => return (new, old),
            // The pods that are waited for get ready.
            Back::Wait => {
                assert!(unready > 0, "waits for nothing: {context}");
                sizes.unready = 0;
            }
            Back::Raise(pods) => {
                sizes.old += pods;
                sizes.unready += pods;
            }
            Back::Lower(pods) => {
                assert!(new - pods + old >= replicas + room, "refilled: {context}");
                assert!(ready - pods >= replicas - limits.unavailable, "too few: {context}");
                sizes.new -= pods;
            }
            Back::Swap(pods) => {
                assert!(ready - pods >= replicas - limits.unavailable, "too few: {context}");
                // Both patches are one step here: the sum is what the stock controller keeps.
                sizes =
                    Sizes { new: new - pods, old: old + pods, unready: unready + pods, ..sizes };
            }
        }
        sizes.pods = sizes.new + sizes.old;
        assert!(sizes.pods <= most, "too many: {context}");
    }
    panic!("never ends: {context}");
}

#[test]
fn every_split_comes_back_to_its_share() {
    for replicas in 2..=10 {
        for share in 1..replicas {
            for (surge, unavailable) in [(0, 1), (0, 2), (1, 0), (1, 1), (2, 2), (3, 0)] {
                let unavailable = i32::min(unavailable, replicas);
                let limits = Limits { surge, unavailable };
                // At rest the stock controller has filled up to the replicas; a scaled surge may
                // have left more.
                for (sum, new) in (replicas..=replicas + surge)
                    .flat_map(|sum| (0..=sum.min(replicas)).map(move |new| (sum, new)))
                {
                    let end = walk(Goal::Share(share), limits, replicas, new, sum - new, 0);
                    match new > share {
                        true => assert!(end == (share, (sum - new).max(replicas - share))),
                        false => assert_eq!(end, (new, sum - new)),
                    }
                }
            }
        }
    }
}

#[test]
fn the_measured_way_back_from_ten_new_pods() {
    let limits = Limits { surge: 3, unavailable: 2 };
    assert_eq!(walk(Goal::Share(2), limits, 10, 10, 0, 0), (2, 8));
    let no_surge = Limits { surge: 0, unavailable: 2 };
    assert_eq!(walk(Goal::Share(2), no_surge, 10, 10, 0, 0), (2, 8));
    let sizes = Sizes { replicas: 10, new: 10, old: 0, unready: 0, pods: 10 };
    assert_eq!(next(Goal::Share(2), limits, sizes, 0), Back::Raise(3));
    assert_eq!(next(Goal::Share(2), no_surge, sizes, 0), Back::Swap(2));
}

#[test]
fn a_pod_beside_another_gets_its_old_one_back() {
    let limits = Limits { surge: 1, unavailable: 0 };
    assert_eq!(walk(Goal::Beside, limits, 1, 1, 0, 1), (1, 1));
    assert_eq!(walk(Goal::Beside, limits, 1, 1, 1, 1), (1, 1));
}

#[test]
fn one_replica_with_its_surge_scaled_to_four() {
    let limits = Limits { surge: 1, unavailable: 1 };
    let sizes = Sizes { replicas: 4, new: 3, old: 2, unready: 0, pods: 3 + 2 };
    assert_eq!(next(Goal::Share(1), limits, sizes, 0), Back::Lower(1));
    assert_eq!(walk(Goal::Share(1), limits, 4, 3, 2, 0), (1, 3));
}

#[test]
fn old_pods_on_their_way_are_waited_for() {
    let limits = Limits { surge: 1, unavailable: 0 };
    let sizes = Sizes { replicas: 4, new: 3, old: 2, unready: 1, pods: 3 + 2 };
    assert_eq!(next(Goal::Share(1), limits, sizes, 0), Back::Wait);
}

#[test]
fn the_last_batch_has_no_excess() {
    let limits = Limits { surge: 1, unavailable: 1 };
    let sizes = Sizes { replicas: 4, new: 4, old: 3, unready: 0, pods: 4 + 3 };
    assert_eq!(next(Goal::All, limits, sizes, 0), Back::None);
    assert_eq!(next(Goal::Shut, limits, sizes, 0), Back::None);
}

#[test]
fn pods_that_have_to_go_are_waited_for() {
    let limits = Limits { surge: 1, unavailable: 0 };
    let sizes = Sizes { replicas: 4, new: 2, old: 2, unready: 0, pods: 5 };
    assert_eq!(next(Goal::Share(1), limits, sizes, 0), Back::Wait);
    assert_eq!(next(Goal::Share(1), limits, Sizes { pods: 4, ..sizes }, 0), Back::Raise(1));
}
