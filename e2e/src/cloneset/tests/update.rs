//! Which pods one pass of an update takes.

use super::super::decide::{Wish, decide};
use super::super::member::{Lifecycle, Member};
use super::super::spec::PriorityStrategy;
use super::super::update::choose;
use super::{RELEASE, ago, members, now, wish};

fn chosen(wish: Wish, members: &[Member]) -> Vec<String> {
    let diff = decide(&wish, members, RELEASE, now());
    let chosen = choose(&wish, members, &diff, RELEASE, &PriorityStrategy::default(), now());
    chosen.into_iter().map(|member| member.name.clone()).collect()
}

#[test]
fn no_more_than_may_be_missing() {
    assert_eq!(chosen(wish(5, 0, 2, 0), &members("OOOOO")).len(), 2);
    assert_eq!(chosen(wish(5, 4, 2, 0), &members("OOOOO")).len(), 1);
    assert_eq!(chosen(wish(5, 0, 1, 0), &members("OOOOn")), [""; 0]);
}

#[test]
fn broken_old_pods_cost_nothing() {
    assert_eq!(chosen(wish(5, 0, 2, 0), &members("OooOO")), ["1o", "2o"]);
}

#[test]
fn broken_new_pods_stop_all() {
    assert_eq!(chosen(wish(5, 0, 1, 0), &members("OoOOn")), [""; 0]);
}

#[test]
fn nothing_without_a_budget() {
    assert_eq!(chosen(wish(5, 0, 0, 0), &members("OOO")), [""; 0]);
}

#[test]
fn one_that_is_leaving_is_missing_already() {
    let mut all = members("OOOO");
    all[1].lifecycle = Lifecycle::PreparingDelete;
    assert_eq!(chosen(wish(4, 0, 1, 0), &all), [""; 0]);
    assert_eq!(chosen(wish(4, 0, 2, 0), &all).len(), 1);
}

#[test]
fn those_in_the_middle_of_something_are_left_or_preferred() {
    let mut all = members("OOOO");
    all[0].in_grace = true;
    all[1].lifecycle = Lifecycle::PreparingDelete;
    all[2].ready_since = Some(ago(1));
    all[3].lifecycle = Lifecycle::PreparingUpdate;
    assert_eq!(chosen(wish(4, 0, 4, 0), &all), ["3O", "2O"]);
}

#[test]
fn a_version_between_is_old_like_any_other() {
    let mut all = members("OOO");
    all[1].revision = "between".to_owned();
    all[1].ready_since = Some(ago(1));
    assert_eq!(chosen(wish(3, 0, 1, 0), &all), ["1O"]);
}
