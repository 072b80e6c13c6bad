//! Errors of the service and their mapping to problem responses.

use axum::http::StatusCode;
use souk_http::{FieldError, Problem};

/// Why a request failed. The texts are for the log; clients receive the [`Problem`] made from the error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It does not exist, or belongs to another account: the caller must not learn which.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("some fields of the request are not valid")]
    Invalid(Vec<FieldError>),
    /// Also for an unknown, unverified or disabled account: the caller must not learn which.
    #[error("the email address or the password is wrong")]
    WrongCredentials,
    #[error("the refresh token is not valid")]
    RefreshToken,
    #[error("the API key is not valid")]
    ApiKey,
    #[error("the session has ended")]
    SessionEnded,
    #[error("only operators may do this")]
    Forbidden,
    #[error("the session cookie was sent from a page that is not allowed")]
    OriginNotAllowed,
    #[error("operators cannot change their own account")]
    OwnAccount,
    #[error("the account has the maximum number of addresses")]
    TooManyAddresses,
    #[error("the account has the maximum number of API keys")]
    TooManyApiKeys,
    /// The source of the login must wait this number of seconds.
    #[error("too many failed logins; the source must wait {0} s")]
    TooManyFailedLogins(u64),
    #[error("too many passwords are being processed")]
    TooManyPasswords,
    #[error("a stored email address is not valid")]
    StoredEmail,
    #[error("an unexpected failure")]
    Internal(#[source] anyhow::Error),
    #[error("a database query failed")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// Creates an [`Error::Invalid`] for a single field, named by its JSON pointer.
    pub(crate) fn field(pointer: &str, detail: &str) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, detail)])
    }

    /// Creates an [`Error::Internal`] from a failure that only a bug or a broken machine can cause.
    pub(crate) fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::Internal(error.into())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(what) => Self::not_found(what),
            Error::Invalid(errors) => Self::invalid(errors),
            Error::WrongCredentials => Self::unauthorized("The email address or the password is wrong."),
            Error::RefreshToken => {
                Self::unauthorized("The refresh token is not valid or has expired. Log in again.")
            }
            Error::ApiKey => Self::unauthorized("The API key is not valid or has expired."),
            Error::SessionEnded => Self::unauthorized("Your session has ended. Log in again."),
            Error::Forbidden => Self::forbidden(),
            Error::OriginNotAllowed => Self::new(
                StatusCode::FORBIDDEN,
                "origin-not-allowed",
                "The session cookie is accepted only with the Origin of an allowed page.",
            ),
            Error::OwnAccount => Self::conflict("own-account", "Another operator must change your account."),
            Error::TooManyAddresses => Self::conflict(
                "too-many-addresses",
                "An account can have at most 50 addresses. Delete one first.",
            ),
            Error::TooManyApiKeys => Self::conflict(
                "too-many-api-keys",
                "An account can have at most 20 API keys that have not expired. Delete one first.",
            ),
            Error::TooManyFailedLogins(seconds) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-failed-logins",
                "There were too many failed logins for this account. Wait, then try again from the same device.",
            )
            .retry_after(seconds),
            Error::TooManyPasswords => Self::unavailable(
                "Too many passwords are being processed at the moment. Try again in a few seconds.",
            ),
            Error::StoredEmail => Self::internal(error),
            // Alternate formatting adds the causes.
            Error::Internal(error) => Self::internal(format!("{error:#}")),
            Error::Database(error) => error.into(),
        }
    }
}
