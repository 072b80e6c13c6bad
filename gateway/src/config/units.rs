//! Quantities as people write them: `10s`, `250ms`, `64KiB`, `50%`. A bare number is refused, because its unit would be a guess.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, de::Error as _};

/// A length of time: `ms`, `s`, `m` or `h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A number of bytes: `B`, `KiB` or `MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub usize);

/// A part of the whole: `1%` to `99%`. What is meant to be exceeded cannot be all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// Whether `part` is more than this share of `whole`.
    #[must_use]
    pub fn is_exceeded(self, part: u32, whole: u32) -> bool {
        u64::from(part) * 100 > u64::from(whole) * u64::from(self.0)
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    Some((text[..unit].parse().ok()?, &text[unit..]))
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = split(&text).and_then(|(number, unit)| {
            Some(Duration::from_millis(number.checked_mul(match unit {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                _ => return None,
            })?))
        });
        span.filter(|span| !span.is_zero()).map(Self).ok_or_else(|| {
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

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
