//! Opaque tokens: 256 random bits for the bearer, their SHA-256 for the database. A fast hash is enough, since nobody
//! can guess the bits.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A token that is shown once.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) sha256: [u8; 32],
}

impl Token {
    /// A new one that begins with `prefix`, by which a leak is recognised.
    pub(crate) fn generate(prefix: &str) -> Self {
        let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        let sha256 = hash(&text);
        Self { text, sha256 }
    }
}

/// What the database knows of a token.
pub(crate) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
