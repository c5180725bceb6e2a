//! Which set is due when.

use std::time::Duration;

use tokio::time::Instant;

use super::super::queue::{Key, Queue};

fn key(name: &str) -> Key {
    Key { namespace: "shop".to_owned(), name: name.to_owned() }
}

#[test]
fn each_stands_once_at_its_earliest_time() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let later = now + Duration::from_secs(9);
    queue.add(key("a"), later);
    queue.add(key("b"), now + Duration::from_secs(1));
    queue.add(key("a"), now);
    queue.add(key("a"), later);
    assert_eq!(queue.next(), Some((key("a"), now)));
    queue.take(&key("a"));
    assert_eq!(queue.next(), Some((key("b"), now + Duration::from_secs(1))));
    queue.take(&key("b"));
    assert_eq!(queue.next(), None);
}

#[test]
fn failures_wait_longer_until_one_succeeds() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let mut wait = || {
        queue.failed(key("a"), now);
        let (_, at) = queue.next().unwrap();
        queue.take(&key("a"));
        at - now
    };
    let waits: Vec<Duration> = (0..20).map(|_| wait()).collect();
    assert_eq!(waits[..2], [Duration::from_millis(50), Duration::from_millis(100)]);
    assert!(waits.is_sorted());
    assert_eq!(waits[19], Duration::from_secs(10));
    queue.succeeded(&key("a"));
    queue.failed(key("a"), now);
    assert_eq!(queue.next(), Some((key("a"), now + Duration::from_millis(50))));
}
