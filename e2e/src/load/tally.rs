//! What came of the requests: counts by version and status, and every failure by itself. Data only.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When it was sent.
    pub at: Timestamp,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Connections that were opened for it: none where one was kept.
    pub connections: u32,
    /// How it ended.
    pub end: End,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// With a whole answer.
    Answered(Answer),
    /// Without one, and why.
    Lost(String),
}

/// The part of an answer that counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Answer {
    /// The header `version`, or else the first word of the body; empty where there is neither.
    pub version: String,
    /// The status code.
    pub status: u16,
}

/// A request that failed: no whole answer, or a status of 400 or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it was sent.
    pub at: Timestamp,
    /// What happened.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.reason)
    }
}

/// The account of a load, so far or at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Whole answers, by version and status.
    pub answers: BTreeMap<Answer, u64>,
    /// Every failure, in the order of their ends.
    pub faults: Vec<Fault>,
    /// Connections opened.
    pub connections: u64,
    lost: u64,
    longest_us: u64,
}

impl Tally {
    /// Counts one more.
    pub fn note(&mut self, exchange: &Exchange) {
        self.connections += u64::from(exchange.connections);
        self.longest_us = self.longest_us.max(exchange.took_us);
        let reason = match &exchange.end {
            End::Answered(answer) => {
                *self.answers.entry(answer.clone()).or_default() += 1;
                let Answer { version, status } = answer;
                (*status >= 400).then(|| format!("status {status} of {version:?}"))
            }
            End::Lost(reason) => {
                self.lost += 1;
                Some(reason.clone())
            }
        };
        self.faults.extend(reason.map(|reason| Fault { at: exchange.at, reason }));
    }

    /// Requests that have ended.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.lost + self.answers.values().sum::<u64>()
    }

    /// Answers of a version, whatever their status.
    #[must_use]
    pub fn of(&self, version: &str) -> u64 {
        self.answers.iter().filter(|(answer, _)| answer.version == version).map(|(_, n)| n).sum()
    }

    /// Answers with a status, whatever their version.
    #[must_use]
    pub fn with(&self, status: u16) -> u64 {
        self.answers.iter().filter(|(answer, _)| answer.status == status).map(|(_, n)| n).sum()
    }

    /// The part of all requests that a version answered, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn share(&self, version: &str) -> f64 {
        self.of(version) as f64 / self.total().max(1) as f64
    }

    /// The longest that a request took.
    #[must_use]
    pub fn longest(&self) -> Duration {
        Duration::from_micros(self.longest_us)
    }

    /// What has been added since `earlier`, which this one has grown from. The longest is that of
    /// the whole.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |answer| earlier.answers.get(answer).copied().unwrap_or_default();
        let added = self.answers.iter().map(|(answer, n)| (answer.clone(), n - before(answer)));
        Self {
            answers: added.filter(|(_, n)| *n > 0).collect(),
            faults: self.faults[earlier.faults.len()..].to_vec(),
            connections: self.connections - earlier.connections,
            lost: self.lost - earlier.lost,
            longest_us: self.longest_us,
        }
    }
}

/// A summary of some lines: the counts, and the first failures.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        let (total, failed) = (self.total(), self.faults.len());
        writeln!(
            f,
            "{total} requests on {} connections, {failed} failed, the longest took {:?}",
            self.connections,
            self.longest()
        )?;
        for (Answer { version, status }, n) in &self.answers {
            writeln!(f, "  {n:>6}  {version} {status}")?;
        }
        for fault in self.faults.iter().take(SHOWN) {
            writeln!(f, "  {fault}")?;
        }
        if failed > SHOWN {
            writeln!(f, "  and {} more failures", failed - SHOWN)?;
        }
        Ok(())
    }
}
