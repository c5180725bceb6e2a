//! Where the test's release may be: which revisions may have how many pods at this moment. Knows
//! the user's wishes and what the test told; counts no pods itself.

use std::collections::BTreeMap;
use std::time::Duration;

use crds::GepDuration;

use super::Wishes;
use super::census::Role;

/// The apiserver keeps moments in whole seconds, so a wait may look this much too short.
const GRAIN: Duration = Duration::from_millis(1200);

/// What may run.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// No release: one revision and no other; None until the first is seen.
    Rest(Option<String>),
    /// A release is on.
    Release(Release),
}

/// A release on its way, or on its way back.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The revision that it leaves.
    pub stable: Option<String>,
    /// The batch it may be in, 0 for the first.
    pub batch: usize,
    /// Revisions that were given up, and the pods that each may still have.
    pub given_up: BTreeMap<String, i32>,
    /// The most pods that any revision but the stable one was ever allowed.
    pub high: i32,
    /// The stable template is on its way back: no revision but that may grow.
    pub returning: bool,
    /// It was scaled on its way.
    pub scaled: bool,
    /// Not even the first batch may start.
    pub held: bool,
    /// The test stopped it.
    pub paused: bool,
    started: Duration,
    ready_at: Option<Duration>,
    promoted: Option<usize>,
    full: bool,
    leaving: Option<Box<Leaving>>,
}

/// A release that the test is about to end. Until the write that ends it is there it goes on by its
/// own rules.
#[derive(Clone, Debug, PartialEq)]
struct Leaving {
    release: Release,
    revisions: Vec<String>,
}

impl Release {
    fn new(stable: Option<String>, now: Duration) -> Self {
        Self {
            stable,
            batch: 0,
            given_up: BTreeMap::new(),
            high: 0,
            returning: false,
            scaled: false,
            held: false,
            paused: false,
            started: now,
            ready_at: None,
            promoted: None,
            full: false,
            leaving: None,
        }
    }

    /// These revisions of `last` get no more pods than it allows them until `left`.
    fn leave(&mut self, last: Self, revisions: &[String], allowed: i32) {
        for revision in revisions {
            self.given_up.entry(revision.clone()).or_insert(allowed);
        }
        let revisions = revisions.to_vec();
        let release = Self { leaving: None, ..last };
        self.leaving = Some(Box::new(Leaving { release, revisions }));
    }

    /// The stable template is about to come back; `news` are the revisions that the release has
    /// brought so far, with at most `allowed` pods.
    pub fn turn_back(&mut self, news: &[String], allowed: i32) {
        let last = self.clone();
        self.returning = true;
        self.leave(last, news, allowed);
    }

    /// The write that ends the release before is there.
    pub fn left(&mut self) {
        self.leaving = None;
    }

    /// Goes on with the release before, if its end is not there yet. `ready` gives the moments
    /// since when the live pods of some revisions have been ready, in order.
    pub fn advance_leaving(
        &mut self,
        wishes: &Wishes,
        replicas: i32,
        ready: impl FnOnce(&[String]) -> Vec<Duration>,
        now: Duration,
    ) {
        let Some(leaving) = self.leaving.as_deref_mut() else { return };
        let Leaving { release, revisions } = leaving;
        if !release.is_open() {
            return;
        }
        release.advance(wishes, replicas, &ready(revisions), now);
        let allowed = wishes.allowed(release.batch, replicas);
        for revision in revisions {
            let most = self.given_up.entry(revision.clone()).or_default();
            *most = allowed.max(*most);
        }
        self.high = self.high.max(allowed);
    }

    /// The test promotes from batch `batch` (1 for the first).
    pub fn promote(&mut self, batch: usize) {
        self.promoted = Some(batch - 1);
    }

    /// The test promotes to the end.
    pub fn promote_full(&mut self) {
        self.full = true;
    }

    /// The test takes its stop back.
    pub fn resume(&mut self) {
        (self.held, self.paused) = (false, false);
    }

    /// Batches may be begun.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.returning && !self.held
    }

    /// Nothing runs any more: the release starts again when something does.
    pub fn restart(&mut self, now: Duration) {
        self.batch = 0;
        self.started = now;
        (self.ready_at, self.promoted, self.full) = (None, None, false);
    }

    /// Goes on as far as the rules of the Rollout let it. `ready` are the moments since when the
    /// live pods of the update have been ready, in order.
    pub fn advance(&mut self, wishes: &Wishes, replicas: i32, ready: &[Duration], now: Duration) {
        while self.is_open() && !wishes.is_last(self.batch) {
            let wanted = usize::try_from(wishes.allowed(self.batch, replicas)).unwrap_or(0);
            if self.ready_at.is_none() {
                self.ready_at = reached(wanted, ready, wishes.min_ready)
                    .map(|at| at.max(self.started))
                    .filter(|at| *at <= now);
            }
            let Some(over) = self.ready_at.and_then(|at| self.over(wishes, at, now)) else {
                return;
            };
            if self.paused {
                return;
            }
            self.batch += 1;
            (self.started, self.ready_at) = (over, None);
        }
    }

    /// The moment when the pause after a batch that was ready `at` was over, if it is.
    fn over(&self, wishes: &Wishes, at: Duration, now: Duration) -> Option<Duration> {
        let pause = wishes.batches[self.batch].pause.as_ref();
        let free = self.full || self.promoted == Some(self.batch);
        match pause.map(|pause| pause.duration.map(GepDuration::get)) {
            None => Some(at),
            Some(_) if free => Some(now),
            Some(None) => None,
            Some(Some(wait)) => Some(at + wait.saturating_sub(GRAIN)).filter(|over| *over <= now),
        }
    }
}

/// The moment when `wanted` pods had been ready for long enough, if so many are ready.
fn reached(wanted: usize, ready: &[Duration], min_ready: Duration) -> Option<Duration> {
    match wanted {
        0 => Some(Duration::ZERO),
        _ => ready.get(wanted - 1).map(|since| *since + min_ready.saturating_sub(GRAIN)),
    }
}

impl Course {
    /// A new template is about to come; `news` are the revisions that a running release has
    /// brought so far, with at most `allowed` pods.
    pub fn begin(&mut self, news: &[String], allowed: i32, now: Duration) {
        *self = match std::mem::replace(self, Self::Rest(None)) {
            Self::Rest(stable) => Self::Release(Release::new(stable, now)),
            Self::Release(last) => {
                let mut next = Release::new(last.stable.clone(), now);
                next.high = last.high;
                next.given_up.clone_from(&last.given_up);
                next.leave(last, news, allowed);
                Self::Release(next)
            }
        };
    }

    /// The release, if one is on.
    pub fn release(&mut self) -> Option<&mut Release> {
        match self {
            Self::Rest(_) => None,
            Self::Release(release) => Some(release),
        }
    }

    /// What a revision is to the release.
    #[must_use]
    pub fn role(&self, hash: &str) -> Role {
        match self {
            Self::Rest(None) => Role::Stable,
            Self::Rest(Some(stable)) if stable == hash => Role::Stable,
            Self::Rest(Some(_)) => Role::Update,
            Self::Release(release) if release.stable.as_deref() == Some(hash) => Role::Stable,
            Self::Release(release) if release.given_up.contains_key(hash) => Role::GivenUp,
            Self::Release(_) => Role::Update,
        }
    }
}
