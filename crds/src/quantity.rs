//! Counts and percentages of replicas, with the rounding said at every call. Owns arithmetic only.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of pods, or a percentage of the workload's replicas, as `k8s.io/apimachinery`'s
/// IntOrString reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntOrPercent {
    /// So many pods.
    Count(i32),
    /// So many percent of the replicas.
    Percent(i32),
}

/// Why a text is no [`IntOrPercent`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a number of pods nor a percentage such as \"20%\"")]
pub struct NotAQuantity(String);

impl IntOrPercent {
    /// Pods of `replicas`, fractions rounded up (the stock rounding of maxSurge and of batches).
    #[must_use]
    pub fn ceil_of(self, replicas: i32) -> i32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => {
                saturating((i64::from(percent) * i64::from(replicas) + 99).div_euclid(100))
            }
        }
    }

    /// Pods of `replicas`, fractions rounded down (the stock rounding of maxUnavailable).
    #[must_use]
    pub fn floor_of(self, replicas: i32) -> i32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => {
                saturating((i64::from(percent) * i64::from(replicas)).div_euclid(100))
            }
        }
    }
}

fn saturating(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

impl fmt::Display for IntOrPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl std::str::FromStr for IntOrPercent {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        let wrong = || NotAQuantity(text.to_owned());
        let digits = text.strip_suffix('%').ok_or_else(wrong)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        digits.parse().map(Self::Percent).map_err(|_| wrong())
    }
}

impl Serialize for IntOrPercent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_i32(*count),
            Self::Percent(percent) => serializer.collect_str(&format_args!("{percent}%")),
        }
    }
}

impl<'de> Deserialize<'de> for IntOrPercent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = IntOrPercent;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of pods or a percentage such as \"20%\"")
            }
            fn visit_i64<E: de::Error>(self, count: i64) -> Result<IntOrPercent, E> {
                i32::try_from(count).map(IntOrPercent::Count).map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, count: u64) -> Result<IntOrPercent, E> {
                i32::try_from(count).map(IntOrPercent::Count).map_err(E::custom)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<IntOrPercent, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for IntOrPercent {
    fn schema_name() -> Cow<'static, str> {
        "IntOrPercent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The limit bounds what a CEL rule on it may cost.
        json_schema!({ "x-kubernetes-int-or-string": true, "maxLength": 16 })
    }
}
