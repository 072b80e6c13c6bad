//! Why an audit could not be made, and how a client is told. A violation is no error.

use souk_http::Problem;

/// The errors of this service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// PostgreSQL failed.
    #[error("a PostgreSQL database failed")]
    Postgres(#[from] sqlx::Error),
    /// MongoDB failed.
    #[error("inventory's database failed")]
    Mongodb(#[from] mongodb::error::Error),
    /// Kafka could not be read.
    #[error("Kafka could not be read")]
    Kafka(#[source] anyhow::Error),
    /// The databases did not answer in time.
    #[error("the databases did not answer in time")]
    TimedOut,
    /// A task broke off.
    #[error("reading broke off")]
    Task(#[from] tokio::task::JoinError),
    /// A field of a document is not there, or of another type.
    #[error("a document of inventory is malformed")]
    Malformed(#[from] bson::error::Error),
    /// A document is not of the form that is known here.
    #[error("a document of inventory is malformed: {0}")]
    Unexpected(String),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Postgres(error) => error.into(),
            Error::Mongodb(_) | Error::Kafka(_) | Error::TimedOut => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a database is away");
                Self::unavailable("A database does not answer at the moment.")
            }
            Error::Task(error) => Self::internal(error),
            Error::Malformed(error) => Self::internal(error),
            error @ Error::Unexpected(_) => Self::internal(error),
        }
    }
}
