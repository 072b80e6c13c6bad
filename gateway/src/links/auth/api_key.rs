//! API keys. A key is exchanged for a short-lived token at the upstream that manages keys, and that token is then
//! verified like any other, so services only ever see tokens. A revoked key works until its token leaves this cache,
//! after a few seconds.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    config,
    message::{Problem, RequestBody},
    upstream::{self, Pools},
};

/// Exchanges API keys for tokens, and caches the tokens.
#[derive(Debug)]
pub struct ApiKeys {
    upstream: usize,
    path: String,
    /// How long a token is cached at most.
    max_age: Duration,
    /// Tokens by the SHA-256 of their API key.
    tokens: Cache<[u8; 32], Arc<Token>>,
}

/// The token that an API key was exchanged for.
#[derive(Debug)]
pub struct Token {
    header: HeaderValue,
    /// When the token leaves the cache; well before it expires.
    until: Instant,
}

impl Token {
    /// The value of the `Authorization` header with this token.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// The token without the `Bearer` prefix.
    #[must_use]
    pub fn token(&self) -> &str {
        self.header
            .to_str()
            .unwrap_or_default()
            .trim_start_matches("Bearer ")
    }
}

#[derive(Deserialize)]
struct Exchanged {
    access_token: String,
    expires_in: u64,
}

impl ApiKeys {
    /// Creates the exchange; `upstream` is the index of the upstream that manages keys.
    #[must_use]
    pub fn new(config: &config::ApiKeys, upstream: usize) -> Self {
        Self {
            upstream,
            path: config.path.clone(),
            max_age: config.cache.0,
            tokens: Cache::new(1_000),
        }
    }

    /// The token for an API key, from the cache or from the upstream. Fails with 401 if the key is invalid.
    pub async fn exchange(
        &self,
        pools: &Pools,
        key: &HeaderValue,
        deadline: Instant,
    ) -> Result<Arc<Token>, Problem> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        if let Some(token) = self
            .tokens
            .get(&hash)
            .filter(|token| token.until > Instant::now())
        {
            return Ok(token);
        }
        let refused = || Problem::unauthorized("the API key is not valid");
        let key = key.to_str().map_err(|_| refused())?;
        let pool = pools.pool(self.upstream);
        let mut request = Request::new(RequestBody::Full(Some(Bytes::from(
            json!({"key": key}).to_string(),
        ))));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self
            .path
            .parse::<Uri>()
            .map_err(|_| Problem::internal("the configured path of the key exchange is invalid"))?;
        request
            .headers_mut()
            .insert(header::HOST, pool.cluster.host.clone());
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let response = upstream::collect(pool, None, request, deadline).await?;
        match response.status() {
            StatusCode::OK => {}
            status if upstream::is_shed(status, response.headers()) => {
                return Err(Problem::overloaded(response.headers()));
            }
            // A client error of the exchange means that the key is invalid; anything else is not the client's fault.
            status if status.is_client_error() => return Err(refused()),
            _ => return Err(Problem::unavailable("API keys cannot be verified at the moment")),
        }
        let answer: Exchanged = serde_json::from_slice(response.body())
            .map_err(|_| Problem::bad_gateway("the service sent an invalid response"))?;
        let mut header = HeaderValue::try_from(format!("Bearer {}", answer.access_token))
            .map_err(|_| Problem::bad_gateway("the service sent an invalid response"))?;
        header.set_sensitive(true);
        let lasts = self.max_age.min(Duration::from_secs(answer.expires_in / 2));
        let token = Arc::new(Token {
            header,
            until: Instant::now() + lasts,
        });
        self.tokens.insert(hash, token.clone());
        Ok(token)
    }
}
