//! Opaque tokens: the client holds 256 random bits, the database their SHA-256. A fast hash suffices because the bits
//! cannot be guessed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A new token. Its text is sent to the client once; only the hash is stored.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) sha256: [u8; 32],
}

impl Token {
    /// Generates a token. The prefix lets secret scanners recognize leaked tokens.
    pub(crate) fn generate(prefix: &str) -> Self {
        let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        let sha256 = hash(&text);
        Self { text, sha256 }
    }
}

/// Returns the hash under which a token is stored.
pub(crate) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
