//! The streams of requests that the judges are tried on: what they are like, and one release's.

use gate::{Counts, Look};

use crate::rng::Rng;
use crate::streams::Claim;
use crate::table::{Table, beta_binomial, binomial, bursts, normal};

/// Looks in one release.
pub const LOOKS: usize = 30;
/// Intervals before it.
pub const PAST: usize = 20;

/// What is counted as bad.
#[derive(Clone, Copy)]
pub enum Signal {
    /// Failed requests, this share of a healthy version's.
    Errors(f64),
    /// Requests slower than the bound, which is so many times the median of a healthy version's.
    /// Latencies are log-logistic, of shape 3: their tail is heavy.
    Latency(f64),
}

/// How it comes about.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Each request by itself.
    Alone,
    /// At each look both versions are hit alike: log-normal, of this deviation.
    Weather(f64),
    /// At each look every pod has a share of its own: beta, of this correlation of two requests.
    Pods(f64),
    /// At each look every pod is hit by itself: log-normal, of this deviation.
    Neighbours(f64),
    /// Every pod is hit by itself and once for the whole release: log-normal, of this deviation.
    Nodes(f64),
    /// One cause makes several requests fail: bursts of this mean size.
    Bursts(f64),
}

/// One kind of stream.
#[derive(Clone, Copy)]
pub struct Stream {
    pub name: &'static str,
    pub signal: Signal,
    pub kind: Kind,
    /// Requests of one pod between two looks.
    pub requests: usize,
    /// Pods of the new version and of the stable one.
    pub pods: (usize, usize),
    /// A bad version is bad from this look on.
    pub turns: usize,
    /// Of the terms: so many times stable's share is acceptable.
    pub ratio: &'static str,
    pub claim: Claim,
}

/// What happened in one release.
pub struct Release {
    pub past: Vec<Vec<Counts>>,
    pub looks: Vec<Look>,
}

/// Draws releases of one stream.
pub struct Source {
    kind: Kind,
    requests: usize,
    pods: (usize, usize),
    pub turns: usize,
    /// Of the levels: how hard a look or a pod is hit.
    levels: Table,
    /// Bad requests of a pod, at each level.
    stable: Vec<Table>,
    new: Vec<Table>,
}

impl Stream {
    /// Requests of the new version between two looks.
    pub fn new_requests(&self) -> usize {
        self.requests * self.pods.0
    }

    /// What the proof of alpha asks for, rounded up, where it covers this stream: variance over
    /// mean, as for bursts explained at the factor.
    pub fn proved_dispersion(&self) -> Option<String> {
        let dispersion = match self.kind {
            Kind::Alone | Kind::Weather(_) => 1.0,
            Kind::Pods(rho) => 1.0 + self.requests as f64 * rho / (1.0 - rho),
            Kind::Bursts(mean) => 1.0 + (0..99).fold(2.0 * mean, |t, _| mean * f64::ln_1p(t)),
            Kind::Neighbours(_) | Kind::Nodes(_) => return None,
        };
        Some(format!("{:.2}", (dispersion * 100.0).ceil() / 100.0))
    }

    /// Draws releases whose new version is so many times worse.
    pub fn source(&self, worse: f64) -> Source {
        let levels = self.levels();
        let tables = |worse| levels.iter().map(|(level, _)| self.table(worse * level)).collect();
        Source {
            kind: self.kind,
            requests: self.requests,
            pods: self.pods,
            turns: self.turns,
            stable: tables(1.0),
            new: tables(worse),
            levels: Table::new(&levels.iter().map(|(_, weight)| *weight).collect::<Vec<_>>()),
        }
    }

    /// How hard a look or pod may be hit, with weights.
    fn levels(&self) -> Vec<(f64, f64)> {
        match self.kind {
            Kind::Weather(deviation) | Kind::Neighbours(deviation) | Kind::Nodes(deviation) => {
                normal().into_iter().map(|(z, weight)| ((deviation * z).exp(), weight)).collect()
            }
            Kind::Alone | Kind::Pods(_) | Kind::Bursts(_) => vec![(1.0, 1.0)],
        }
    }

    fn table(&self, worse: f64) -> Table {
        let share = match self.signal {
            Signal::Errors(share) => (share * worse).min(0.999),
            Signal::Latency(bound) => 1.0 / (1.0 + bound.powi(3) / worse),
        };
        Table::new(&match self.kind {
            Kind::Pods(rho) => beta_binomial(self.requests, share, rho),
            Kind::Bursts(mean) => bursts(self.requests, share, mean),
            _ => binomial(self.requests, share),
        })
    }
}

impl Source {
    /// The release of this number.
    pub fn release(&self, seed: u64) -> Release {
        let mut rng = Rng::new(seed);
        let mut nodes = |pods| (0..pods).map(|_| self.levels.draw(&mut rng)).collect();
        let nodes: [Vec<usize>; 2] = [nodes(self.pods.0), nodes(self.pods.1)];
        let past = (0..PAST).map(|_| self.look(&mut rng, &nodes, false).stable).collect();
        let looks =
            (0..LOOKS).map(|look| self.look(&mut rng, &nodes, look >= self.turns)).collect();
        Release { past, looks }
    }

    fn look(&self, rng: &mut Rng, [own, others]: &[Vec<usize>; 2], worse: bool) -> Look {
        let common = self.levels.draw(rng);
        let tables = if worse { &self.new } else { &self.stable };
        let stable = self.arm(rng, &self.stable, others, common);
        Look { new: self.arm(rng, tables, own, common), stable }
    }

    fn arm(&self, rng: &mut Rng, tables: &[Table], nodes: &[usize], common: usize) -> Vec<Counts> {
        let mut pod = |node: &usize| {
            let level = match self.kind {
                Kind::Neighbours(_) => self.levels.draw(rng),
                Kind::Nodes(_) => *node,
                _ => common,
            };
            Counts::new(tables[level].draw(rng) as u64, self.requests as u64).unwrap()
        };
        nodes.iter().map(&mut pod).collect()
    }
}
