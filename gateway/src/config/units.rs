//! Quantities with units: `10s`, `250ms`, `64KiB`, `50%`. A number without a unit is rejected, because its unit would
//! be a guess.

use std::{borrow::Cow, fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

/// A duration greater than zero: a whole number with the unit `ms`, `s`, `m` or `h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A range of durations such as `25ms..250ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanRange {
    /// The shortest one, greater than zero.
    pub from: Duration,
    /// The longest one, not less than `from`.
    pub to: Duration,
}

/// A number of bytes: a whole number with the unit `B`, `KiB` or `MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub usize);

/// A threshold from `1%` to `99%`. `100%` is not allowed, because it can never be exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u32);

/// A part of all requests, from `1%` to `100%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion(u32);

impl Portion {
    /// Contains every request (100 %).
    pub const ALL: Self = Self(100);

    /// Whether a request belongs to this part; `number` is a random one, or one that identifies its client.
    #[must_use]
    pub fn contains(self, number: u64) -> bool {
        number % 100 < u64::from(self.0)
    }
}

impl Share {
    /// Half of the whole (50 %).
    pub const HALF: Self = Self(50);
    /// A fifth of the whole (20 %).
    pub const FIFTH: Self = Self(20);

    /// Whether `part` is more than this share of `whole`.
    #[must_use]
    pub fn is_exceeded(self, part: u32, whole: u32) -> bool {
        u64::from(part) * 100 > u64::from(whole) * u64::from(self.0)
    }
}

/// Splits a text into its leading number and its unit.
fn split(text: &str) -> Option<(u64, &str)> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    Some((text[..unit].parse().ok()?, &text[unit..]))
}

/// Reads a duration greater than zero.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let span = Duration::from_millis(number.checked_mul(match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    })?);
    (!span.is_zero()).then_some(span)
}

impl<'de> Deserialize<'de> for SpanRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let range = text
            .split_once("..")
            .and_then(|(from, to)| Some((duration(from)?, duration(to)?)));
        let range = range.filter(|(from, to)| from <= to);
        range.map(|(from, to)| Self { from, to }).ok_or_else(|| {
            D::Error::custom(format_args!(
                "expected a range of times such as 25ms..250ms, not `{text}`"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        duration(&text).map(Self).ok_or_else(|| {
            D::Error::custom(format_args!(
                "expected a time such as 250ms, 10s, 5m or 1h, not `{text}`"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = split(&text).and_then(|(number, unit)| {
            usize::try_from(number).ok()?.checked_mul(match unit {
                "B" => 1,
                "KiB" => 1 << 10,
                "MiB" => 1 << 20,
                _ => return None,
            })
        });
        bytes.map(Self).ok_or_else(|| {
            D::Error::custom(format_args!(
                "expected a size such as 512B, 64KiB or 1MiB, not `{text}`"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let share = split(&text).and_then(|(number, unit)| {
            let number = u32::try_from(number).ok()?;
            (unit == "%" && (1..=99).contains(&number)).then_some(Self(number))
        });
        share.ok_or_else(|| D::Error::custom(format_args!("expected a share from 1% to 99%, not `{text}`")))
    }
}

impl<'de> Deserialize<'de> for Portion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let portion = split(&text).and_then(|(number, unit)| {
            let number = u32::try_from(number).ok()?;
            (unit == "%" && (1..=100).contains(&number)).then_some(Self(number))
        });
        portion.ok_or_else(|| D::Error::custom(format_args!("expected a part from 1% to 100%, not `{text}`")))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Implements [`JsonSchema`] for a unit: a text that matches a pattern.
macro_rules! schema {
    ($type:ident, $pattern:literal, $example:literal) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern, "examples": [$example]})
            }
        }
    };
}
schema!(Span, "^[0-9]+(ms|s|m|h)$", "10s");
schema!(
    SpanRange,
    "^[0-9]+(ms|s|m|h)\\.\\.[0-9]+(ms|s|m|h)$",
    "25ms..250ms"
);
schema!(Bytes, "^[0-9]+(B|KiB|MiB)$", "64KiB");
schema!(Portion, "^([1-9][0-9]?|100)%$", "10%");
schema!(Share, "^[1-9][0-9]?%$", "50%");
