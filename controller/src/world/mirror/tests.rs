//! Late, repeated and lost events, and lists from before a write of ours.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn raw(name: &str, uid: u32, version: u32) -> Raw {
    Raw::new(json!({ "metadata": { "namespace": "ns", "name": name,
        "uid": uid.to_string(), "resourceVersion": version.to_string() } }))
    .unwrap()
}

fn entry(uid: u32, version: u32) -> Entry<u32> {
    Entry::new(&raw("a", uid, version), version)
}

fn key() -> Key {
    Key::new("ns", "a")
}

fn version_of(mirror: &Mirror<u32>) -> Option<u32> {
    mirror.get(&key()).map(|entry| entry.value)
}

#[test]
fn a_deleted_object_may_be_made_again() {
    let mut mirror = Mirror::default();
    mirror.put(&key(), entry(1, 5));
    mirror.remove_own(&key());
    assert!(!mirror.put(&key(), entry(1, 5)));
    assert!(mirror.put(&key(), entry(2, 9)));
    // The end of the first one is late.
    assert!(!mirror.remove(&key(), "1", raw("a", 1, 7).version()));
    assert_eq!(version_of(&mirror), Some(9));
}

#[test]
fn what_a_list_shows_of_a_deleted_object_does_not_bring_it_back() {
    let mut mirror = Mirror::default();
    mirror.put(&key(), entry(1, 5));
    mirror.remove_own(&key());
    mirror.list_begins();
    mirror.put(&key(), entry(1, 5));
    assert_eq!(mirror.list_ends(), []);
    mirror.put(&key(), entry(1, 6));
    assert_eq!(version_of(&mirror), None);
}

#[test]
fn a_deletion_that_a_list_confirms_is_forgotten() {
    let mut mirror = Mirror::default();
    mirror.put(&key(), entry(1, 5));
    mirror.remove_own(&key());
    mirror.list_begins();
    mirror.list_ends();
    assert!(mirror.deleted.is_empty());
}

#[test]
fn versions_without_order_are_taken_as_they_come() {
    let mut mirror = Mirror::default();
    for text in ["b", "a", "c"] {
        let raw = Raw::new(json!({ "metadata": { "namespace": "ns", "name": "a", "uid": "1",
            "resourceVersion": text } }))
        .unwrap();
        mirror.put(&key(), Entry::new(&raw, text.len()));
        assert_eq!(mirror.get(&key()).unwrap().resource_version, text);
    }
}

proptest! {
    /// Whatever order own writes and the watch's events come in, and however often an event is
    /// repeated: the object never goes back in time, and ends where the watch ends.
    #[test]
    fn time_goes_one_way(
        own in prop::collection::vec(1..50_u32, 0..10),
        cuts in prop::collection::vec(0..10_usize, 0..10),
    ) {
        let mut mirror = Mirror::default();
        let mut events = 1..=50_u32;
        let mut highest = 0;
        for (version, cut) in own.into_iter().zip(cuts) {
            mirror.put(&key(), entry(1, version));
            highest = highest.max(version);
            prop_assert_eq!(version_of(&mirror), Some(highest));
            for version in events.by_ref().take(cut) {
                mirror.put(&key(), entry(1, version));
                highest = highest.max(version);
                prop_assert_eq!(version_of(&mirror), Some(highest));
            }
        }
        for version in events {
            mirror.put(&key(), entry(1, version));
        }
        prop_assert_eq!(version_of(&mirror), Some(50));
        prop_assert!(mirror.remove(&key(), "1", raw("a", 1, 51).version()));
        prop_assert_eq!(version_of(&mirror), None);
    }
}
