//! Passwords: what is accepted (NIST SP 800-63B, ASVS 5 V6.2) and how they are kept: argon2id with 19 MiB, two passes
//! and one lane (OWASP's first choice), off the async threads and only so many at a time.

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash,
};
use souk_http::Problem;
use tokio::sync::Semaphore;

const COMMON: &str = include_str!("common_passwords.txt");

/// How long a login waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);

/// Hashes and verifies. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// Of a password that nobody has, to spend the same time on an account that does not exist.
    nobody: Arc<str>,
}

impl Passwords {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Ok(Self {
            turns: Arc::new(Semaphore::new(cores)),
            nobody: hash(&crate::token::Token::generate("").text)?.into(),
        })
    }

    /// The PHC string to store.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        let _turn = self.turn().await?;
        off_thread(move || hash(&password))
            .await?
            .map_err(Problem::internal)
    }

    /// Waits for a turn, which [`Turn::verify`] needs. What is checked while it is held, such as whether an account is
    /// throttled, cannot be overtaken by a burst of attempts.
    pub(crate) async fn turn(&self) -> Result<Turn, Problem> {
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        match permit {
            Ok(Ok(permit)) => Ok(Turn {
                _permit: permit,
                nobody: Arc::clone(&self.nobody),
            }),
            _ => Err(Problem::unavailable(
                "Too many people are logging in at the moment.",
            )),
        }
    }
}

/// The right to use a core for one password.
pub(crate) struct Turn {
    _permit: tokio::sync::OwnedSemaphorePermit,
    nobody: Arc<str>,
}

impl Turn {
    /// Whether `password` is the one of `stored`; takes the same time without an account.
    pub(crate) async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, Problem> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.to_string());
        let matches = off_thread(move || {
            PasswordHash::new(&stored).is_ok_and(|stored| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &stored)
                    .is_ok()
            })
        })
        .await?;
        Ok(matches && exists)
    }
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}

pub(crate) fn hash(password: &str) -> anyhow::Result<String> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| anyhow!("argon2 parameters: {error}"))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| anyhow!("cannot hash a password: {error}"))
}

/// Why `password` cannot be one; nothing when it can.
pub(crate) fn objection(password: &str, email: &str) -> Option<&'static str> {
    if !(15..=128).contains(&password.chars().count()) {
        return Some("must have 15 to 128 characters");
    }
    let lower = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    if lower == email || (local.len() >= 8 && lower.replace(local, "").chars().count() < 6) {
        return Some("must not be your mail address");
    }
    if COMMON.lines().any(|common| common == lower) || is_repetition(&lower) {
        return Some("is one of the first that an attacker tries; choose another");
    }
    None
}

/// A short piece over and over, such as `abcabcabcabcabcabc`.
fn is_repetition(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=6).any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_long_passwords_and_only_those_that_are_not_common() {
        for good in [
            "correct horse battery",
            "demo-password-souk",
            "ünïcödé-ünïcödé",
            &"ab1c2d3e".repeat(16),
        ] {
            assert_eq!(objection(good, "ada@souk.test"), None, "{good}");
        }
        for bad in [
            "fourteen chars",
            &"x1y2z3w4q".repeat(15),
            "aaaaaaaaaaaaaaaa",
            "abc123abc123abc123",
            "PasswordPassword",
            "ada.lovelace@souk.test",
            "ada.lovelace123",
        ] {
            assert!(objection(bad, "ada.lovelace@souk.test").is_some(), "{bad}");
        }
    }

    #[tokio::test]
    async fn nothing_is_truncated_and_nobody_has_no_password() {
        let passwords = Passwords::new().unwrap();
        let long = "ä".repeat(127);
        let stored = passwords.hash(format!("{long}1")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let turn = passwords.turn().await.unwrap();
        assert!(
            turn.verify(format!("{long}1"), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(!turn.verify(format!("{long}2"), Some(stored)).await.unwrap());
        assert!(!turn.verify("anything at all".into(), None).await.unwrap());
    }
}
