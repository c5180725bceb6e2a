//! The pods that live, and how many of which kind.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::seen::PodSeen;

/// A pod and what the judge remembers of it.
#[derive(Clone, Debug)]
pub struct Pod {
    /// As it was seen last.
    pub seen: PodSeen,
    /// Since when it has been ready, if it is.
    pub ready_since: Option<Duration>,
    was_ready: bool,
}

impl Pod {
    /// The pod after `last`, seen `now`.
    #[must_use]
    pub fn after(last: Option<&Self>, seen: PodSeen, now: Duration) -> Self {
        let since = now.saturating_sub(seen.ready_for);
        let since = last.and_then(|pod| pod.ready_since).unwrap_or(since);
        Self {
            ready_since: seen.ready.then_some(since),
            was_ready: seen.ready || last.is_some_and(|pod| pod.was_ready),
            seen,
        }
    }

    /// It counts: it is not on its way out.
    #[must_use]
    pub fn lives(&self) -> bool {
        !self.seen.ending
    }

    /// It lost its readiness by itself.
    #[must_use]
    pub fn lost(&self) -> bool {
        self.was_ready && !self.seen.ready
    }

    /// What is new about it, in a word.
    #[must_use]
    pub fn news(last: Option<&Self>, seen: &PodSeen) -> Option<&'static str> {
        match last.map(|pod| &pod.seen) {
            None if seen.ready => Some("created, ready"),
            None => Some("created"),
            Some(last) if seen.ending && !last.ending => Some("ending"),
            Some(last) if seen.ready && !last.ready => Some("ready"),
            Some(last) if !seen.ready && last.ready && !seen.ending => Some("not ready"),
            Some(_) => None,
        }
    }
}

/// What a revision is to the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one that runs at rest, or that the release leaves.
    Stable,
    /// The one that the release goes to.
    Update,
    /// One that the release went to before another template came.
    GivenUp,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stable => "stable",
            Self::Update => "update",
            Self::GivenUp => "given up",
        })
    }
}

/// How many pods of which kind live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Ready ones.
    pub ready: i32,
    /// Those that lost their readiness by themselves.
    pub lost: i32,
    /// Of the stable revision.
    pub stable: i32,
    /// Of the update.
    pub update: i32,
    /// Of each revision that was given up.
    pub given_up: BTreeMap<String, i32>,
    /// Of each revision, whatever its role.
    pub by_hash: BTreeMap<String, i32>,
}

impl Census {
    /// Counts `pods` by the role of their revision.
    pub fn of<'a>(pods: impl Iterator<Item = &'a Pod>, role: impl Fn(&str) -> Role) -> Self {
        let mut census = Self::default();
        for pod in pods.filter(|pod| pod.lives()) {
            census.ready += i32::from(pod.seen.ready);
            census.lost += i32::from(pod.lost());
            *census.by_hash.entry(pod.seen.hash.clone()).or_default() += 1;
            match role(&pod.seen.hash) {
                Role::Stable => census.stable += 1,
                Role::Update => census.update += 1,
                Role::GivenUp => *census.given_up.entry(pod.seen.hash.clone()).or_default() += 1,
            }
        }
        census
    }

    /// All pods.
    #[must_use]
    pub fn total(&self) -> i32 {
        self.by_hash.values().sum()
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stable, {} update", self.stable, self.update)?;
        for (hash, count) in &self.given_up {
            write!(f, ", {count} of {hash}")?;
        }
        write!(f, "; {} ready, {} lost", self.ready, self.lost)
    }
}
