//! Why something is not done, and how a client is told.

use contracts::{Currency, Money};
use souk_http::{FieldError, Problem};

use crate::payment::IllegalTransition;

/// The errors of this service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Also for what belongs to someone else: whether it exists is not the caller's business.
    #[error("there is no such payment")]
    NotFound,
    #[error("the payment is {0}, so there is nothing to refund")]
    NotRefundable(&'static str),
    #[error("only {} {} are left to refund", .0.amount, .0.currency)]
    ExceedsCaptured(Money),
    #[error("the payment is in {0}")]
    OtherCurrency(Currency),
    #[error("a refund must be above zero")]
    NotPositive,
    #[error(transparent)]
    IllegalTransition(#[from] IllegalTransition),
    #[error("the database failed")]
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
