//! Money as an integer number of minor units with its currency, never a float (the Money pattern of Fowler's *Patterns of
//! Enterprise Application Architecture*).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A currency code: three capital letters (ISO 4217).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z]{3}$", example = "EUR")]
pub struct Currency([u8; 3]);

/// Error: the text does not have the form of an ISO 4217 currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 4217 currency code of three capital letters, such as EUR")]
pub struct InvalidCurrency;

impl Currency {
    /// The euro, whose minor unit is the cent.
    pub const EUR: Self = Self(*b"EUR");

    /// The currency code as text, such as `EUR`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl std::str::FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        code.iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(code))
            .ok_or(InvalidCurrency)
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in minor units (cents for EUR, yen for JPY) of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Amount in minor units of the currency. Negative only where the field that contains it allows it.
    #[schema(example = 1999)]
    pub amount: i64,
    /// Currency of the amount (ISO 4217).
    pub currency: Currency,
}

/// Why two amounts cannot be combined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The two amounts have different currencies.
    #[error("cannot combine {0} and {1}")]
    CurrencyMismatch(Currency, Currency),
    /// The result does not fit into 64 bits.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// Creates an amount of `amount` minor units of `currency`.
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Creates a zero amount of `currency`.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Adds two amounts. Fails if their currencies differ or the sum overflows.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// Subtracts `other`. Fails if the currencies differ or the difference overflows; the result may be negative.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// Multiplies this amount by `quantity`. Fails if the product overflows.
    pub fn times(self, quantity: u32) -> Result<Self, MoneyError> {
        let amount = self
            .amount
            .checked_mul(i64::from(quantity))
            .ok_or(MoneyError::Overflow)?;
        Ok(Self::new(amount, self.currency))
    }

    fn combine(self, other: Self, with: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let amount = with(self.amount, other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(amount, self.currency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_different_currencies_fails() {
        let euro = Money::new(150, Currency::EUR);
        let yen = Money::new(1, "JPY".parse().unwrap());
        assert_eq!(euro.checked_add(euro), Ok(Money::new(300, Currency::EUR)));
        assert!(matches!(
            euro.checked_add(yen),
            Err(MoneyError::CurrencyMismatch(..))
        ));
        assert_eq!(
            Money::new(i64::MAX, Currency::EUR).times(2),
            Err(MoneyError::Overflow)
        );
    }

    #[test]
    fn deserializing_rejects_invalid_currencies_fractions_and_unknown_fields() {
        for text in [
            r#"{"amount":1,"currency":"eur"}"#,
            r#"{"amount":1,"currency":"EURO"}"#,
            r#"{"amount":1.5,"currency":"EUR"}"#,
            r#"{"amount":1,"currency":"EUR","x":1}"#,
        ] {
            assert!(serde_json::from_str::<Money>(text).is_err(), "{text}");
        }
    }
}
