//! Exact decimal numbers, as users write bounds: `"0.01"`, `"250"`, `"-3.5"`. Owns parsing,
//! printing, and what it means that a sample is above or below one. No float goes in or out
//! of its API but the sample that is compared.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// So many significant digits and decimal places: every such number is a quotient of two exact
/// doubles, and its nearest double one division away.
const DIGITS_MAX: usize = 15;

/// How a decimal is written, as a schema carries it.
const PATTERN: &str = "^-?[0-9]+([.][0-9]+)?$";
/// No number needs more characters: a sign, a point, a zero before it.
const TEXT_MAX: usize = DIGITS_MAX + 3;

/// A decimal number of at most 15 digits. Equal values are equal, however they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The digits without the point.
    mantissa: i64,
    /// How many of them stand behind the point; no zero stands last there.
    places: u8,
}

/// Why a text is no decimal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Something else than digits.
    #[error(
        "{0:?} is no decimal number: write digits, with a point if need be, such as \"0.01\" or \
         \"250\""
    )]
    Malformed(String),
    /// More digits than can be compared exactly.
    #[error("{0:?} has too many digits: write at most 15")]
    TooLong(String),
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, places: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, places: 0 };

    /// So many thousandths.
    #[must_use]
    pub fn thousandths(count: u32) -> Self {
        let (mut mantissa, mut places) = (i64::from(count), 3);
        while places > 0 && mantissa % 10 == 0 {
            (mantissa, places) = (mantissa / 10, places - 1);
        }
        Self { mantissa, places }
    }

    /// Whether a sample is below, at or above this number; nothing compares with NaN.
    ///
    /// The sample is compared with the double nearest to this number. A sample went through the
    /// same rounding when its text was read, so that a sample printed as `0.1` is equal to the
    /// bound `0.1`, which has no exact double.
    #[must_use]
    pub fn order(self, sample: f64) -> Option<Ordering> {
        sample.partial_cmp(&self.nearest())
    }

    /// The nearest double: both operands are exact, so that the one division rounds correctly.
    pub(crate) fn nearest(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        let mantissa = self.mantissa as f64;
        mantissa / 10_f64.powi(i32::from(self.places))
    }

    /// Below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// A whole number.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.places == 0
    }
}

/// Digits before and behind the point.
fn halves(text: &str) -> Option<(&str, &str)> {
    let (whole, part) = match text.split_once('.') {
        Some((whole, part)) if !part.is_empty() => (whole, part),
        Some(_) => return None,
        None => (text, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!whole.is_empty() && digits(whole) && digits(part)).then_some((whole, part))
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let shown = || text.chars().take(40).collect();
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, part) = halves(rest).ok_or_else(|| DecimalError::Malformed(shown()))?;
        let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
        if whole.len() + part.len() > DIGITS_MAX {
            return Err(DecimalError::TooLong(shown()));
        }
        let digits = whole.bytes().chain(part.bytes());
        let size = digits.fold(0, |sum: i64, byte| sum * 10 + i64::from(byte - b'0'));
        let places = u8::try_from(part.len()).map_err(|_| DecimalError::TooLong(shown()))?;
        Ok(Self { mantissa: if negative { -size } else { size }, places })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = usize::from(self.places);
        let digits = format!("{:0width$}", self.mantissa.unsigned_abs(), width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        let sign = if self.is_negative() { "-" } else { "" };
        let point = if part.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{part}")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number in quotes, such as \"0.01\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl JsonSchema for Decimal {
    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": PATTERN, "maxLength": TEXT_MAX })
    }
}

#[cfg(test)]
mod tests;
