//! Which pods go first.

use jiff::Timestamp;
use serde_json::json;

use super::super::decide::{Diff, decide};
use super::super::member::{Member, Phase};
use super::super::order::{for_deletion, for_update};
use super::super::scale::{Scale, scale};
use super::super::spec::PriorityStrategy;
use super::{RELEASE, ago, members, now, wish};

/// The names in the order of a deletion, from the wrong order.
fn deleted(all: &[Member]) -> Vec<&str> {
    let mut order: Vec<&Member> = all.iter().rev().collect();
    for_deletion(&mut order, 0, now());
    order.into_iter().map(|member| member.name.as_str()).collect()
}

fn updated(all: &[Member], priority: &PriorityStrategy) -> Vec<String> {
    let mut order: Vec<&Member> = all.iter().rev().collect();
    for_update(&mut order, priority);
    order.into_iter().map(|member| member.name.clone()).collect()
}

/// Ready pods, each made different.
fn different<const N: usize>(changes: [fn(&mut Member); N]) -> Vec<Member> {
    let mut all = members(&"N".repeat(N));
    for (member, change) in all.iter_mut().zip(changes) {
        change(member);
    }
    all
}

#[test]
fn those_that_serve_least_go_first() {
    let all = different([
        |pod| pod.node = None,
        |pod| pod.phase = Phase::Pending,
        |pod| pod.phase = Phase::Unknown,
        |pod| pod.update_ready = Some(false),
        |pod| pod.deletion_cost = -1,
        |pod| pod.ready_since = Some(ago(10)),
        |pod| pod.restarts = 2,
        |pod| pod.created = Some(ago(100)),
        |_| {},
    ]);
    assert_eq!(deleted(&all), ["0N", "1N", "2N", "3N", "4N", "5N", "6N", "7N", "8N"]);
}

#[test]
fn of_a_crowded_node_all_but_one_go_before_others() {
    let mut all = members("NNNN");
    all[1].node = all[0].node.clone();
    all[2].node = all[0].node.clone();
    all[0].created = Some(ago(10));
    all[1].created = Some(ago(20));
    // Younger than any, and alone.
    all[3].ready_since = Some(ago(1));
    assert_eq!(deleted(&all), ["0N", "1N", "3N", "2N"]);
}

#[test]
fn the_most_recently_ready_is_updated_first() {
    let all = different([
        |pod| pod.ready_since = None,
        |pod| pod.ready_since = Some(ago(5)),
        |pod| pod.ready_since = Some(ago(50)),
        |pod| pod.restarts = 1,
        |_| {},
    ]);
    assert_eq!(updated(&all, &PriorityStrategy::default()), ["0N", "1N", "2N", "3N", "4N"]);
}

#[test]
fn weight_goes_before_age() {
    let mut all = members("OOO");
    all[2].labels.insert("zone".to_owned(), "a".to_owned());
    all[0].ready_since = Some(Timestamp::UNIX_EPOCH);
    let term = json!({ "weight": 5, "matchSelector": { "matchLabels": { "zone": "a" } } });
    let priority = serde_json::from_value(json!({ "weightPriority": [term] })).unwrap();
    assert_eq!(updated(&all, &priority), ["2O", "1O", "0O"]);
}

#[track_caller]
fn step(replicas: i32, partition: i32, sketch: &str) -> Scale {
    let (wish, members) = (wish(replicas, partition, 1, 0), members(sketch));
    let diff = decide(&wish, &members, RELEASE, now());
    scale(&wish, &members, &diff, RELEASE, now())
}

fn these(names: &[&str]) -> Scale {
    Scale::Delete(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn missing_pods_are_old_up_to_the_partition() {
    assert_eq!(step(5, 3, ""), Scale::Create { old: 3, new: 2 });
    assert_eq!(step(5, 5, "OO"), Scale::Create { old: 3, new: 0 });
    assert_eq!(step(5, 0, "OOO"), Scale::Create { old: 0, new: 2 });
}

#[test]
fn what_is_too_much_goes_old_pods_first() {
    assert_eq!(step(3, 2, "OOONN"), these(&["0O", "3N"]));
    assert_eq!(step(4, 4, "OOONN"), these(&["3N"]));
}

#[test]
fn pods_that_serve_nobody_go_at_once_and_others_within_limits() {
    assert_eq!(step(4, 0, "N*n*N*N"), these(&["0N", "1n"]));
    assert_eq!(step(3, 0, "n*nn"), these(&["0n"]));
    assert_eq!(step(3, 0, "N*nn"), Scale::Nothing);
}

#[test]
fn nothing_is_created_beyond_the_limit() {
    let diff = Diff { up: 3, up_old: 1, up_limit: 2, ..Diff::default() };
    let created = |diff: &Diff| scale(&wish(5, 1, 1, 0), &members(""), diff, RELEASE, now());
    assert_eq!(created(&diff), Scale::Create { old: 1, new: 1 });
    assert_eq!(created(&Diff { up_limit: 0, ..diff }), Scale::Nothing);
}
