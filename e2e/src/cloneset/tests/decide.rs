//! Kruise's unit vectors of the decision.

use serde_json::json;

use super::super::decide::{Diff, Revisions, Wish, decide};
use super::super::member::Lifecycle;
use super::{NEW, RELEASE, members, now, set, wish};

const NOTHING: Diff = Diff {
    up: 0,
    up_old: 0,
    up_limit: 0,
    down: 0,
    down_old: 0,
    delete_ready_limit: 0,
    use_surge: 0,
    use_surge_old: 0,
    update: 0,
    update_max_unavailable: 0,
};
const UP_ONE_BY_SURGE: Diff = Diff { up: 1, up_limit: 1, use_surge: 1, ..NOTHING };

#[track_caller]
fn check(wish: Wish, sketch: &str, expected: Diff) {
    assert_eq!(decide(&wish, &members(sketch), RELEASE, now()), expected, "{sketch}");
}

#[test]
fn an_empty_set_is_filled() {
    check(wish(5, 0, 1, 0), "", Diff { up: 5, up_limit: 5, ..NOTHING });
}

#[test]
fn an_update_goes_as_far_as_the_partition_says() {
    let wish = wish(5, 3, 1, 0);
    check(wish, "OOOOO", Diff { update: 2, update_max_unavailable: 1, ..NOTHING });
    check(wish, "NOOOO", Diff { update: 1, update_max_unavailable: 1, ..NOTHING });
    check(wish, "NNOOO", NOTHING);
}

#[test]
fn a_pod_that_is_to_go_may_go_within_max_unavailable() {
    check(wish(5, 0, 1, 0), "N*NNNN", Diff { delete_ready_limit: 1, ..NOTHING });
}

#[test]
fn surge_comes_before_the_update_and_goes_after_it() {
    let wish = wish(5, 3, 1, 1);
    check(wish, "OOOOO", Diff { update: 2, update_max_unavailable: 1, ..UP_ONE_BY_SURGE });
    let surging = Diff { use_surge: 1, ..NOTHING };
    check(wish, "OOOOOn", Diff { update: 1, update_max_unavailable: 2, ..surging });
    let marked = Diff { use_surge_old: 1, delete_ready_limit: 1, ..surging };
    check(wish, "OOOOO*n", Diff { update: 1, update_max_unavailable: 2, ..marked });
    check(wish, "OOOOn", Diff { update: 1, update_max_unavailable: 1, ..UP_ONE_BY_SURGE });
    check(wish, "OOOOnn", Diff { down: 1, down_old: 1, ..NOTHING });
    check(wish, "OOOONn", Diff { down: 1, down_old: 1, delete_ready_limit: 1, ..NOTHING });
    check(wish, "OOONN", NOTHING);
}

#[test]
fn a_percentage_short_of_all_updates_one_pod_with_surge() {
    let strategy = json!({ "partition": "99%", "maxUnavailable": 3, "maxSurge": 2 });
    let wish = Wish::of(&set(&json!({ "replicas": 5, "updateStrategy": strategy })).spec);
    check(wish, "OOOOO", Diff { update: 1, update_max_unavailable: 3, ..UP_ONE_BY_SURGE });
    check(wish, "OOOOOn", Diff { down: 1, down_old: 1, delete_ready_limit: 3, ..NOTHING });
    check(wish, "OOOOn", NOTHING);
}

#[test]
fn a_higher_partition_brings_no_pod_back() {
    check(wish(5, 4, 1, 0), "ONNNN", NOTHING);
}

#[test]
fn a_higher_partition_brings_pods_back_behind_a_gate() {
    let back = Wish { goes_back: true, ..wish(5, 4, 2, 0) };
    check(back, "NNNNO", Diff { update: -3, update_max_unavailable: 2, ..NOTHING });
}

#[test]
fn between_equal_revisions_pods_only_go_forward() {
    let revisions = Revisions { current: NEW, update: NEW };
    let back = |partition| Wish { goes_back: true, ..wish(5, partition, 1, 0) };
    assert_eq!(decide(&back(3), &members("OONNN"), revisions, now()), NOTHING);
    let expected = Diff { update: 2, update_max_unavailable: 1, ..NOTHING };
    assert_eq!(decide(&back(1), &members("OOONN"), revisions, now()), expected);
}

#[test]
fn a_pause_takes_the_surge_away_and_scaling_goes_on() {
    let paused = |replicas: i32, partition: i32| {
        let strategy = json!({
            "partition": partition, "maxUnavailable": 0, "maxSurge": 3, "paused": true,
        });
        Wish::of(&set(&json!({ "replicas": replicas, "updateStrategy": strategy })).spec)
    };
    // The two that are missing will be new.
    let update = Diff { update: 3, ..NOTHING };
    let up = Diff { up: 2, up_limit: 2, update_max_unavailable: -2, ..update };
    check(paused(5, 0), "OOO", up);
    let down = Diff { down: 2, down_old: 5, delete_ready_limit: 2, ..update };
    check(paused(3, 0), "OOOOO", Diff { update_max_unavailable: 2, ..down });
    check(paused(5, 2), "OOOOOnnn", Diff { down: 3, down_old: 3, ..NOTHING });
}

#[test]
fn scaling_up_may_be_limited() {
    let limited = Wish { scale_unavailable: 2, ..wish(5, 0, 1, 0) };
    check(limited, "Nn", Diff { up: 3, up_limit: 1, ..NOTHING });
    check(limited, "nnn", Diff { up: 2, up_limit: 0, ..NOTHING });
}

#[test]
fn lost_old_pods_come_back_old() {
    check(wish(5, 3, 1, 0), "OONN", Diff { up: 1, up_old: 1, up_limit: 1, ..NOTHING });
    // And none of those that are left is updated meanwhile.
    check(wish(5, 3, 1, 0), "ON", Diff { up: 3, up_old: 2, up_limit: 3, ..NOTHING });
}

#[test]
fn too_many_of_both_are_deleted_and_not_updated() {
    let down = Diff { down: 2, down_old: 1, delete_ready_limit: 3, ..NOTHING };
    check(wish(3, 1, 1, 0), "OONNN", down);
}

#[test]
fn a_pod_that_prepares_its_deletion_counts_as_there_and_unavailable() {
    let mut members = members("NNN");
    members[0].lifecycle = Lifecycle::PreparingDelete;
    members[1].doomed = true;
    let diff = decide(&wish(3, 0, 2, 0), &members, RELEASE, now());
    assert_eq!(diff, Diff { delete_ready_limit: 1, ..NOTHING });
}

#[test]
fn availability_takes_time() {
    let wish = Wish { min_ready: 61, ..wish(2, 0, 1, 0) };
    check(wish, "N*N", Diff { delete_ready_limit: 0, ..NOTHING });
    check(Wish { min_ready: 59, ..wish }, "N*N", Diff { delete_ready_limit: 1, ..NOTHING });
}
