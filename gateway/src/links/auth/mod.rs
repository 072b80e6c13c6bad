//! Authentication by a signed token (RFC 9068), or by an API key that is exchanged for one. Verifying a signature costs
//! more than the rest of a request, so the identity of a verified token is cached by the token's SHA-256 until it
//! expires or the issuer's keys change.

pub mod api_key;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use souk_http::auth::{AuthError, LEEWAY, Verifier, bearer};
use souk_tls::Protocol;

use api_key::ApiKeys;

use super::RequestContext;
use crate::{
    config,
    message::{Problem, headers::API_KEY},
    upstream::Pools,
};

/// A time that never comes, in seconds since 1970.
const NEVER: u64 = 1 << 40;
/// Maximum number of cached identities.
const CACHE_SIZE: usize = 10_000;

/// The authenticated user of a request, as stated by the token.
#[derive(Debug)]
pub struct Identity {
    /// Id of the user (claim `sub`).
    pub subject: Arc<str>,
    /// Roles of the user (claim `roles`); empty if the token has none.
    pub roles: Vec<String>,
    /// Scopes that limit the token (claim `scope`); `None` if the token has no such claim.
    pub scopes: Option<Vec<String>>,
    /// When the token expires (claim `exp`), in seconds since 1970.
    expires: u64,
    /// Headers that identify the user to upstreams.
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Identity {
    /// The identity of a user that was authenticated without a token. It has no roles and does not expire.
    #[must_use]
    pub fn of_user(subject: &str) -> Self {
        Self {
            subject: subject.into(),
            roles: vec![],
            scopes: None,
            expires: NEVER,
            headers: vec![],
        }
    }

    /// When the token expires.
    #[must_use]
    pub fn expires(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.expires)
    }
}

/// Verifies the tokens of one issuer.
#[derive(Debug)]
pub struct Auth {
    verifier: Verifier,
    /// Headers to set for upstreams, with the claims that they are taken from.
    headers: Vec<(HeaderName, String)>,
    /// Identities by the SHA-256 of their token, with the version of the keys that verified it.
    identities: Cache<[u8; 32], (u64, Arc<Identity>)>,
    api_keys: Option<ApiKeys>,
}

impl Auth {
    /// Creates the verifier of an issuer; `upstream` returns the index of an upstream. Fails if a file of `mtls` cannot be
    /// used.
    pub fn new(config: &config::Auth, upstream: impl Fn(&str) -> usize) -> anyhow::Result<Self> {
        let tls = config.mtls.as_ref().map(|mtls| mtls.connector(Protocol::Http1));
        Ok(Self {
            verifier: Verifier::of_issuer(
                &config.issuer,
                &config.audience,
                config.algorithms.clone(),
                &config.jwks,
                tls.transpose()?.flatten(),
            ),
            headers: config
                .headers
                .iter()
                .filter_map(|(name, claim)| Some((name.parse().ok()?, claim.clone())))
                .collect(),
            identities: Cache::new(CACHE_SIZE),
            api_keys: config
                .api_keys
                .as_ref()
                .map(|keys| ApiKeys::new(keys, upstream(&keys.to.value))),
        })
    }

    /// Names of the headers that are set from claims. A client must not be able to set them.
    pub fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.headers.iter().map(|(name, _)| name)
    }

    /// Whether the issuer's keys are available, so that tokens can be verified.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.verifier.keys_version().is_some()
    }

    /// Keeps the issuer's keys up to date for as long as this is polled.
    pub async fn keep_keys_fresh(&self) {
        self.verifier.keep_fresh().await;
    }

    /// Authenticates a request, and sets the identity headers for the upstream. Without credentials, it fails if
    /// `required`.
    pub async fn pass(
        &self,
        pools: &Pools,
        context: &mut RequestContext<'_>,
        headers: &mut HeaderMap,
        required: bool,
    ) -> Result<(), Problem> {
        let key = headers.remove(API_KEY);
        let identity = if headers.contains_key(header::AUTHORIZATION) {
            let token = bearer(headers)
                .ok_or_else(|| Problem::unauthorized("exactly one Bearer token is expected"))?;
            self.verify(token).await?
        } else if let (Some(key), Some(api_keys)) = (key, &self.api_keys) {
            let token = Box::pin(api_keys.exchange(pools, &key, context.deadline)).await?;
            let identity = self.verify(token.token()).await?;
            headers.insert(header::AUTHORIZATION, token.header().clone());
            context.has_api_key = true;
            identity
        } else if required {
            return Err(Problem::unauthorized("a token is required"));
        } else {
            return Ok(());
        };
        for (name, value) in &identity.headers {
            headers.insert(name, value.clone());
        }
        context.identity = Some(identity);
        Ok(())
    }

    async fn verify(&self, token: &str) -> Result<Arc<Identity>, Problem> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let version = self.verifier.keys_version();
        if let Some((verified_with, identity)) = self.identities.get(&hash)
            && version == Some(verified_with)
            && identity.expires + LEEWAY > now()
        {
            return Ok(identity);
        }
        let invalid = || Problem::unauthorized("the token is invalid or has expired");
        let claims = match Box::pin(self.verifier.verify_claims(token)).await {
            Ok(claims) => claims,
            Err(AuthError::Unavailable) => {
                return Err(Problem::unavailable(
                    "tokens cannot be verified at the moment; try again later",
                ));
            }
            Err(AuthError::Invalid(reason)) => {
                tracing::debug!(reason, "access token rejected");
                return Err(invalid());
            }
        };
        let identity = Arc::new(self.identity(&claims).ok_or_else(invalid)?);
        if let Some(version) = version {
            self.identities.insert(hash, (version, Arc::clone(&identity)));
        }
        Ok(identity)
    }

    fn identity(&self, claims: &Map<String, Value>) -> Option<Identity> {
        let header = |(name, claim): &(HeaderName, String)| {
            let value = match claims.get(claim)? {
                Value::String(text) => text.clone(),
                Value::Array(items) => items
                    .iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(","),
                other => other.to_string(),
            };
            Some((name.clone(), HeaderValue::try_from(value).ok()?))
        };
        claims.get("jti")?.as_str()?;
        let roles = claims.get("roles").and_then(Value::as_array);
        // A `scope` that is not a string allows nothing.
        let scopes = claims.get("scope").map(|scope| {
            let words = scope.as_str().unwrap_or_default().split(' ');
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        });
        Some(Identity {
            subject: claims.get("sub")?.as_str()?.into(),
            roles: roles
                .into_iter()
                .flatten()
                .filter_map(|role| Some(role.as_str()?.to_owned()))
                .collect(),
            scopes,
            expires: claims.get("exp")?.as_u64()?,
            headers: self.headers.iter().filter_map(header).collect(),
        })
    }
}

/// The current time in seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
