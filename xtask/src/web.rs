//! HTTP to the processes that xtask starts.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into()
}

/// Whether the address answers 200.
pub(crate) fn is_ok(url: &str) -> bool {
    agent(Duration::from_secs(2))
        .get(url)
        .call()
        .is_ok_and(|answer| answer.status() == 200)
}

/// The status and the text at an address.
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
    /// Logged in.
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

    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let mut request = agent(Duration::from_secs(15)).get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        read(path, request.call()?)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut request = agent(Duration::from_secs(15))
            .post(format!("{}{path}", self.base))
            .header("idempotency-key", crate::system::random::hex()?);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        read(path, request.send_json(body)?)
    }
}

fn read(path: &str, mut answer: ureq::http::Response<ureq::Body>) -> Result<Value> {
    let status = answer.status();
    let text = answer.body_mut().read_to_string()?;
    if !status.is_success() {
        bail!("{path} answers {status}: {text}");
    }
    Ok(serde_json::from_str(&text).unwrap_or_default())
}
