//! The secret tokens in the links of emails. The users service creates a token and stores its hash. The event that
//! requests the email carries only the token's id, from which notifications derives the token. Without the shared secret,
//! neither events nor tables reveal a token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// The purpose of a token. A token is valid only for the kind it was derived for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTokenKind {
    /// Confirms that the account's email address receives mail.
    Verification,
    /// Allows setting a new password without the old one.
    PasswordReset,
}

impl MailTokenKind {
    /// The name of this kind in database tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::PasswordReset => "password_reset",
        }
    }

    /// The prefix of every token of this kind, so that secret scanners can detect a leaked one.
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
    /// The default secret in demo mode. Services refuse to start with it outside demo mode.
    pub const DEMO_SECRET: &str = "souk demo mails: not a secret, do not use";

    /// Creates a deriver with this secret, which should have at least 32 characters.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        let key = Hmac::new_from_slice(secret.as_bytes());
        Self(key.unwrap_or_else(|_| unreachable!("HMAC accepts keys of any length")))
    }

    /// Derives the token with this id. The same kind and id always produce the same token.
    #[must_use]
    pub fn derive(&self, kind: MailTokenKind, id: Uuid) -> String {
        let mut hmac = self.0.clone();
        hmac.update(kind.name().as_bytes());
        hmac.update(id.as_bytes());
        let mac = URL_SAFE_NO_PAD.encode(hmac.finalize().into_bytes());
        format!("{}{mac}", kind.prefix())
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

    /// Length of the prefix of every token.
    const PREFIX: usize = "souk_vt_".len();

    #[test]
    fn a_token_depends_on_its_secret_its_kind_and_its_id() {
        let (one, other) = (MailTokens::new("one"), MailTokens::new("other"));
        let id = Uuid::from_u128(1);
        let token = one.derive(MailTokenKind::Verification, id);
        assert_eq!(token, one.derive(MailTokenKind::Verification, id));
        assert_eq!(token.len(), PREFIX + 43, "256 mac");
        assert!(!token.contains(&id.to_string()));
        for another in [
            other.derive(MailTokenKind::Verification, id),
            one.derive(MailTokenKind::PasswordReset, id),
            one.derive(MailTokenKind::Verification, Uuid::from_u128(2)),
        ] {
            assert_ne!(token[PREFIX..], another[PREFIX..]);
        }
    }
}
