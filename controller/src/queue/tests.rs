//! Tests of queue.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::*;

fn key(name: &str) -> Key {
    Key::new("ns", name)
}

fn start() -> Instant {
    runtime::clock::instant()
}

#[test]
fn many_requests_become_one_run() {
    let (now, mut queue) = (start(), Queue::default());
    for _ in 0..5 {
        queue.add(&key("a"), now);
    }
    assert_eq!(queue.take(now), Some(key("a")));
    assert_eq!(queue.take(now), None);
    queue.done(&key("a"), Next::Wait, now);
    assert_eq!((queue.take(now), queue.next_due()), (None, None));
}

#[test]
fn one_rollout_never_runs_twice_at_once() {
    let (now, mut queue) = (start(), Queue::default());
    queue.add(&key("a"), now);
    assert!(queue.take(now).is_some());
    queue.add(&key("a"), now);
    assert_eq!(queue.take(now), None);
    queue.done(&key("a"), Next::Wait, now);
    assert_eq!(queue.take(now), Some(key("a")));
}

#[test]
fn the_earlier_moment_wins() {
    let (now, mut queue) = (start(), Queue::default());
    let later = now + Duration::from_secs(60);
    queue.add(&key("a"), later);
    queue.add(&key("a"), now);
    queue.add(&key("a"), later);
    assert_eq!(queue.take(now), Some(key("a")));
    queue.done(&key("a"), Next::At(later), now);
    assert_eq!(queue.take(now), None);
    assert_eq!(queue.next_due(), Some(later));
    assert_eq!(queue.take(later), Some(key("a")));
}

#[test]
fn what_happens_in_a_run_is_not_lost_to_its_wake() {
    let (now, mut queue) = (start(), Queue::default());
    queue.add(&key("a"), now);
    queue.take(now);
    queue.add(&key("a"), now);
    queue.done(&key("a"), Next::At(now + Duration::from_secs(60)), now);
    assert_eq!(queue.take(now), Some(key("a")));
}

#[test]
fn failures_wait_longer_and_success_forgets_them() {
    let (mut now, mut queue) = (start(), Queue::default());
    let mut waits = Vec::new();
    for _ in 0..12 {
        queue.add(&key("a"), now);
        queue.take(now);
        queue.done(&key("a"), Next::Retry, now);
        let due = queue.next_due().unwrap();
        waits.push(due - now);
        now = due;
    }
    assert!(waits[0] <= Duration::from_millis(100), "{waits:?}");
    assert!(waits[11] >= Duration::from_millis(7500), "{waits:?}");
    assert!(waits[11] <= Duration::from_secs(15), "{waits:?}");
    queue.take(now);
    queue.done(&key("a"), Next::Wait, now);
    queue.add(&key("a"), now);
    queue.take(now);
    queue.done(&key("a"), Next::Retry, now);
    assert!(queue.next_due().unwrap() - now <= Duration::from_millis(100));
}

#[test]
fn an_event_cuts_a_retry_short() {
    let (now, mut queue) = (start(), Queue::default());
    queue.add(&key("a"), now);
    queue.take(now);
    queue.done(&key("a"), Next::Retry, now);
    queue.add(&key("a"), now);
    assert_eq!(queue.take(now), Some(key("a")));
}

#[test]
fn failures_are_remembered_although_events_come_between() {
    let (now, mut queue) = (start(), Queue::default());
    queue.add(&key("a"), now);
    for _ in 0..10 {
        queue.take(now);
        queue.add(&key("a"), now);
        queue.done(&key("a"), Next::Retry, now);
    }
    queue.take(now);
    queue.done(&key("a"), Next::Retry, now);
    assert!(queue.next_due().unwrap() - now > Duration::from_secs(1));
}

#[test]
fn what_is_gone_is_forgotten() {
    let (now, mut queue) = (start(), Queue::default());
    queue.add(&key("a"), now);
    queue.take(now);
    queue.done(&key("a"), Next::Forget, now);
    assert!(queue.entries.is_empty() && queue.due.is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8, u8),
    Take,
    Done(u8),
    Tick(u8),
}

proptest! {
    /// However it is used: no Rollout twice at once, every request is followed by a run that
    /// begins after it, and nothing runs before it is due.
    #[test]
    fn every_request_is_served(steps in prop::collection::vec(prop_oneof![
        (0..3_u8, 0..5_u8).prop_map(|(key, wait)| Step::Add(key, wait)),
        Just(Step::Take),
        (0..3_u8).prop_map(Step::Done),
        (1..4_u8).prop_map(Step::Tick),
    ], 0..60)) {
        let (mut now, mut queue) = (start(), Queue::default());
        let mut running: Vec<Key> = Vec::new();
        let mut asked: std::collections::HashMap<Key, Instant> = Default::default();
        let name = |number: u8| key(&number.to_string());
        for step in steps {
            match step {
                Step::Add(number, wait) => {
                    let at = now + Duration::from_secs(wait.into());
                    let due = asked.entry(name(number)).or_insert(at);
                    *due = at.min(*due);
                    queue.add(&name(number), at);
                }
                Step::Take => if let Some(key) = queue.take(now) {
                    prop_assert!(!running.contains(&key));
                    let due = asked.remove(&key);
                    prop_assert!(due.is_some_and(|due| due <= now));
                    running.push(key);
                },
                Step::Done(number) => if let Some(at) =
                    running.iter().position(|key| *key == name(number))
                {
                    let key = running.remove(at);
                    queue.done(&key, Next::Wait, now);
                },
                Step::Tick(seconds) => now += Duration::from_secs(seconds.into()),
            }
        }
        for key in running.drain(..) {
            queue.done(&key, Next::Wait, now);
        }
        now += Duration::from_secs(10);
        while let Some(key) = queue.take(now) {
            prop_assert!(asked.remove(&key).is_some());
            queue.done(&key, Next::Wait, now);
        }
        prop_assert!(asked.is_empty(), "{asked:?}");
        prop_assert!(queue.entries.is_empty());
    }
}
