//! API keys: exchanged at the upstream that knows them for a token, which then is treated as any token. So services
//! know only tokens. A withdrawn key works as long as its token is remembered here, which is short.

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

use crate::{body::RequestBody, config, core::Core, problem::Problem, upstream};

/// Where keys are exchanged.
#[derive(Debug)]
pub struct ApiKeys {
    upstream: usize,
    path: String,
    cache: Duration,
    remembered: Cache<[u8; 32], Arc<Token>>,
}

/// What a key was exchanged for.
#[derive(Debug)]
pub struct Token {
    header: HeaderValue,
    until: Instant,
}

impl Token {
    /// As `Authorization`.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// The token itself.
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
    /// From the file.
    #[must_use]
    pub fn new(config: &config::ApiKeys, upstream: usize) -> Self {
        Self {
            upstream,
            path: config.path.clone(),
            cache: config.cache.0,
            remembered: Cache::new(1_000),
        }
    }

    /// The token for a key.
    pub async fn exchange(
        &self,
        core: &Core,
        key: &HeaderValue,
        deadline: Instant,
    ) -> Result<Arc<Token>, Problem> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        if let Some(token) = self
            .remembered
            .get(&hash)
            .filter(|token| token.until > Instant::now())
        {
            return Ok(token);
        }
        let refused = || Problem::unauthorized("the API key is not valid");
        let key = key.to_str().map_err(|_| refused())?;
        let pool = &core.pools[self.upstream];
        let mut request = Request::new(RequestBody::Full(Some(Bytes::from(
            json!({"key": key}).to_string(),
        ))));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self
            .path
            .parse::<Uri>()
            .map_err(|_| Problem::internal("a path of the file is no path"))?;
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
            // Whatever is wrong with the key is the client's affair; everything else is ours.
            status if status.is_client_error() => return Err(refused()),
            _ => return Err(Problem::unavailable("API keys cannot be verified at the moment")),
        }
        let answer: Exchanged = serde_json::from_slice(response.body())
            .map_err(|_| Problem::bad_gateway("the service answered nonsense"))?;
        let mut header = HeaderValue::try_from(format!("Bearer {}", answer.access_token))
            .map_err(|_| Problem::bad_gateway("the service answered nonsense"))?;
        header.set_sensitive(true);
        let lasts = self.cache.min(Duration::from_secs(answer.expires_in / 2));
        let token = Arc::new(Token {
            header,
            until: Instant::now() + lasts,
        });
        self.remembered.insert(hash, token.clone());
        Ok(token)
    }
}
