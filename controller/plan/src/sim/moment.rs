//! Virtual time: milliseconds since the world began. Owns its conversion to the times that objects
//! carry; nothing here reads a clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;

/// The world begins at 2026-01-01T00:00:00Z.
const BEGIN_SECOND: i64 = 1_767_225_600;

/// A moment of virtual time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// When the world begins.
    pub const BEGIN: Self = Self(0);

    /// So many milliseconds after the beginning.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the beginning.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The time as the planner reads it.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(BEGIN_SECOND * 1000 + self.0).unwrap_or(Timestamp::MAX)
    }

    /// The first moment not before a time that the planner named.
    #[must_use]
    pub fn at_or_after(time: Timestamp) -> Self {
        let nanos = time.as_nanosecond();
        let millis = i64::try_from((nanos + 999_999).div_euclid(1_000_000)).unwrap_or(i64::MAX);
        Self(millis.saturating_sub(BEGIN_SECOND * 1000))
    }

    /// The time as `metav1.Time` keeps it: whole seconds, cut off.
    #[must_use]
    pub fn whole_second(self) -> Self {
        Self(self.0.div_euclid(1000) * 1000)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Moment {
    /// `+1h02m03.456s`, with hours and minutes only where there are some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0 / 1000, self.0 % 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        f.write_str("+")?;
        if hours > 0 {
            write!(f, "{hours}h{minutes:02}m{seconds:02}.{millis:03}s")
        } else if minutes > 0 {
            write!(f, "{minutes}m{seconds:02}.{millis:03}s")
        } else {
            write!(f, "{seconds}.{millis:03}s")
        }
    }
}
