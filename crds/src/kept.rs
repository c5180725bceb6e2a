//! How many pods of a CloneSet keep the version that they have: its partition, a number or a
//! percentage with decimals. Arithmetic and text only; the rounding is
//! `pkg/util/tools.go` (`CalculatePartitionReplicas`) of OpenKruise.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// A partition of a CloneSet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// So many pods.
    Pods(i32),
    /// So many percent of the replicas.
    Percent(Percent),
}

/// A percentage as its text has it: `33.30%` is not `33.3%`, so that what is put back is what was
/// written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Percent {
    /// All digits, the point left out.
    digits: u64,
    /// How many of them are behind the point.
    decimals: u32,
}

/// More digits say nothing of any number of pods, and 10^12 fits every product here.
const DIGITS_MAX: usize = 12;
/// Of a percentage that we write.
const DECIMALS: u32 = 4;

/// Why a text is no partition of a CloneSet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a number of pods nor a percentage such as \"33.3%\"")]
pub struct NotAPartition(String);

impl Kept {
    /// All pods, at any scale: a CloneSet rounds every other percentage so that one is updated.
    pub const ALL: Self = Self::Percent(Percent { digits: 100, decimals: 0 });

    /// Reads the field; an absent one is 0.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Pods(0)),
            Value::String(text) => text.parse().ok(),
            value => i32::try_from(value.as_i64()?).ok().map(Self::Pods),
        }
    }

    /// Pods of `replicas` that keep their version.
    #[must_use]
    pub fn pods(self, replicas: i32) -> i32 {
        let pods = match self {
            Self::Pods(pods) => pods,
            Self::Percent(percent) => {
                let pods = percent.ceil_of(replicas);
                // Whoever does not say 100% wants to see a pod of the new version.
                if pods == replicas && replicas > 1 && self != Self::ALL { pods - 1 } else { pods }
            }
        };
        pods.clamp(0, replicas.max(0))
    }

    /// Pods of `replicas`, fractions rounded up, as CloneSets read their other numbers of pods.
    #[must_use]
    pub fn ceil_of(self, replicas: i32) -> i32 {
        match self {
            Self::Pods(pods) => pods,
            Self::Percent(percent) => percent.ceil_of(replicas),
        }
    }

    /// The percentage that keeps exactly `pods` of `replicas`, and no more than that share of any
    /// other number of replicas than rounding makes of it.
    #[must_use]
    pub fn share(pods: i32, replicas: i32) -> Self {
        let (Ok(pods), Ok(replicas)) = (u64::try_from(pods), u64::try_from(replicas)) else {
            return Self::Pods(0);
        };
        if pods == 0 || replicas == 0 {
            return Self::Pods(0);
        }
        if pods >= replicas {
            return Self::ALL;
        }
        let exact = |digits: u64, decimals: u32| Self::Percent(Percent { digits, decimals });
        if (100 * pods).is_multiple_of(replicas) {
            return exact(100 * pods / replicas, 0);
        }
        exact(100 * pods * 10_u64.pow(DECIMALS) / replicas, DECIMALS)
    }
}

impl Percent {
    fn ceil_of(self, replicas: i32) -> i32 {
        let whole = 100 * 10_u128.pow(self.decimals);
        let pods = u128::from(self.digits) * u128::from(replicas.unsigned_abs());
        i32::try_from(pods.div_ceil(whole)).unwrap_or(i32::MAX)
    }
}

impl std::str::FromStr for Kept {
    type Err = NotAPartition;

    fn from_str(text: &str) -> Result<Self, NotAPartition> {
        let wrong = || NotAPartition(text.to_owned());
        let number = text.strip_suffix('%').ok_or_else(wrong)?;
        let (whole, behind) = number.split_once('.').unwrap_or((number, ""));
        let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        // Only what is printed again as it was read.
        let canonical = whole == "0" || !whole.starts_with('0');
        let pointed = number.contains('.') != behind.is_empty();
        let digits = format!("{whole}{behind}");
        if whole.is_empty()
            || !plain(&digits)
            || !canonical
            || !pointed
            || digits.len() > DIGITS_MAX
        {
            return Err(wrong());
        }
        let decimals = u32::try_from(behind.len()).map_err(|_| wrong())?;
        let digits = digits.parse().map_err(|_| wrong())?;
        Ok(Self::Percent(Percent { digits, decimals }))
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pods(pods) => write!(f, "{pods}"),
            Self::Percent(Percent { digits, decimals: 0 }) => write!(f, "{digits}%"),
            Self::Percent(Percent { digits, decimals }) => {
                let unit = 10_u64.pow(*decimals);
                let width = *decimals as usize;
                write!(f, "{}.{:0width$}%", digits / unit, digits % unit)
            }
        }
    }
}

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pods(pods) => serializer.serialize_i32(*pods),
            Self::Percent(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let read = Some(&value).filter(|value| !value.is_null()).and_then(Self::of);
        read.ok_or_else(|| de::Error::custom(NotAPartition(value.to_string())))
    }
}

impl JsonSchema for Kept {
    fn schema_name() -> Cow<'static, str> {
        "Kept".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-kubernetes-int-or-string": true, "maxLength": 16 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> Kept {
        text.parse().unwrap()
    }

    #[test]
    fn rounds_as_kruise_does() {
        for (text, replicas, pods) in [
            ("95%", 10, 9),
            ("99%", 2, 1),
            ("95%", 1, 1),
            ("100%", 1, 1),
            ("100%", 10, 10),
            ("0%", 10, 0),
            ("33.4%", 3, 2),
            ("33.3%", 3, 1),
            ("99.9%", 10, 9),
        ] {
            assert_eq!(kept(text).pods(replicas), pods, "{text} of {replicas}");
        }
        assert_eq!(Kept::Pods(3).pods(2), 2);
        assert_eq!(Kept::Pods(-1).pods(2), 0);
    }

    #[test]
    fn a_share_is_exact() {
        for replicas in 1..=400 {
            for pods in 0..=replicas {
                let share = Kept::share(pods, replicas);
                assert_eq!(share.pods(replicas), pods, "{share} of {replicas}");
            }
        }
        for (pods, replicas) in [(9_999, 10_000), (1, 10_000), (3_333, 10_000), (6_667, 9_999)] {
            assert_eq!(Kept::share(pods, replicas).pods(replicas), pods);
        }
        assert_eq!(Kept::share(8, 10).to_string(), "80%");
        assert_eq!(Kept::share(2, 3).to_string(), "66.6666%");
    }

    #[test]
    fn is_printed_as_it_was_read() {
        for text in ["0%", "100%", "33.3%", "33.30%", "0.05%", "10.0%"] {
            assert_eq!(kept(text).to_string(), text);
            let json = serde_json::to_value(kept(text)).unwrap();
            assert_eq!(serde_json::from_value::<Kept>(json).unwrap(), kept(text));
        }
        for text in ["", "%", "5", "05%", ".5%", "5.%", "-5%", "1e2%", "5 %", "1234567890123%"] {
            assert!(text.parse::<Kept>().is_err(), "{text:?}");
        }
    }
}
