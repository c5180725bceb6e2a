//! How the test application is told to behave at its start: flags, each of which the environment
//! can set too. Parsing only.

use std::fmt;
use std::str::FromStr;

use clap::{ArgAction, Parser};
use crds::GepDuration;

/// A small HTTP application that behaves as it is told
#[derive(Clone, Debug, Parser)]
#[command(name = "testapp")]
pub struct Settings {
    /// What it answers with
    #[arg(long, env = "VERSION", default_value = "v1")]
    pub version: String,
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// How long it takes before it listens
    #[arg(long, env = "START_DELAY", default_value = "0s")]
    pub start_delay: GepDuration,
    /// What /ready says; POST /ready?value=false changes it at run time
    #[arg(long, env = "READY", default_value_t = true, action = ArgAction::Set)]
    pub ready: bool,
    /// Share of requests answered with 500, 0 to 1; POST /errors?value=0.1 changes it
    #[arg(long, env = "ERROR_RATE", default_value = "0")]
    pub error_rate: Share,
    /// How long an answer takes; POST /latency?value=50ms changes it
    #[arg(long, env = "LATENCY", default_value = "0s")]
    pub latency: GepDuration,
    /// Exit with code 1 so long after the start; POST /crash does it at once
    #[arg(long, env = "CRASH_AFTER")]
    pub crash_after: Option<GepDuration>,
    /// How long it still takes new connections after SIGTERM, so that every router has heard
    #[arg(long, env = "DRAIN", default_value = "0s")]
    pub drain: GepDuration,
}

/// A part of all requests, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

/// Why a text is no [`Share`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no share between 0 and 1 such as \"0.05\"")]
pub struct NotAShare(String);

const WHOLE: u32 = 1_000_000;

impl Share {
    /// The share as millionths.
    #[must_use]
    pub fn millionths(self) -> u32 {
        self.0
    }

    /// A share of so many millionths, at most one whole.
    #[must_use]
    pub fn of_millionths(millionths: u32) -> Self {
        Self(millionths.min(WHOLE))
    }

    /// Whether the request after `served` others belongs to the share. Exact and without chance:
    /// of any N requests in a row, N times the share belong to it, give or take one.
    #[must_use]
    pub fn takes(self, served: u64) -> bool {
        let part = |count: u64| u128::from(count) * u128::from(self.0) / u128::from(WHOLE);
        part(served + 1) > part(served)
    }
}

impl FromStr for Share {
    type Err = NotAShare;

    fn from_str(text: &str) -> Result<Self, NotAShare> {
        let wrong = || NotAShare(text.to_owned());
        let share: f64 = text.parse().map_err(|_| wrong())?;
        if !(0.0..=1.0).contains(&share) {
            return Err(wrong());
        }
        // In range by the check above: the conversion cannot truncate.
        Ok(Self((share * f64::from(WHOLE)).round() as u32))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / f64::from(WHOLE))
    }
}
