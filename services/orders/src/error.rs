//! Why something is not done, and how a client is told.

use axum::http::StatusCode;
use souk_http::{FieldError, Problem};

use crate::inventory::QuoteError;

/// The errors of this service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Also for what belongs to someone else: whether it exists is not the caller's business.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The request is understood, and its fields are not valid.
    #[error("some fields are not valid")]
    Invalid(Vec<FieldError>),
    /// What is asked for is not possible as things are.
    #[error("{1}")]
    Conflict(&'static str, String),
    /// Inventory gave no quote.
    #[error("no quote")]
    Quote(#[from] QuoteError),
    /// Another request with the key works on it.
    #[error("a request with this Idempotency-Key is still being worked on")]
    InFlight,
    /// So many checkouts wait that a new one could not be done in time.
    #[error("too many checkouts are waiting")]
    Overloaded,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// One field that is not valid.
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
                    "inventory gave no quote"
                );
                Self::unavailable("Prices are not available at the moment.")
            }
            Error::Quote(error) => Self::invalid(vec![FieldError::new("/items", error.to_string())]),
            Error::InFlight => {
                Self::new(StatusCode::CONFLICT, "request-in-flight", format!("{error}.")).retry_after(1)
            }
            Error::Overloaded => Self::overloaded(
                "Too many orders are being checked out at the moment. Nothing was ordered; try again in a few seconds.",
                5,
            ),
            Error::Database(error) => error.into(),
        }
    }
}
