//! The live pods of a release, counted by role.

use crate::observer::{Role, Sight, seen};
use crate::view::{is_live, is_ready};

/// How many pods live, and how many of them are ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Live ones.
    pub live: i32,
    /// Live and ready ones.
    pub ready: i32,
}

impl Count {
    /// Exactly so many, all of them ready.
    #[must_use]
    pub fn is(self, wanted: i32) -> bool {
        self.live == wanted && self.ready == wanted
    }
}

/// The pods of each role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of the stable revision.
    pub stable: Count,
    /// Of the update.
    pub update: Count,
    /// Of revisions that were given up.
    pub given_up: Count,
}

impl Counts {
    /// Counts what is in sight.
    #[must_use]
    pub fn of(sight: &Sight<'_>) -> Self {
        let mut counts = Self::default();
        for pod in sight.view.pods.values().filter(|pod| is_live(pod)) {
            let count = match sight.judge.role(&seen::hash(pod)) {
                Role::Stable => &mut counts.stable,
                Role::Update => &mut counts.update,
                Role::GivenUp => &mut counts.given_up,
            };
            count.live += 1;
            count.ready += i32::from(is_ready(pod));
        }
        counts
    }

    /// All pods.
    #[must_use]
    pub fn all(self) -> Count {
        let all = [self.stable, self.update, self.given_up];
        Count {
            live: all.iter().map(|count| count.live).sum(),
            ready: all.iter().map(|count| count.ready).sum(),
        }
    }
}
