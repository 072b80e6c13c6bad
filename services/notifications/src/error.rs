//! Why something is not done, and how a client is told.

use souk_http::{FieldError, Problem};

/// The errors of this service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Also for what belongs to someone else: whether it exists is not the caller's business.
    #[error("there is no such notification")]
    NotFound,
    #[error("`from` must be before `to`, at most {0} days")]
    Range(i64),
    #[error("the database failed")]
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
            // Only a client tells of such a time: in a cursor, or as `from` or `to`.
            Error::Database(sqlx::Error::Database(error)) if error.code().as_deref() == Some("22008") => {
                Self::invalid(vec![FieldError::new("", "must not contain a time so far away")])
            }
            Error::Database(error) => error.into(),
        }
    }
}
