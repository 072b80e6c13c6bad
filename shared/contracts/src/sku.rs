//! Stock-keeping units and the quantities in which they are ordered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A stock-keeping unit, the key of a product: 1 to 64 characters of `[A-Za-z0-9._-]`, except `.` and `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64,
    pattern = r"^(\.{3,}|\.{0,2}[A-Za-z0-9_-])[A-Za-z0-9._-]*$", example = "TEA-0001")]
pub struct Sku(String);

/// Error: the text is not a valid SKU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to 64 characters, each of them A-Z, a-z, 0-9, '.', '_' or '-', and not only one or two dots"
)]
pub struct InvalidSku;

impl Sku {
    /// The SKU as text, with its upper and lower case unchanged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sku {
    type Error = InvalidSku;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let valid = (1..=64).contains(&text.len())
            && ![".", ".."].contains(&text.as_str())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        valid.then_some(Self(text)).ok_or(InvalidSku)
    }
}

impl std::str::FromStr for Sku {
    type Err = InvalidSku;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.0
    }
}

impl std::fmt::Display for Sku {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of items in one order line, 1 to 99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i64, minimum = 1, maximum = 99, example = 2)]
pub struct Quantity(u32);

/// Error: the number is not between 1 and 99.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to 99")]
pub struct InvalidQuantity;

impl Quantity {
    /// The number of items, 1 to 99.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Quantity {
    type Error = InvalidQuantity;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        u32::try_from(number)
            .ok()
            .filter(|n| (1..=99).contains(n))
            .map(Self)
            .ok_or(InvalidQuantity)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        i64::from(quantity.0)
    }
}

/// A SKU and the quantity to order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderItem {
    /// The product to order.
    pub sku: Sku,
    /// The number of items to order.
    pub quantity: Quantity,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_only_valid_values() {
        assert!("TEA-0001".parse::<Sku>().is_ok());
        assert!("...".parse::<Sku>().is_ok());
        for text in ["", ".", "..", "a b", "ä", "a/b", &"x".repeat(65)] {
            assert_eq!(text.parse::<Sku>(), Err(InvalidSku), "{text}");
        }
        assert!(
            [0, -1, 100, i64::MAX]
                .into_iter()
                .all(|number| Quantity::try_from(number).is_err())
        );
        assert_eq!(Quantity::try_from(99).map(Quantity::get), Ok(99));
    }
}
