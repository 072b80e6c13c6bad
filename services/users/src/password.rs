//! Passwords: which ones are accepted (NIST SP 800-63B, ASVS 5 V6.2), and how they are hashed: Argon2id with 19 MiB, two
//! passes and one lane, as OWASP recommends. Hashing runs on blocking threads, with limited concurrency.

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash,
};
use tokio::sync::Semaphore;

use crate::error::Error;

const COMMON: &str = include_str!("common_passwords.txt");

/// How long a request waits for a permit to hash or verify a password.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(3);

/// Hashes and verifies passwords, at most one per core at a time. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    /// Hash of a random password. Verifying against it takes as long for an unknown account as for a known one.
    dummy_hash: Arc<str>,
}

impl Passwords {
    /// Creates the hasher with one permit for each core.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Ok(Self {
            permits: Arc::new(Semaphore::new(cores)),
            dummy_hash: hash(&crate::token::Token::generate("").text)?.into(),
        })
    }

    /// Hashes a password; returns the PHC string to store. Fails if no permit becomes free in time.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Error> {
        let _permit = self.acquire().await?;
        run_blocking(move || hash(&password))
            .await?
            .map_err(Error::internal)
    }

    /// Waits for a permit, which [`Permit::verify`] needs; fails if none becomes free in time. Acquire it before the throttle
    /// counts an attempt, so that a burst of attempts is not counted before it can be verified.
    pub(crate) async fn acquire(&self) -> Result<Permit, Error> {
        let permit = tokio::time::timeout(PERMIT_TIMEOUT, Arc::clone(&self.permits).acquire_owned()).await;
        match permit {
            Ok(Ok(permit)) => Ok(Permit {
                _permit: permit,
                dummy_hash: Arc::clone(&self.dummy_hash),
            }),
            _ => Err(Error::TooManyPasswords),
        }
    }
}

/// Permission to verify a password; released when dropped.
pub(crate) struct Permit {
    _permit: tokio::sync::OwnedSemaphorePermit,
    dummy_hash: Arc<str>,
}

impl Permit {
    /// Whether `password` matches the stored hash. Without a hash the result is false, after the same time.
    pub(crate) async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, Error> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy_hash.to_string());
        let matches = run_blocking(move || {
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

/// Runs CPU-bound work on a blocking thread.
async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// Hashes a password on the current thread; returns the PHC string.
pub(crate) fn hash(password: &str) -> anyhow::Result<String> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| anyhow!("argon2 parameters: {error}"))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| anyhow!("cannot hash a password: {error}"))
}

/// Returns why a password is refused for the account with this email address; `None` if it is accepted.
pub(crate) fn rejection(password: &str, email: &str) -> Option<&'static str> {
    if !(15..=128).contains(&password.chars().count()) {
        return Some("must have 15 to 128 characters");
    }
    let lower = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    if lower == email || (local.len() >= 8 && lower.replace(local, "").chars().count() < 6) {
        return Some("must not be your email address");
    }
    if COMMON.lines().any(|common| common == lower) || is_repetition(&lower) {
        return Some("is one of the first that an attacker tries; choose another");
    }
    None
}

/// Whether the text repeats a piece of at most six characters, such as `abcabcabcabcabcabc`.
fn is_repetition(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=6).any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_short_common_and_guessable_passwords() {
        for good in [
            "correct horse battery",
            "demo-password-souk",
            "ünïcödé-ünïcödé",
            &"ab1c2d3e".repeat(16),
        ] {
            assert_eq!(rejection(good, "ada@souk.test"), None, "{good}");
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
            assert!(rejection(bad, "ada.lovelace@souk.test").is_some(), "{bad}");
        }
    }

    #[tokio::test]
    async fn long_passwords_are_not_truncated_and_a_missing_hash_never_matches() {
        let passwords = Passwords::new().unwrap();
        let long = "ä".repeat(127);
        let stored = passwords.hash(format!("{long}1")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let permit = passwords.acquire().await.unwrap();
        assert!(
            permit
                .verify(format!("{long}1"), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(!permit.verify(format!("{long}2"), Some(stored)).await.unwrap());
        assert!(!permit.verify("anything at all".into(), None).await.unwrap());
    }
}
