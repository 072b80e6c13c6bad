//! What can go wrong in inventory, and what a client is told about it.

use axum::http::StatusCode;
use mongodb::error::ErrorKind;
use souk_http::{FieldError, Problem, idempotency};

/// Every failure of this service. The text is for the log; [`Problem`] is what a client is told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such product, or no longer.
    #[error("no such product")]
    NoSuchProduct,
    /// A product of that SKU exists.
    #[error("the SKU is taken")]
    DuplicateSku,
    /// A change without `If-Match`.
    #[error("If-Match is missing")]
    PreconditionRequired,
    /// `If-Match` names another version than the present one.
    #[error("the product has changed meanwhile")]
    Stale,
    /// A product cannot go while orders hold units of it.
    #[error("units are held by orders")]
    UnitsHeld,
    /// More units would leave than are free.
    #[error("only {available} units are available")]
    WouldGoNegative {
        /// Units that are free now.
        available: i64,
    },
    /// The `Idempotency-Key` came with another body before.
    #[error("the Idempotency-Key came with another body before")]
    KeyReused,
    /// The input breaks a rule; which one and where.
    #[error("invalid input")]
    Invalid(Vec<FieldError>),
    /// Something that only a bug, here or at the sender, can produce; trying again will not help.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// Others keep changing the same document; trying again will help.
    #[error("too many changes at the same time")]
    Contended,
    /// The database did not answer in time; the work may still be done.
    #[error("the database did not answer in time")]
    TimedOut,
    /// The work ended with a panic.
    #[error("the work broke off")]
    Task(#[source] tokio::task::JoinError),
    /// The database rejected an update of several.
    #[error("the database rejected an update with code {code}: {message}")]
    Rejected {
        /// MongoDB's number for the reason.
        code: i32,
        /// The explanation that MongoDB gives with the code.
        message: String,
    },
    /// The database failed or refused.
    #[error("database")]
    Database(#[from] mongodb::error::Error),
}

impl Error {
    /// One wrong field.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, detail)])
    }

    /// The error with its causes, for the log.
    #[must_use]
    pub fn chain(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// Whether the database is away, so that the same request may succeed in a moment.
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

/// What a server answers while it stops, steps down, elects another or meets a conflict.
const TRANSIENT: [i32; 9] = [6, 7, 89, 91, 112, 189, 10_107, 11_600, 13_435];

/// A unique key is there already.
const DUPLICATE: i32 = 11_000;

/// The code that the server gave.
fn code(error: &mongodb::error::Error) -> Option<i32> {
    use mongodb::error::WriteFailure;
    match &*error.kind {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        _ => None,
    }
}

/// Whether a unique key was already there.
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
            Error::DuplicateSku => Self::conflict("duplicate-sku", "A product with this SKU exists."),
            Error::PreconditionRequired => Self::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition-required",
                "Send If-Match with the ETag of the version that you have seen.",
            ),
            Error::Stale => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "stale-version",
                "The product has changed since; fetch it again.",
            ),
            Error::UnitsHeld => Self::conflict(
                "units-held",
                "Orders hold units of this product; try again when they are settled.",
            ),
            Error::WouldGoNegative { available } => Self::conflict(
                "insufficient-stock",
                format!("Only {available} units are available."),
            ),
            Error::KeyReused => idempotency::reused(),
            Error::Invalid(errors) => Self::invalid(errors),
            error if error.is_outage() => {
                tracing::warn!(error = error.chain(), "the catalog's database is away");
                Self::unavailable("The catalog's database does not answer at the moment.")
            }
            error => Self::internal(error.chain()),
        }
    }
}
