//! Releases at a fixed size: batches, pauses, readiness, rollback, superseding, flaps.

use std::time::Duration;

use serde_json::json;

use super::{Play, Rule, Told, careful, wishes};

#[test]
fn a_correct_release_breaks_nothing() {
    let mut play = Play::at_rest(10, "25%", "25%", &careful());
    play.begin("v2");
    play.write("v2", 10);
    play.set("v2", 1);
    play.replace("v1", "v2", 0..1);
    play.tell(&Told::Promote { batch: 1 });
    play.replace("v1", "v2", 1..2);
    play.tell(&Told::Promote { batch: 2 });
    play.write("v2", 10);
    play.replace("v1", "v2", 2..10);
    play.tell(&Told::Settled);
    play.fine();
}

#[test]
fn a_pod_before_any_release_is_found() {
    let mut play = Play::at_rest(4, "1", "0", &careful());
    play.create("v2", 0..1);
    play.breaks(Rule::Batch);
}

#[test]
fn a_pod_beyond_the_batch_is_found() {
    let mut play = Play::at_rest(10, "25%", "25%", &careful());
    play.begin("v2");
    play.create("v2", 0..1);
    play.fine();
    play.create("v2", 1..2);
    play.breaks(Rule::Batch);
}

#[test]
fn a_replica_set_beyond_the_batch_is_found_before_its_pods() {
    let mut play = Play::at_rest(10, "25%", "25%", &careful());
    play.begin("v2");
    play.set("v2", 2);
    play.breaks(Rule::Batch);
}

#[test]
fn a_batch_before_its_promote_is_found() {
    let mut play = Play::at_rest(10, "25%", "25%", &careful());
    play.begin("v2");
    play.replace("v1", "v2", 0..1);
    play.wait(3600);
    play.create("v2", 1..2);
    play.breaks(Rule::Batch);
}

#[test]
fn a_promote_of_another_batch_promotes_nothing() {
    let mut play = Play::at_rest(10, "25%", "25%", &careful());
    play.begin("v2");
    play.replace("v1", "v2", 0..1);
    play.tell(&Told::Promote { batch: 2 });
    play.create("v2", 1..2);
    play.breaks(Rule::Batch);
}

#[test]
fn a_promote_does_not_wait_away_the_readiness() {
    let mut play = Play::at_rest(10, "25%", "25%", &careful());
    play.begin("v2");
    play.create("v2", 0..1);
    play.tell(&Told::PromoteFull);
    play.create("v2", 1..2);
    play.breaks(Rule::Batch);
}

#[test]
fn the_next_batch_follows_by_itself_once_the_pods_are_ready() {
    let batches = json!([{"replicas": 2}, {"replicas": 4}, {"replicas": "100%"}]);
    let mut play = Play::at_rest(10, "25%", "25%", &batches);
    play.begin("v2");
    play.replace("v1", "v2", 0..2);
    play.create("v2", 2..4);
    play.fine();
    play.create("v2", 4..5);
    play.breaks(Rule::Batch);
}

#[test]
fn a_pause_for_a_time_is_waited_for() {
    let batches = json!([{"replicas": 1, "pause": {"duration": "10s"}}, {"replicas": "100%"}]);
    let mut early = Play::at_rest(4, "1", "0", &batches);
    early.begin("v2");
    early.replace("v1", "v2", 0..1);
    early.wait(8);
    early.create("v2", 1..2);
    early.breaks(Rule::Batch);

    let mut patient = Play::at_rest(4, "1", "0", &batches);
    patient.begin("v2");
    patient.replace("v1", "v2", 0..1);
    patient.wait(10);
    patient.create("v2", 1..2);
    patient.fine();
}

#[test]
fn min_ready_seconds_of_the_user_are_waited_for() {
    let batches = json!([{"replicas": 1}, {"replicas": "100%"}]);
    let mut early = Play::with(wishes("1", "0", 5, &batches), 4);
    early.begin("v2");
    early.replace("v1", "v2", 0..1);
    early.wait(3);
    early.create("v2", 1..2);
    early.breaks(Rule::Batch);

    let mut patient = Play::with(wishes("1", "0", 5, &batches), 4);
    patient.begin("v2");
    patient.replace("v1", "v2", 0..1);
    patient.wait(5);
    patient.create("v2", 1..2);
    patient.fine();
}

#[test]
fn a_stop_of_the_test_holds_the_next_batch() {
    let batches = json!([{"replicas": 1}, {"replicas": "100%"}]);
    let mut play = Play::at_rest(4, "1", "0", &batches);
    play.begin("v2");
    play.create("v2", 0..1);
    play.tell(&Told::Paused);
    play.ready("v2", 0..1);
    play.go("v1", 0..1);
    play.fine();
    let mut resumed = Play { judge: play.judge, ..play };
    resumed.tell(&Told::Resume);
    resumed.create("v2", 1..2);
    resumed.fine();

    let mut stopped = Play::at_rest(4, "1", "0", &batches);
    stopped.begin("v2");
    stopped.tell(&Told::Paused);
    stopped.replace("v1", "v2", 0..1);
    stopped.create("v2", 1..2);
    stopped.breaks(Rule::Batch);
}

#[test]
fn a_held_release_starts_no_pod_before_it_is_resumed() {
    let mut play = Play::at_rest(4, "1", "0", &careful());
    play.begin("v2");
    play.tell(&Told::Held);
    let mut resumed = Play::at_rest(4, "1", "0", &careful());
    resumed.begin("v2");
    resumed.tell(&Told::Held);
    resumed.tell(&Told::Resume);
    resumed.create("v2", 0..1);
    resumed.fine();
    play.create("v2", 0..1);
    play.breaks(Rule::Batch);
}

#[test]
fn too_few_ready_pods_are_found_but_not_those_that_fell_by_themselves() {
    let mut play = Play::at_rest(4, "1", "25%", &careful());
    play.begin("v2");
    play.go("v1", 0..1);
    play.create("v2", 0..1);
    // This one lost its readiness by itself, then it was replaced.
    play.pod("v1", 1, false, false);
    play.fine();
    play.pod("v1", 1, false, true);
    play.create("v1", 11..12);
    play.fine();
    play.ready("v1", 11..12);
    play.go("v1", 2..3);
    play.breaks(Rule::Unavailable);
}

#[test]
fn too_many_pods_are_found() {
    let mut play = Play::at_rest(4, "1", "0", &careful());
    play.create("v1", 4..5);
    play.fine();
    play.create("v1", 5..6);
    play.breaks(Rule::Surge);
}

#[test]
fn stable_pods_may_not_go_beyond_the_batch() {
    let mut play = Play::at_rest(10, "25%", "25%", &careful());
    play.begin("v2");
    play.go("v1", 0..1);
    play.fine();
    play.go("v1", 1..2);
    play.breaks(Rule::Stable);
}

#[test]
fn at_rest_no_pod_is_restarted() {
    let mut play = Play::at_rest(4, "1", "50%", &careful());
    play.go("v1", 0..1);
    play.breaks(Rule::Stable);
}

#[test]
fn a_pod_that_the_test_ends_is_excused_once() {
    let mut play = Play::at_rest(4, "1", "0", &careful());
    play.tell(&Told::Excuse { pods: vec!["v1-0".to_owned()] });
    play.go("v1", 0..1);
    play.come("v1", 4..5);
    play.fine();
    play.go("v1", 1..2);
    play.breaks(Rule::Unavailable);
}

#[test]
fn on_the_way_back_the_update_does_not_grow() {
    let mut play = Play::at_rest(10, "25%", "25%", &careful());
    play.begin("v2");
    play.replace("v1", "v2", 0..1);
    play.tell(&Told::Promote { batch: 1 });
    play.replace("v1", "v2", 1..2);
    play.tell(&Told::Return);
    play.write("v1", 10);
    play.come("v1", 20..22);
    play.go("v2", 0..2);
    play.fine();
    play.create("v2", 5..8);
    play.breaks(Rule::Batch);
}

/// Ten replicas, two of them v2 in the second batch, and then v3.
fn superseded(surge: &str, unavailable: &str) -> Play {
    let mut play = Play::at_rest(10, surge, unavailable, &careful());
    play.begin("v2");
    play.go("v1", 0..1);
    play.come("v2", 0..1);
    play.tell(&Told::Promote { batch: 1 });
    play.go("v1", 1..2);
    play.come("v2", 1..2);
    play.begin("v3");
    play.go("v2", 0..1);
    play.come("v3", 0..1);
    play.fine();
    play
}

#[test]
fn a_third_revision_has_batches_of_its_own() {
    let mut play = superseded("25%", "25%");
    play.create("v3", 1..2);
    play.breaks(Rule::Batch);
}

#[test]
fn a_superseded_revision_gives_its_pods_to_the_next() {
    let mut play = superseded("0", "1");
    // Two new pods were allowed, whatever their version: not even a lost stable one gives its
    // place to a third.
    play.tell(&Told::Excuse { pods: vec!["v1-9".to_owned()] });
    play.go("v1", 9..10);
    play.fine();
    play.create("v2", 7..8);
    play.breaks(Rule::Batch);
}

/// A word is said before its deed: what ends a release may still be on its way.
#[test]
fn a_release_goes_on_until_its_end_is_written() {
    let batches = json!([{"replicas": 1}, {"replicas": 2}, {"replicas": 3}, {"replicas": "100%"}]);
    for end in [Told::Begin, Told::Return] {
        let mut play = Play::at_rest(4, "1", "0", &batches);
        play.begin("v2");
        play.replace("v1", "v2", 0..1);
        play.tell(&end);
        play.replace("v1", "v2", 1..2);
        play.fine();
        let template = if end == Told::Begin { "v3" } else { "v1" };
        play.write(template, 4);
        // Of what was allowed by then.
        play.create("v2", 2..3);
        play.fine();
        play.ready("v2", 2..3);
        play.go("v1", 2..3);
        play.fine();
        play.create("v2", 3..4);
        play.breaks(Rule::Batch);
    }
}

#[test]
fn a_pod_that_is_on_its_way_out_leaves_its_place() {
    let mut play = Play::at_rest(4, "0", "1", &careful());
    play.begin("v2");
    play.set("v1", 3);
    play.set("v2", 1);
    play.create("v2", 0..1);
    play.fine();
    play.set("v1", 4);
    play.create("v1", 4..5);
    play.breaks(Rule::Surge);
}

#[test]
fn settled_means_one_revision() {
    let mut play = Play::at_rest(4, "1", "0", &careful());
    play.begin("v2");
    play.replace("v1", "v2", 0..1);
    play.tell(&Told::Settled);
    play.breaks(Rule::Batch);
}

#[test]
fn a_spec_that_moves_to_and_fro_is_found() {
    let mut play = Play::at_rest(4, "1", "0", &careful());
    play.begin("v2");
    play.write("v1", 4);
    play.breaks(Rule::Flap);

    let mut busy = Play::at_rest(4, "1", "0", &careful());
    busy.begin("v2");
    (0..30).for_each(|_| busy.write("v2", 4));
    busy.breaks(Rule::Flap);
}

#[test]
fn a_frozen_spec_may_not_move_at_all() {
    let mut play = Play::at_rest(4, "1", "0", &careful());
    play.begin("v2");
    play.replace("v1", "v2", 0..1);
    play.tell(&Told::Freeze);
    // An annotation moves the generation, but not the spec.
    play.deployment.generation += 1;
    play.see(super::Sighting::Deployment(play.deployment.clone()));
    play.fine();
    play.write("v2", 4);
    play.breaks(Rule::Flap);
}

#[test]
fn nobody_else_scales() {
    let mut play = Play::at_rest(4, "1", "0", &careful());
    play.begin("v2");
    play.write("v2", 5);
    play.breaks(Rule::Replicas);
}

#[test]
fn one_and_two_and_three_replicas_have_their_counts() {
    let batches = json!([{"replicas": "20%"}, {"replicas": "50%"}, {"replicas": "100%"}]);
    let wishes = wishes("25%", "25%", 0, &batches);
    let counts = |n| (0..3).map(|batch| wishes.allowed(batch, n)).collect::<Vec<_>>();
    assert_eq!(counts(0), [0, 0, 0]);
    assert_eq!(counts(1), [1, 1, 1]);
    assert_eq!(counts(2), [1, 1, 2]);
    assert_eq!(counts(3), [1, 2, 3]);
    assert_eq!(counts(10), [2, 5, 10]);
    let none = super::wishes("0", "1", 0, &batches);
    assert_eq!(none.allowed(0, 1), 0);
    assert_eq!(wishes.min_ready, Duration::ZERO);
}
