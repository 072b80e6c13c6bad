//! Errors of the service and their mapping to problem responses.

use souk_http::{FieldError, Problem};

use crate::inventory::QuoteError;

/// Why a request failed. The texts of client errors are shown to the client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The resource does not exist, or belongs to another user: the caller must not learn which.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The request is well-formed JSON, but some of its fields are not valid.
    #[error("some fields are not valid")]
    Invalid(Vec<FieldError>),
    /// The current state of the resource does not allow the request: the problem's type, and its detail.
    #[error("{1}")]
    Conflict(&'static str, String),
    /// Inventory returned no quote for the items.
    #[error("inventory returned no quote")]
    Quote(#[from] QuoteError),
    /// Another request with the same key is in progress.
    #[error("a request with this Idempotency-Key is still in progress")]
    InFlight,
    /// Too many checkouts are waiting for a new one to finish before its deadline.
    #[error("too many checkouts are waiting")]
    Overloaded,
    /// A query failed, or no connection was available.
    #[error("a database query failed")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// Reports one invalid field: its JSON pointer, and what is expected.
    #[must_use]
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, detail)])
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(what) => Self::not_found(what),
            Error::Invalid(errors) => Self::invalid(errors),
            Error::Conflict(kind, detail) => Self::conflict(kind, detail),
            Error::Quote(QuoteError::Unavailable(source)) => {
                tracing::warn!(
                    source = source.as_ref().map(tracing::field::display),
                    "inventory returned no quote; the order is refused with 503"
                );
                Self::unavailable(
                    "Prices are not available at the moment. Nothing was ordered; try again in a few seconds.",
                )
            }
            Error::Quote(error) => Self::invalid(vec![FieldError::new("/items", error.to_string())]),
            Error::InFlight => souk_http::idempotency::in_flight(),
            Error::Overloaded => Self::overloaded(
                "Too many orders are being checked out at the moment. Nothing was ordered; try again in a few seconds.",
                5,
            ),
            Error::Database(error) => error.into(),
        }
    }
}
