//! Names and passwords (HTTP Basic, RFC 7617). Verifying a password is slow on purpose, so it happens on blocking threads,
//! few at a time, and a password that was right is remembered for a moment by the SHA-256 of the credentials.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use argon2::{Argon2, PasswordVerifier as _, password_hash::phc::PasswordHash};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::{Identity, RequestContext, headers::check_name};
use crate::{
    config::{self, ConfigError},
    message::{Problem, headers::remove_all},
};

/// How long a right password is remembered.
const REMEMBERED: Duration = Duration::from_mins(1);
/// Number of passwords that are verified at the same time.
const CONCURRENT: usize = 2;
/// Maximum length of credentials, in bytes; longer ones are rejected.
const MAX_LENGTH: usize = 1024;

/// The users of a `basic` link.
#[derive(Debug)]
pub struct Basic {
    users: BTreeMap<String, Arc<str>>,
    challenge: HeaderValue,
    header: Option<HeaderName>,
    /// Credentials that were right, with the time until which they are remembered. The key is a hash that includes a
    /// secret.
    right: Cache<[u8; 32], Instant>,
    secret: [u8; 32],
    permits: Semaphore,
}

impl Basic {
    /// Checks that the names and the hashes are valid.
    pub(crate) fn check(rules: &config::Basic) -> Result<(), ConfigError> {
        for (name, hash) in &rules.users {
            if name.is_empty() || name.contains(|c: char| c == ':' || c.is_control()) {
                return Err(ConfigError::on(
                    hash,
                    format!("`{name}` cannot be the name of a user"),
                ));
            }
            if !is_bcrypt(&hash.value) && PasswordHash::new(&hash.value).is_err() {
                let message = format!("the password of `{name}` must be a hash by Argon2 or bcrypt");
                return Err(ConfigError::on(hash, message));
            }
        }
        if challenge(&rules.realm.value).is_none() {
            return Err(ConfigError::on(
                &rules.realm,
                "the realm contains a character that is not allowed",
            ));
        }
        rules.header.as_ref().map_or(Ok(()), check_name)
    }

    /// Creates the link from a checked configuration.
    #[must_use]
    pub fn new(rules: &config::Basic) -> Self {
        let users = rules.users.iter();
        Self {
            users: users
                .map(|(name, hash)| (name.clone(), hash.value.as_str().into()))
                .collect(),
            challenge: challenge(&rules.realm.value).unwrap_or_else(|| HeaderValue::from_static("Basic")),
            header: rules.header.as_ref().and_then(|name| name.value.parse().ok()),
            right: Cache::new(1_000),
            secret: rand::random(),
            permits: Semaphore::new(CONCURRENT),
        }
    }

    /// Authenticates a request, and removes its credentials.
    pub async fn pass(
        &self,
        context: &mut RequestContext<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), Problem> {
        let credentials = credentials(headers).ok_or_else(|| self.refused())?;
        let (name, password) = credentials.split_once(':').ok_or_else(|| self.refused())?;
        let key = Sha256::new()
            .chain_update(self.secret)
            .chain_update(&credentials)
            .finalize()
            .into();
        if self.right.get(&key).is_none_or(|until| until < Instant::now()) {
            if !self.verify(name, password, context.deadline).await? {
                return Err(self.refused());
            }
            self.right.insert(key, Instant::now() + REMEMBERED);
        }
        headers.remove(header::AUTHORIZATION);
        if let Some(header) = &self.header {
            remove_all(headers, std::slice::from_ref(header));
            if let Ok(value) = HeaderValue::try_from(name) {
                headers.insert(header, value);
            }
        }
        context.identity = Some(Arc::new(Identity::of_user(name)));
        Ok(())
    }

    /// Whether this is the user's password. An unknown user takes as long as a known one.
    async fn verify(&self, name: &str, password: &str, deadline: Instant) -> Result<bool, Problem> {
        let permit = tokio::time::timeout_at(deadline.into(), self.permits.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(Problem::too_busy());
        };
        let hash = self.users.get(name);
        let Some(compared) = hash.or_else(|| self.users.values().next()).cloned() else {
            return Ok(false);
        };
        let password = password.to_owned();
        let matches = tokio::task::spawn_blocking(move || is_password(&password, &compared)).await;
        Ok(matches.is_ok_and(|matches| matches) && hash.is_some())
    }

    fn refused(&self) -> Problem {
        let problem = souk_http::Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "the name or the password is missing or wrong",
        );
        problem
            .header(header::WWW_AUTHENTICATE, self.challenge.clone())
            .into()
    }
}

/// The name and the password of a request, joined by a colon.
fn credentials(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("basic") || encoded.len() > MAX_LENGTH {
        return None;
    }
    String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()
}

/// The challenge of a 401 for this realm, if it can be written between quotes.
fn challenge(realm: &str) -> Option<HeaderValue> {
    let is_plain = !realm.contains(['"', '\\']) && realm.is_ascii();
    let value = is_plain.then(|| format!("Basic realm=\"{realm}\", charset=\"UTF-8\""))?;
    HeaderValue::try_from(value).ok()
}

fn is_bcrypt(hash: &str) -> bool {
    hash.parse::<bcrypt::HashParts>().is_ok()
}

/// Whether the hash is that of the password, in a time that depends only on the hash.
fn is_password(password: &str, hash: &str) -> bool {
    if is_bcrypt(hash) {
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}
