//! Which set is due when, and how long one that failed has to wait. Pure: time comes from outside.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A set's namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Each set stands in it once.
#[derive(Debug, Default)]
pub struct Queue {
    due: BTreeMap<Key, Instant>,
    failures: BTreeMap<Key, u32>,
}

impl Queue {
    /// At this time at the latest.
    pub fn add(&mut self, key: Key, at: Instant) {
        let due = self.due.entry(key).or_insert(at);
        *due = at.min(*due);
    }

    /// The next one and its time; those that wait longest come first.
    pub fn next(&self) -> Option<(Key, Instant)> {
        let (key, at) = self.due.iter().min_by_key(|(_, at)| **at)?;
        Some((key.clone(), *at))
    }

    /// It is taken up.
    pub fn take(&mut self, key: &Key) {
        self.due.remove(key);
    }

    /// It went well.
    pub fn succeeded(&mut self, key: &Key) {
        self.failures.remove(key);
    }

    /// It did not, and has its turn again; the longer, the more often.
    pub fn failed(&mut self, key: Key, now: Instant) {
        let failures = self.failures.entry(key.clone()).or_default();
        let wait = FIRST_WAIT.saturating_mul(1 << (*failures).min(16)).min(LONGEST_WAIT);
        *failures += 1;
        self.add(key, now + wait);
    }
}
