//! Why an audit failed, and the HTTP response for it. A violation is a result, not an error.

use souk_http::Problem;

/// Every error of this service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A query to one of the PostgreSQL databases failed.
    #[error("a PostgreSQL query failed")]
    Postgres(#[from] sqlx::Error),
    /// A query to inventory's MongoDB database failed.
    #[error("a query to inventory's database failed")]
    Mongodb(#[from] mongodb::error::Error),
    /// A topic could not be read from Kafka.
    #[error("Kafka could not be read")]
    Kafka(#[source] anyhow::Error),
    /// The databases did not respond in time.
    #[error("the databases did not respond in time")]
    TimedOut,
    /// A task that read from MongoDB panicked or was cancelled.
    #[error("a database task panicked or was cancelled")]
    Task(#[from] tokio::task::JoinError),
    /// A field of an inventory document is missing or has the wrong type.
    #[error("an inventory document is malformed")]
    Malformed(#[from] bson::error::Error),
    /// An inventory document has a structure that this version does not know.
    #[error("an inventory document is malformed: {0}")]
    Unexpected(String),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Postgres(error) => error.into(),
            Error::Mongodb(_) | Error::Kafka(_) | Error::TimedOut => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a database is unavailable; responding with 503"
                );
                Self::unavailable("A database is unavailable at the moment. Try again later.")
            }
            Error::Task(error) => Self::internal(error),
            Error::Malformed(error) => Self::internal(error),
            error @ Error::Unexpected(_) => Self::internal(error),
        }
    }
}
