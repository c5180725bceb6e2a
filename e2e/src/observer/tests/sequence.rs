//! The one order of the events of several watches.

use std::time::Duration;

use super::super::sequencer::Sequencer;
use super::Sighting;

const fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn pod(name: &str) -> Sighting {
    Sighting::PodGone(name.to_owned())
}

#[test]
fn effects_wait_for_their_causes() {
    let mut sequencer = Sequencer::default();
    sequencer.arrive(at(0), 12, pod("effect"));
    sequencer.arrive(at(100), 11, pod("cause"));
    assert!(sequencer.due(at(200)).is_empty());
    let due = sequencer.due(at(310));
    assert_eq!(due, [(at(100), pod("cause")), (at(0), pod("effect"))]);
    assert!(sequencer.flush().is_empty());
}

#[test]
fn what_is_not_due_stays() {
    let mut sequencer = Sequencer::default();
    sequencer.arrive(at(0), 1, pod("first"));
    sequencer.arrive(at(200), 2, pod("second"));
    assert_eq!(sequencer.due(at(300)), [(at(0), pod("first"))]);
    assert_eq!(sequencer.flush(), [(at(200), pod("second"))]);
}

#[test]
fn equal_versions_keep_their_order_of_arrival() {
    let mut sequencer = Sequencer::default();
    sequencer.arrive(at(0), 1, pod("first"));
    sequencer.arrive(at(0), 1, pod("second"));
    assert_eq!(sequencer.due(at(300)), [(at(0), pod("first")), (at(0), pod("second"))]);
}
