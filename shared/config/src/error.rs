//! What can be wrong with the settings, in words for the person who starts the process.

use std::fmt::Display;

use crate::PREFIX;

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of a `_FILE` key cannot be read.
    #[error("{key}: cannot read the file it names: {source}")]
    Unreadable {
        /// The key.
        key: String,
        /// Why.
        source: std::io::Error,
    },
    /// A key and its `_FILE` variant are both set.
    #[error("{0} is set twice, directly and by {0}_FILE")]
    Twice(String),
    /// A key without a default is absent.
    #[error("{0} is not set")]
    Missing(String),
    /// A key that this process does not have.
    #[error("{key} is not a key of this process; it knows {known}")]
    Unknown {
        /// The key.
        key: String,
        /// Those it has.
        known: String,
    },
    /// A value of the wrong form.
    #[error("{key}: {expected}")]
    Invalid {
        /// The key.
        key: String,
        /// What is expected.
        expected: String,
    },
    /// A secret that is published in the repository, outside demo mode.
    #[error("{0} holds a secret that is published in Souk's repository; only SOUK_DEMO=true accepts it")]
    Published(String),
    /// A demo that others than this machine can reach.
    #[error(
        "{0} is not a loopback address, and the passwords of a demo are public: serve it on 127.0.0.1, or accept the risk \
         by SOUK_DEMO_PUBLIC=true"
    )]
    PublicDemo(String),
    /// A value of the wrong form, whose key the caller adds.
    #[error("{0}")]
    Value(String),
}

impl Error {
    /// Says of which key it is.
    pub(crate) fn at(self, name: &str) -> Self {
        match self {
            Self::Value(expected) => Self::Invalid {
                key: key(name),
                expected,
            },
            other => other,
        }
    }
}

fn key(field: &str) -> String {
    format!("{PREFIX}{}", field.to_uppercase())
}

impl serde::de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::Value(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(key(field))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known: Vec<_> = expected.iter().map(|field| key(field)).collect();
        Self::Unknown {
            key: key(field),
            known: known.join(", "),
        }
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Value(format!("expected one of {}", expected.join(", ")))
    }

    fn invalid_value(_: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::Value(format!("expected {expected}"))
    }

    fn invalid_type(_: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::Value(format!("expected {expected}"))
    }
}
