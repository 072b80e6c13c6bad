//! Errors in the configuration file, with their line and column.

use std::io;

use super::Placed;

/// Why the configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Reading the file failed.
    #[error("cannot read the file: {0}")]
    Unreadable(io::Error),
    /// The content of the file is invalid.
    #[error("line {line}, column {column}: {message}")]
    Invalid {
        /// Line of the error, counted from 1.
        line: u64,
        /// Column of the error, counted from 1.
        column: u64,
        /// What is wrong, and what is expected instead.
        message: String,
    },
}

impl ConfigError {
    /// An error at a position of the file.
    pub(crate) fn at(line: u64, column: u64, message: impl Into<String>) -> Self {
        Self::Invalid {
            line,
            column,
            message: message.into(),
        }
    }

    /// Converts an error of the YAML parser.
    pub(super) fn from_yaml(error: &serde_saphyr::Error) -> Self {
        let (line, column) = error
            .location()
            .map_or((1, 1), |place| (place.line(), place.column()));
        // The message repeats the position at its end.
        let mut message = error.without_snippet().to_string();
        let place = format!(" at line {line}, column {column}");
        if let Some(short) = message.strip_suffix(&place) {
            message.truncate(short.len());
        }
        Self::at(line, column, message)
    }

    /// An error at the position of `placed`.
    pub(crate) fn on<T>(placed: &Placed<T>, message: impl Into<String>) -> Self {
        Self::at(placed.line, placed.column, message)
    }
}
