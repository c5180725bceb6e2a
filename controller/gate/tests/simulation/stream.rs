//! The streams of requests that the judges are tried on: what they are like, and one release's.

use gate::{Counts, Look};

use crate::rng::Rng;

/// How errors come about.
#[derive(Clone, Copy)]
pub enum Errors {
    /// Each request by itself.
    Alone,
    /// At each look both versions have the same share, which varies: beta, of this correlation.
    Weather(f64),
    /// At each look every pod has a share of its own: beta-binomial, of this correlation.
    Pods(f64),
    /// One cause makes several requests fail: bursts of this mean size.
    Bursts(f64),
}

/// One kind of stream.
#[derive(Clone, Copy)]
pub struct Stream {
    pub name: &'static str,
    pub errors: Errors,
    /// Share of requests that fail in a healthy version.
    pub share: f64,
    /// Requests of one pod between two looks.
    pub requests: u64,
    /// Pods of the new version and of the stable one.
    pub pods: (u64, u64),
}

impl Stream {
    /// Requests of the new version between two looks.
    pub fn new_requests(&self) -> u64 {
        self.requests * self.pods.0
    }

    /// The intervals before a release, and its looks; the new version fails `worse` times as
    /// often as the stable one, from the look `from` on.
    pub fn release(&self, seed: u64, sizes: (usize, usize), worse: f64, from: usize) -> Release {
        let mut rng = Rng::new(seed);
        let (past, looks) = sizes;
        let past = (0..past).map(|_| self.look(&mut rng, 1.0).stable).collect();
        let times = |number: usize| if number < from { 1.0 } else { worse };
        let looks = (0..looks).map(|number| self.look(&mut rng, times(number))).collect();
        Release { past, looks }
    }

    fn look(&self, rng: &mut Rng, worse: f64) -> Look {
        let share = match self.errors {
            Errors::Weather(rho) => rng.beta(self.share, rho),
            _ => self.share,
        };
        let stable = self.arm(rng, self.pods.1, share);
        let new = self.arm(rng, self.pods.0, (worse * share).min(1.0));
        Look { new, stable }
    }

    fn arm(&self, rng: &mut Rng, pods: u64, share: f64) -> Vec<Counts> {
        (0..pods).map(|_| Counts::new(self.errors(rng, share), self.requests).unwrap()).collect()
    }

    /// Those of one pod.
    fn errors(&self, rng: &mut Rng, share: f64) -> u64 {
        match self.errors {
            Errors::Alone | Errors::Weather(_) => rng.binomial(self.requests, share),
            Errors::Pods(rho) => {
                let own = rng.beta(share, rho);
                rng.binomial(self.requests, own)
            }
            Errors::Bursts(mean) => {
                let bursts = rng.binomial(self.requests, share / mean);
                (0..bursts).map(|_| rng.geometric(mean)).sum::<u64>().min(self.requests)
            }
        }
    }
}

/// What happened in one release.
pub struct Release {
    pub past: Vec<Vec<Counts>>,
    pub looks: Vec<Look>,
}
