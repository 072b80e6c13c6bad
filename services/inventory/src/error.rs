//! The errors of inventory, and the HTTP responses for them.

use axum::http::StatusCode;
use mongodb::error::ErrorKind;
use souk_http::{FieldError, Problem, idempotency};

/// Every error of this service. Its text is for the log; clients receive the [`Problem`] made from it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The product does not exist or was removed.
    #[error("no such product")]
    NoSuchProduct,
    /// A product with that SKU exists already.
    #[error("a product with this SKU exists")]
    DuplicateSku,
    /// The request changes a product but has no `If-Match` header.
    #[error("If-Match is missing")]
    PreconditionRequired,
    /// `If-Match` does not match the current version of the product.
    #[error("the product has changed in the meantime")]
    Stale,
    /// The product cannot be removed because orders hold units of it.
    #[error("orders hold units of the product")]
    UnitsHeld,
    /// The adjustment would remove more units than are available.
    #[error("only {available} units are available")]
    WouldGoNegative {
        /// Number of units that were available at the time of the check.
        available: i64,
    },
    /// The `Idempotency-Key` was used before with a different request body.
    #[error("the Idempotency-Key was used before with a different body")]
    KeyReused,
    /// The input is invalid; the list has one entry per invalid field.
    #[error("invalid input")]
    Invalid(Vec<FieldError>),
    /// Data that only a bug in this service or in the sender can produce, so retrying is useless.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// Every attempt lost against concurrent changes of the same document; the caller should retry.
    #[error("too many concurrent changes of the same document")]
    Contended,
    /// The database did not respond in time; the work may still complete.
    #[error("the database did not respond in time")]
    TimedOut,
    /// The task that did the work panicked or was cancelled.
    #[error("the task panicked or was cancelled")]
    Task(#[source] tokio::task::JoinError),
    /// The database rejected one of the updates of a batch.
    #[error("the database rejected an update with code {code}: {message}")]
    Rejected {
        /// The error code that MongoDB returned.
        code: i32,
        /// The explanation that MongoDB gives with the code.
        message: String,
    },
    /// A MongoDB operation failed.
    #[error("a database operation failed")]
    Database(#[from] mongodb::error::Error),
}

impl Error {
    /// An [`Error::Invalid`] for a single field, named by its JSON pointer.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, detail)])
    }

    /// The error and its causes joined by `: `, for the log.
    #[must_use]
    pub fn chain(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// Whether the database is temporarily unavailable or contended, so that retrying the same request may succeed.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::TimedOut | Self::Contended => true,
            Self::Rejected { code, .. } => TRANSIENT.contains(code),
            Self::Database(error) => {
                error.contains_label("RetryableWriteError")
                    || matches!(
                        *error.kind,
                        ErrorKind::Io(_)
                            | ErrorKind::ServerSelection { .. }
                            | ErrorKind::ConnectionPoolCleared { .. }
                            | ErrorKind::DnsResolve { .. }
                            | ErrorKind::Shutdown
                    )
                    || code(error).is_some_and(|code| TRANSIENT.contains(&code))
            }
            _ => false,
        }
    }
}

/// MongoDB's error codes during shutdown, failover or a write conflict; a retry may succeed.
const TRANSIENT: [i32; 9] = [6, 7, 89, 91, 112, 189, 10_107, 11_600, 13_435];

/// MongoDB's error code for a duplicate key.
const DUPLICATE: i32 = 11_000;

/// The error code that the server returned, if any.
fn code(error: &mongodb::error::Error) -> Option<i32> {
    use mongodb::error::WriteFailure;
    match &*error.kind {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        _ => None,
    }
}

/// Whether an insert failed only because its unique key exists already.
pub(crate) fn is_duplicate(error: &mongodb::error::Error) -> bool {
    match &*error.kind {
        ErrorKind::InsertMany(many) => {
            many.write_concern_error.is_none()
                && many
                    .write_errors
                    .as_ref()
                    .is_some_and(|all| all.iter().all(|error| error.code == DUPLICATE))
        }
        _ => code(error) == Some(DUPLICATE),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchProduct => Self::not_found("product"),
            Error::DuplicateSku => Self::conflict("duplicate-sku", "A product with this SKU exists already."),
            Error::PreconditionRequired => Self::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition-required",
                "Send If-Match with the ETag of the version that you read.",
            ),
            Error::Stale => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "stale-version",
                "The product has changed since you read it. Read it again, then repeat the change.",
            ),
            Error::UnitsHeld => Self::conflict(
                "units-held",
                "Orders hold units of this product. Try again when those orders are complete.",
            ),
            Error::WouldGoNegative { available } => Self::conflict(
                "insufficient-stock",
                format!("Only {available} units are available."),
            ),
            Error::KeyReused => idempotency::reused(),
            Error::Invalid(errors) => Self::invalid(errors),
            error if error.is_outage() => {
                tracing::warn!(
                    error = error.chain(),
                    "the database is unavailable; responding with 503"
                );
                Self::unavailable("The catalog is unavailable at the moment. Try again in a moment.")
            }
            error => Self::internal(error.chain()),
        }
    }
}
