//! What a value must not exceed, or fall short of. Owns that there is at least one such number.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Decimal;

/// A largest value, a smallest one, or both; on the bound is within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Bound {
    max: Option<Decimal>,
    min: Option<Decimal>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<Decimal>,
}

/// Why a bound is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoundError {
    /// Everything would pass.
    #[error("there is no bound: write max, min or both")]
    Missing,
    /// Nothing would pass.
    #[error("min {min} is above max {max}, so that no value can pass: exchange them")]
    Empty {
        /// The smallest value.
        min: Decimal,
        /// The largest one.
        max: Decimal,
    },
}

impl Bound {
    /// A bound of one or two numbers.
    ///
    /// # Errors
    /// There is none, or no value is within them.
    pub fn new(max: Option<Decimal>, min: Option<Decimal>) -> Result<Self, BoundError> {
        match (max, min) {
            (None, None) => Err(BoundError::Missing),
            (Some(max), Some(min)) if min.nearest() > max.nearest() => {
                Err(BoundError::Empty { min, max })
            }
            _ => Ok(Self { max, min }),
        }
    }

    /// The largest acceptable value.
    #[must_use]
    pub fn max(self) -> Option<Decimal> {
        self.max
    }

    /// The smallest acceptable value.
    #[must_use]
    pub fn min(self) -> Option<Decimal> {
        self.min
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.max, self.min) {
            (Some(max), Some(min)) => write!(f, "min {min} and max {max}"),
            (Some(max), None) => write!(f, "max {max}"),
            (None, Some(min)) => write!(f, "min {min}"),
            (None, None) => f.write_str("nothing"),
        }
    }
}

impl TryFrom<Raw> for Bound {
    type Error = BoundError;

    fn try_from(raw: Raw) -> Result<Self, BoundError> {
        Self::new(raw.max, raw.min)
    }
}

impl From<Bound> for Raw {
    fn from(bound: Bound) -> Self {
        Self { max: bound.max, min: bound.min }
    }
}
