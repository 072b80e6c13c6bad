//! The secret tokens in the links of mails. Users decides that a token exists and stores its hash; the event that asks for
//! the mail has only the token's id; notifications derives the token from the id when it writes the mail. Whoever reads
//! events or tables but does not know the secret learns no token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// What a token is good for. A token of one kind is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTokenKind {
    /// Proves that mail to an address arrives.
    Verification,
    /// Sets a new password.
    PasswordReset,
}

impl MailTokenKind {
    /// The kind in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::PasswordReset => "password_reset",
        }
    }

    /// How a token of this kind begins, by which a leak is recognised.
    fn prefix(self) -> &'static str {
        match self {
            Self::Verification => "souk_vt_",
            Self::PasswordReset => "souk_pr_",
        }
    }
}

/// Derives tokens from their ids: HMAC-SHA-256 under a secret that users and notifications share.
#[derive(Clone)]
pub struct MailTokens(Hmac<Sha256>);

impl MailTokens {
    /// The secret of a demo, refused outside demo mode.
    pub const DEMO_SECRET: &str = "souk demo mails: not a secret, do not use";

    /// With that secret, which should have at least 32 characters.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        // Cannot fail: HMAC takes keys of every length.
        let key = Hmac::new_from_slice(secret.as_bytes());
        Self(key.unwrap_or_else(|_| unreachable!("HMAC takes keys of every length")))
    }

    /// The token with that id.
    #[must_use]
    pub fn derive(&self, kind: MailTokenKind, id: Uuid) -> String {
        let mut hmac = self.0.clone();
        hmac.update(kind.name().as_bytes());
        hmac.update(id.as_bytes());
        let bits = URL_SAFE_NO_PAD.encode(hmac.finalize().into_bytes());
        format!("{}{bits}", kind.prefix())
    }
}

impl std::fmt::Debug for MailTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MailTokens")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the bits begin.
    const BITS: usize = "souk_vt_".len();

    #[test]
    fn a_token_depends_on_its_secret_its_kind_and_its_id() {
        let (one, other) = (MailTokens::new("one"), MailTokens::new("other"));
        let id = Uuid::from_u128(1);
        let token = one.derive(MailTokenKind::Verification, id);
        assert_eq!(token, one.derive(MailTokenKind::Verification, id));
        assert_eq!(token.len(), BITS + 43, "256 bits");
        assert!(!token.contains(&id.to_string()));
        for another in [
            other.derive(MailTokenKind::Verification, id),
            one.derive(MailTokenKind::PasswordReset, id),
            one.derive(MailTokenKind::Verification, Uuid::from_u128(2)),
        ] {
            assert_ne!(token[BITS..], another[BITS..]);
        }
    }
}
