//! Scaling: what it may leave at once, and what has to be moved back.

use serde_json::json;

use super::{Play, Rule, Told, careful};

/// Ten replicas, two of them v2, waiting in the second batch.
fn two_of_ten(surge: &str, unavailable: &str) -> Play {
    let mut play = Play::at_rest(10, surge, unavailable, &careful());
    play.begin("v2");
    play.go("v1", 0..1);
    play.come("v2", 0..1);
    play.tell(&Told::Promote { batch: 1 });
    play.go("v1", 1..2);
    play.come("v2", 1..2);
    play.fine();
    play
}

#[test]
fn the_share_follows_the_size() {
    let mut play = two_of_ten("25%", "25%");
    play.scale(20);
    play.come("v2", 2..4);
    play.come("v1", 10..18);
    play.fine();
    play.scale(8);
    play.go("v1", 8..18);
    play.go("v2", 0..2);
    play.tell(&Told::Rested);
    play.fine();
    // From here the batch counts again.
    play.create("v2", 9..10);
    play.breaks(Rule::Batch);
}

#[test]
fn more_than_the_share_and_the_rounding_is_found() {
    let mut play = two_of_ten("25%", "25%");
    play.scale(20);
    play.create("v2", 2..5);
    play.fine();
    play.create("v2", 5..6);
    play.breaks(Rule::Batch);
}

#[test]
fn what_scaling_left_is_moved_back_and_may_not_grow_again() {
    let mut play = two_of_ten("25%", "25%");
    play.scale(1);
    play.go("v1", 2..10);
    play.go("v2", 0..1);
    play.scale(10);
    play.come("v2", 20..29);
    play.fine();
    for number in 0..8 {
        play.come("v1", 40 + number..41 + number);
        play.go("v2", 20 + number..21 + number);
    }
    play.tell(&Told::Rested);
    play.fine();
    play.create("v2", 50..51);
    play.breaks(Rule::Batch);
}

#[test]
fn what_scaling_left_has_to_be_moved_back() {
    let mut play = two_of_ten("25%", "25%");
    play.scale(1);
    play.go("v1", 2..10);
    play.go("v2", 0..1);
    play.scale(10);
    play.come("v2", 20..29);
    play.fine();
    play.tell(&Told::Rested);
    play.breaks(Rule::Batch);
}

#[test]
fn without_surge_moving_back_takes_one_more_for_a_moment() {
    let mut play = two_of_ten("0", "1");
    play.scale(1);
    play.go("v1", 2..10);
    play.go("v2", 0..1);
    play.scale(10);
    play.come("v2", 20..29);
    play.create("v1", 40..41);
    play.fine();
    play.create("v1", 41..42);
    play.breaks(Rule::Surge);
}

#[test]
fn at_nothing_the_release_starts_again() {
    let mut play = two_of_ten("25%", "25%");
    play.scale(0);
    play.go("v2", 0..2);
    play.go("v1", 2..10);
    play.write("v1", 0);
    play.scale(10);
    play.come("v1", 20..30);
    play.write("v2", 10);
    play.create("v2", 30..31);
    play.fine();
    play.ready("v2", 30..31);
    play.create("v2", 31..32);
    play.breaks(Rule::Batch);
}

#[test]
fn a_change_at_nothing_is_through_at_once() {
    let mut play = Play::at_rest(4, "1", "0", &careful());
    play.scale(0);
    play.go("v1", 0..4);
    play.begin("v2");
    play.scale(4);
    play.come("v2", 0..4);
    play.tell(&Told::Settled);
    play.fine();
}

#[test]
fn readiness_is_owed_again_once_a_scale_up_has_come_up() {
    let batches = json!([{"replicas": "50%", "pause": {}}, {"replicas": "100%"}]);
    let mut play = Play::at_rest(4, "1", "0", &batches);
    play.scale(8);
    play.create("v1", 4..8);
    play.fine();
    play.ready("v1", 4..8);
    play.begin("v2");
    play.go("v1", 0..1);
    play.breaks(Rule::Unavailable);
}
