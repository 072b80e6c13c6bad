//! Enums whose variants are words in the database and in the API.

/// Defines an enum that is stored and shown as one snake-case word per variant.
macro_rules! stored_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every variant, in the order of its definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that stands for it in the database and in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Reads a stored word.
            ///
            /// # Errors
            /// Fails when no variant has this word, as for a row that a newer version has written.
            pub fn parse(word: &str) -> sqlx::Result<Self> {
                let found = Self::ALL.iter().find(|variant| variant.as_str() == word);
                found.copied().ok_or_else(|| {
                    sqlx::Error::Decode(format!("{word} is not a {}", stringify!($name)).into())
                })
            }
        }
    };
}

pub(crate) use stored_enum;
