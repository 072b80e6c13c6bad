//! Errors of the service and their mapping to problem responses.

use contracts::{Currency, Money};
use souk_http::{FieldError, Problem};

use crate::payment::IllegalTransition;

/// Why an operation on a payment failed. The texts of client errors are shown to the client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The payment does not exist, or belongs to another user: the caller must not learn which.
    #[error("there is no such payment")]
    NotFound,
    #[error("the payment is {0}, so nothing can be refunded")]
    NotRefundable(&'static str),
    #[error("at most {} {} (in minor units) can still be refunded", .0.amount, .0.currency)]
    ExceedsCaptured(Money),
    #[error("the currency must be that of the payment, {0}")]
    OtherCurrency(Currency),
    #[error("the amount of a refund must be above zero")]
    NotPositive,
    #[error(transparent)]
    IllegalTransition(#[from] IllegalTransition),
    #[error("a database query failed")]
    Database(#[from] sqlx::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = format!("{}.", capitalized(&error.to_string()));
        match error {
            Error::NotFound => Self::not_found("payment"),
            Error::NotRefundable(_) => Self::conflict("not-refundable", detail),
            Error::ExceedsCaptured(_) => Self::conflict("exceeds-captured", detail),
            Error::OtherCurrency(_) => Self::invalid(vec![FieldError::new("/amount/currency", detail)]),
            Error::NotPositive => Self::invalid(vec![FieldError::new("/amount/amount", detail)]),
            Error::IllegalTransition(error) => Self::internal(error),
            Error::Database(error) => error.into(),
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}
