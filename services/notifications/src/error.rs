//! The errors of this service, and the HTTP responses for them.

use souk_http::{FieldError, Problem};

/// Every error of this service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The notification does not exist or belongs to another user; the caller must not learn which.
    #[error("no such notification")]
    NotFound,
    /// The time span of a query is empty or longer than this number of days.
    #[error("`from` must be before `to`, at most {0} days")]
    Range(i64),
    /// A database query failed.
    #[error("a database query failed")]
    Database(#[from] sqlx::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found("notification"),
            Error::Range(days) => Self::invalid(vec![FieldError::new(
                "/from",
                format!("must be before `to`, and at most {days} days before it"),
            )]),
            // SQLSTATE 22008: a time is out of range. Such a time can come only from a client, in a cursor or a parameter.
            Error::Database(sqlx::Error::Database(error)) if error.code().as_deref() == Some("22008") => {
                Self::invalid(vec![FieldError::new(
                    "",
                    "must not contain a time that is out of range",
                )])
            }
            Error::Database(error) => error.into(),
        }
    }
}
