//! Who asks: a signed token (RFC 9068), or an API key that is exchanged for one. Verifying a signature costs more than
//! all the rest of a request, so a verified token is remembered by its SHA-256 until it expires.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use jsonwebtoken::Validation;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{Passage, api_key::ApiKeys, keys::Keys};
use crate::{config, core::Core, headers::API_KEY, problem::Problem};

/// Clocks may differ by this much, in seconds.
const LEEWAY: u64 = 30;
/// Tokens remembered.
const REMEMBERED: usize = 10_000;
/// Header parameters by which a token could bring its own key, or rules that are not implemented (RFC 7515).
const REFUSED: [&str; 6] = ["jku", "jwk", "x5u", "x5c", "crit", "b64"];

/// Who asks.
#[derive(Debug)]
pub struct Identity {
    /// `sub`.
    pub subject: Arc<str>,
    /// `roles`.
    pub roles: Vec<String>,
    /// The words of `scope`, by which a token may be limited.
    pub scopes: Option<Vec<String>>,
    /// `exp`, seconds since 1970.
    expires: u64,
    /// What upstreams are told.
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Tokens of one issuer.
#[derive(Debug)]
pub struct Auth {
    issuer: String,
    audience: Vec<String>,
    headers: Vec<(HeaderName, String)>,
    keys: Keys,
    remembered: Cache<[u8; 32], Arc<Identity>>,
    api_keys: Option<ApiKeys>,
}

/// Why a token is not accepted. The client is told little, the log nothing of the token.
enum Refusal {
    Invalid(&'static str),
    UnknownKey,
    NoKeys,
}

impl Auth {
    /// From the file; `upstream` finds the number of an upstream.
    #[must_use]
    pub fn new(config: &config::Auth, upstream: impl Fn(&str) -> usize) -> Self {
        Self {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            headers: config
                .headers
                .iter()
                .filter_map(|(name, claim)| Some((name.parse().ok()?, claim.clone())))
                .collect(),
            keys: Keys::new(&config.jwks, &config.algorithms),
            remembered: Cache::new(REMEMBERED),
            api_keys: config
                .api_keys
                .as_ref()
                .map(|keys| ApiKeys::new(keys, upstream(&keys.to.value))),
        }
    }

    /// The headers that it sets, and that nobody else may.
    pub fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.headers.iter().map(|(name, _)| name)
    }

    /// Whether tokens can be verified.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.keys.current().is_some()
    }

    /// Keeps the keys up to date; what was verified by old ones is forgotten with them.
    pub async fn run(&self, stop: CancellationToken) {
        self.keys.run(|| self.remembered.clear(), stop).await;
    }

    /// Finds out who asks and tells the upstream.
    pub async fn pass(
        &self,
        core: &Core,
        passage: &mut Passage,
        headers: &mut HeaderMap,
        required: bool,
    ) -> Result<(), Problem> {
        let key = headers.remove(API_KEY);
        let identity = if headers.contains_key(header::AUTHORIZATION) {
            let token =
                bearer(headers).ok_or_else(|| Problem::unauthorized("one Bearer token is expected"))?;
            self.verify(token).await?
        } else if let (Some(key), Some(api_keys)) = (key, &self.api_keys) {
            let token = api_keys.exchange(core, &key, passage.deadline).await?;
            let identity = self.verify(token.token()).await?;
            headers.insert(header::AUTHORIZATION, token.header().clone());
            passage.has_api_key = true;
            identity
        } else if required {
            return Err(Problem::unauthorized("a token is required"));
        } else {
            return Ok(());
        };
        for (name, value) in &identity.headers {
            headers.insert(name, value.clone());
        }
        passage.identity = Some(identity);
        Ok(())
    }

    async fn verify(&self, token: &str) -> Result<Arc<Identity>, Problem> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some(identity) = self.remembered.get(&hash) {
            if identity.expires + LEEWAY > now() {
                return Ok(identity);
            }
            self.remembered.remove(&hash);
        }
        let mut verified = self.check(token);
        if matches!(verified, Err(Refusal::UnknownKey | Refusal::NoKeys)) {
            self.keys.refetch().await;
            verified = self.check(token);
        }
        match verified {
            Ok(identity) => {
                let identity = Arc::new(identity);
                self.remembered.insert(hash, identity.clone());
                Ok(identity)
            }
            Err(Refusal::NoKeys) => Err(Problem::unavailable("tokens cannot be verified at the moment")),
            Err(Refusal::UnknownKey) => Err(Problem::unauthorized("the token is signed by an unknown key")),
            Err(Refusal::Invalid(why)) => Err(Problem::unauthorized(why)),
        }
    }

    fn check(&self, token: &str) -> Result<Identity, Refusal> {
        let invalid = Refusal::Invalid("the token is not valid");
        let head = token
            .split('.')
            .next()
            .and_then(|head| URL_SAFE_NO_PAD.decode(head).ok());
        let head: Option<Map<String, Value>> = head.and_then(|head| serde_json::from_slice(&head).ok());
        let Some(head) = head else {
            return Err(invalid);
        };
        if REFUSED.iter().any(|name| head.contains_key(*name)) || head.get("typ") != Some(&"at+jwt".into()) {
            return Err(invalid);
        }
        let Some(kid) = head.get("kid").and_then(Value::as_str) else {
            return Err(invalid);
        };
        let keys = self.keys.current().ok_or(Refusal::NoKeys)?;
        let (algorithm, key) = keys.get(kid).ok_or(Refusal::UnknownKey)?;
        let mut rules = Validation::new(*algorithm);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        rules.set_audience(&self.audience);
        rules.set_issuer(&[&self.issuer]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub", "nbf"]);
        let claims = match jsonwebtoken::decode::<Map<String, Value>>(token, key, &rules) {
            Ok(data) => data.claims,
            Err(error) if matches!(error.kind(), jsonwebtoken::errors::ErrorKind::ExpiredSignature) => {
                return Err(Refusal::Invalid("the token has expired"));
            }
            Err(_) => return Err(invalid),
        };
        self.identity(&claims).ok_or(invalid)
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
        // One that is no text limits the token to nothing.
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

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
