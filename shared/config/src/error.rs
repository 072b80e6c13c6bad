//! Errors in the settings, worded for the person who starts the process.

use std::fmt::Display;

use crate::PREFIX;

/// The reason why the settings cannot be used. No variant contains a value, which could be a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file that a `_FILE` key refers to cannot be read.
    #[error("{key}: cannot read the file it names: {source}")]
    Unreadable {
        /// The `_FILE` key that refers to the file.
        key: String,
        /// The error of reading the file.
        source: std::io::Error,
    },
    /// A key and its `_FILE` variant are both set.
    #[error("{0} is set twice, directly and by {0}_FILE")]
    Twice(String),
    /// A key without a default is absent.
    #[error("{0} is not set")]
    Missing(String),
    /// The process has no setting with this key.
    #[error("{key} is not a setting of this process; its settings are {known}")]
    Unknown {
        /// The key that is unknown.
        key: String,
        /// The known keys, separated by commas.
        known: String,
    },
    /// A value has the wrong format.
    #[error("{key}: {expected}")]
    Invalid {
        /// The key whose value is invalid.
        key: String,
        /// Description of the expected format.
        expected: String,
    },
    /// Outside demo mode, a value contains a secret that is published in the repository.
    #[error(
        "{0} contains a secret that is published in Souk's repository, which is allowed only with SOUK_DEMO=true"
    )]
    Published(String),
    /// A demo listens on an address that other machines can reach.
    #[error(
        "{0} is not a loopback address, and the passwords of a demo are public: serve it on 127.0.0.1, or accept the risk \
         by SOUK_DEMO_PUBLIC=true"
    )]
    PublicDemo(String),
    /// A value has the wrong format. The caller adds its key and turns this into [`Error::Invalid`].
    #[error("{0}")]
    Value(String),
}

impl Error {
    /// Adds the key of the field `name` to an [`Error::Value`].
    pub(crate) fn at(self, name: &str) -> Self {
        match self {
            Self::Value(expected) => Self::Invalid {
                key: key(name),
                expected,
            },
            other => other,
        }
    }

    /// Adds the key of a group to the keys of its settings.
    pub(crate) fn within(self, group: &str) -> Self {
        let full = |keys: String| keys.replace(PREFIX, &format!("{}_", key(group)));
        match self {
            Self::Missing(key) => Self::Missing(full(key)),
            Self::Unknown { key, known } => Self::Unknown {
                key: full(key),
                known: full(known),
            },
            Self::Invalid { key, expected } => Self::Invalid {
                key: full(key),
                expected,
            },
            other => other,
        }
    }
}

/// Returns the key of a setting from the name of its field.
pub(crate) fn key(field: &str) -> String {
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
