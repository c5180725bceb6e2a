//! Which Rollouts are due, and when. Pure. One Rollout is never handed out twice at once, however
//! often it is asked for; requests for the same Rollout become one.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use runtime::Backoff;
use tokio::time::Instant;

use crate::key::Key;

/// After an error: soon at first, and never rarer than people would wait.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(15);

/// The Rollouts that are due or running.
#[derive(Debug, Default)]
pub struct Queue {
    due: BTreeSet<(Instant, Key)>,
    entries: HashMap<Key, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Its place in `due`, or when it is due again once it has ended running.
    at: Option<Instant>,
    running: bool,
    backoff: Backoff,
}

/// What follows a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing before something happens.
    Wait,
    /// At this moment, if nothing happens before.
    At(Instant),
    /// After a wait that grows with each failure.
    Retry,
    /// It is gone.
    Forget,
}

impl Queue {
    /// Asks for a run at `at`; an earlier one that is already asked for stays.
    pub fn add(&mut self, key: &Key, at: Instant) {
        let entry = self.entries.entry(key.clone()).or_insert_with(|| Entry {
            at: None,
            running: false,
            backoff: Backoff::new(RETRY_FIRST, RETRY_MAX),
        });
        if entry.at.is_some_and(|earlier| earlier <= at) {
            return;
        }
        let later = entry.at.replace(at);
        if !entry.running {
            if let Some(later) = later {
                self.due.remove(&(later, key.clone()));
            }
            self.due.insert((at, key.clone()));
        }
    }

    /// The first Rollout that is due, to be run now.
    pub fn take(&mut self, now: Instant) -> Option<Key> {
        if self.next_due()? > now {
            return None;
        }
        let (_, key) = self.due.pop_first()?;
        let entry = self.entries.get_mut(&key)?;
        entry.at = None;
        entry.running = true;
        Some(key)
    }

    /// When the next one is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// A run has ended.
    pub fn done(&mut self, key: &Key, next: Next, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.running = false;
        // Asked for while it ran.
        let asked = entry.at.take();
        let at = match next {
            Next::Retry => Some(now + entry.backoff.next_delay()),
            Next::Wait | Next::Forget => None,
            Next::At(at) => Some(at),
        };
        if next != Next::Retry {
            entry.backoff.reset();
        }
        match [asked, at].into_iter().flatten().min() {
            Some(at) => self.add(key, at),
            None => {
                self.entries.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
