//! HTTP requests to the processes that xtask starts.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::interrupt;

/// Timeout of a request to the public API.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into()
}

/// Whether a GET request to the URL returns 200.
pub(crate) fn is_ok(url: &str) -> bool {
    agent(Duration::from_secs(2))
        .get(url)
        .call()
        .is_ok_and(|answer| answer.status() == 200)
}

/// Status and body of the response to a GET request.
pub(crate) fn text(url: &str) -> Result<(u16, String)> {
    let mut answer = agent(Duration::from_secs(2)).get(url).call()?;
    Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
}

/// A client of the public API.
pub(crate) struct Client {
    base: String,
    token: Option<String>,
}

impl Client {
    /// Logs in and returns a client that sends the access token.
    pub(crate) fn login(base: &str, email: &str, password: &str) -> Result<Self> {
        let mut client = Self {
            base: base.to_owned(),
            token: None,
        };
        let body = serde_json::json!({"email": email, "password": password});
        let answer = client
            .post("/v1/auth/login", &body)
            .with_context(|| format!("login of {email}"))?;
        client.token = answer["access_token"].as_str().map(str::to_owned);
        Ok(client)
    }

    /// Registers the account if it does not exist, and logs in. In a demo, accounts need no verification.
    pub(crate) fn register(base: &str, email: &str, password: &str, name: &str) -> Result<Self> {
        let anonymous = Self {
            base: base.to_owned(),
            token: None,
        };
        let account = serde_json::json!({"email": email, "password": password, "name": name});
        anonymous.post("/v1/auth/register", &account)?;
        Self::login(base, email, password)
    }

    /// Whether a resource exists at the path.
    pub(crate) fn exists(&self, path: &str) -> Result<bool> {
        let request = self.authorized(agent(REQUEST_TIMEOUT).get(format!("{}{path}", self.base)));
        match request.call()?.status().as_u16() {
            404 => Ok(false),
            200 => Ok(true),
            status => bail!("{path} answers {status}"),
        }
    }

    /// Deletes the resource at the path, in its current version.
    pub(crate) fn delete(&self, path: &str) -> Result<()> {
        let url = format!("{}{path}", self.base);
        send_with_retries(path, || {
            let seen = self.authorized(agent(REQUEST_TIMEOUT).get(&url)).call()?;
            let tag = seen.headers().get("etag").cloned();
            let request = self.authorized(agent(REQUEST_TIMEOUT).delete(&url));
            match tag {
                Some(tag) => request.header("if-match", tag).call(),
                None => request.call(),
            }
        })
        .map(drop)
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        send_with_retries(path, || {
            self.authorized(agent(REQUEST_TIMEOUT).get(format!("{}{path}", self.base)))
                .call()
        })
    }

    /// Sends a POST request. After a 429 it is sent again with the same idempotency key.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let key = format!("{:032x}", rand::random::<u128>());
        send_with_retries(path, || {
            let request = agent(REQUEST_TIMEOUT).post(format!("{}{path}", self.base));
            self.authorized(request)
                .header("idempotency-key", &key)
                .send_json(body)
        })
    }

    fn authorized<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }
}

/// Sends a request, and repeats it after the time in `Retry-After` while the gateway answers 429.
fn send_with_retries(
    path: &str,
    send: impl Fn() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Value> {
    loop {
        let mut answer = send().with_context(|| path.to_owned())?;
        let status = answer.status();
        if status == 429 {
            let header = answer
                .headers()
                .get("retry-after")
                .and_then(|value| value.to_str().ok()?.parse().ok());
            interrupt::pause(Duration::from_secs(header.unwrap_or(1).min(10)));
            interrupt::check()?;
            continue;
        }
        let text = answer.body_mut().read_to_string()?;
        if !status.is_success() {
            bail!("{path} answers {status}: {text}");
        }
        return Ok(serde_json::from_str(&text).unwrap_or_default());
    }
}
