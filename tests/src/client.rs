//! A shopper or an operator with an HTTP client: what a person does with Souk's public API, without shortcuts.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use uuid::Uuid;

/// The password of every account that a test registers.
pub const PASSWORD: &str = "a long enough passphrase";

/// One account's view of the system.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The body as JSON, `null` where it is none.
    pub body: Value,
}

impl Answer {
    /// Asserts the status; a failure shows the whole answer.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self
    }

    /// Asserts a problem+json body of that status with a trace id, as every error has.
    #[track_caller]
    #[must_use]
    pub fn problem(self, status: u16) -> Self {
        let this = self.expect(status);
        let kind = this
            .headers
            .get("content-type")
            .map(|value| value.to_str().unwrap_or_default().to_owned());
        assert_eq!(
            kind.as_deref(),
            Some("application/problem+json"),
            "{:#}",
            this.body
        );
        assert_eq!(this.body["status"], status, "{:#}", this.body);
        assert!(
            this.body["title"].is_string() && this.body["type"].is_string(),
            "{:#}",
            this.body
        );
        assert!(
            this.body["trace_id"].as_str().is_some_and(|id| id.len() == 32),
            "{:#}",
            this.body
        );
        this
    }
}

impl Client {
    /// Nobody yet.
    #[must_use]
    pub fn anonymous(gateway: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .build()
            .expect("an HTTP client");
        Self {
            http,
            base: gateway.trim_end_matches('/').to_owned(),
            token: None,
        }
    }

    /// Nobody yet, who connects from that address of this machine.
    #[must_use]
    pub fn from_address(gateway: &str, address: std::net::IpAddr) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .local_address(address)
            .build()
            .expect("an HTTP client");
        Self {
            http,
            ..Self::anonymous(gateway)
        }
    }

    /// A new account, logged in.
    pub async fn shopper(gateway: &str) -> Self {
        let this = Self::anonymous(gateway);
        let email = format!("shopper-{}@souk.test", Uuid::new_v4().simple());
        let account = json!({"email": email, "password": PASSWORD, "name": "A Shopper"});
        let _ = this.post("/v1/auth/register", account).await.expect(202);
        this.login(&email, PASSWORD).await
    }

    /// The demo's administrator.
    pub async fn admin(gateway: &str) -> Self {
        Self::anonymous(gateway)
            .login("admin@souk.test", "admin-password-souk")
            .await
    }

    /// This account, logged in.
    pub async fn login(mut self, email: &str, password: &str) -> Self {
        let answer = self
            .post("/v1/auth/login", json!({"email": email, "password": password}))
            .await
            .expect(200);
        self.token = answer.body["access_token"].as_str().map(str::to_owned);
        assert!(self.token.is_some(), "{:#}", answer.body);
        self
    }

    /// The same client with another bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The access token.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// A request to build on.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends what was built and reads the answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.expect("the gateway answers")
    }

    /// As [`Client::send`], for a system in trouble.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await?.to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Answer {
            status,
            headers,
            bytes,
            body,
        })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// POST with a fresh Idempotency-Key, which routes without one ignore.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_with_key(path, body, &Uuid::new_v4().to_string()).await
    }

    /// POST with that Idempotency-Key.
    pub async fn post_with_key(&self, path: &str, body: Value, key: &str) -> Answer {
        self.send(
            self.request(Method::POST, path)
                .header("idempotency-key", key)
                .json(&body),
        )
        .await
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// Places an order and returns the 202's body. As a good client does, it comes back with the same key when the
    /// service says that it has too much to do.
    pub async fn order(&self, sku: &str, quantity: u32, payment_method: &str) -> Value {
        let (body, key) = (
            order_body(sku, quantity, payment_method),
            Uuid::new_v4().to_string(),
        );
        for _ in 0..10 {
            let answer = self.post_with_key("/v1/orders", body.clone(), &key).await;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                return answer.expect(202).body;
            }
            let wait = answer
                .headers
                .get("retry-after")
                .and_then(|value| value.to_str().ok()?.parse().ok());
            tokio::time::sleep(Duration::from_secs(wait.expect("a 503 says when to come back"))).await;
        }
        panic!("the service had too much to do ten times");
    }

    /// Waits until the order is no longer pending, and its saga is at rest, and returns it.
    pub async fn settled(&self, order: &Value) -> Value {
        self.settled_within(order, Duration::from_mins(1)).await
    }

    /// As [`Client::settled`], with a patience of its own. Follows the order's events as the storefront does, and where
    /// there is no stream to be had, looks at the order once a second. Errors on the way count as "not yet".
    pub async fn settled_within(&self, order: &Value, patience: Duration) -> Value {
        let path = format!("/v1/orders/{}", order["id"].as_str().expect("an order id"));
        let started = Instant::now();
        let mut last = Value::Null;
        while started.elapsed() < patience {
            let left = patience.saturating_sub(started.elapsed());
            let followed = self.follow(&path, left).await;
            if let Ok(answer) = self.try_send(self.request(Method::GET, &path)).await
                && answer.status == 200
            {
                last = answer.body;
                if is_settled(&last, &last["saga"]) && last["degraded"] == json!([]) {
                    return last;
                }
            }
            if !matches!(followed, Ok(true)) {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        panic!("the order did not settle within {patience:?}: {last:#}");
    }

    /// Reads the events of the order at `path` until it is settled. False when the stream was refused, or ended before.
    async fn follow(&self, path: &str, patience: Duration) -> reqwest::Result<bool> {
        let request = self.request(Method::GET, &format!("{path}/events"));
        let mut stream = request.timeout(patience).send().await?;
        let mut received = Vec::new();
        while let Some(bytes) = stream.chunk().await? {
            received.extend_from_slice(&bytes);
            while let Some(end) = received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = received.drain(..=end).collect();
                let data = line.strip_prefix(b"data:").unwrap_or_default();
                let event: Value = serde_json::from_slice(data).unwrap_or_default();
                if is_settled(&event["order"], &event["saga"]) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Waits until something holds of an order, and returns it.
    pub async fn until(&self, order: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            last = self.get(&format!("/v1/orders/{order}")).await.expect(200).body;
            if holds(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it did not come to that within 30 s: {last:#}");
    }

    /// Makes a product of its own for a test, with that much stock; returns its SKU. For administrators.
    pub async fn product(&self, stock: i64) -> String {
        let sku = format!("TEST-{}", Uuid::new_v4().simple());
        let categories = self.get("/v1/categories").await.expect(200).body;
        let product = json!({
            "sku": sku,
            "name": "A thing to test with",
            "description": "Made by a test.",
            "category": categories["items"][0]["slug"],
            "price": {"amount": 1250, "currency": "EUR"},
        });
        let _ = self.post("/v1/products", product).await.expect(201);
        if stock > 0 {
            let adjustment = json!({"delta": stock, "reason": "a test's stock"});
            let path = format!("/v1/products/{sku}/stock-adjustments");
            let answer = self.post(&path, adjustment).await;
            assert!(answer.status.is_success(), "{:#}", answer.body);
        }
        sku
    }

    /// The stock of a SKU. For administrators.
    pub async fn stock(&self, sku: &str) -> Value {
        self.get(&format!("/v1/products/{sku}/stock"))
            .await
            .expect(200)
            .body
    }
}

/// Whether an order is no longer pending, and its saga at rest.
fn is_settled(order: &Value, saga: &Value) -> bool {
    let is_at_rest = matches!(saga["status"].as_str(), Some("completed" | "compensated"));
    is_at_rest && order["status"].as_str().is_some_and(|status| status != "pending")
}

/// The body of `POST /v1/orders` for one line.
#[must_use]
pub fn order_body(sku: &str, quantity: u32, payment_method: &str) -> Value {
    json!({
        "items": [{"sku": sku, "quantity": quantity}],
        "shipping_address": address(),
        "payment_method": payment_method,
    })
}

/// A valid address.
#[must_use]
pub fn address() -> Value {
    json!({"name": "A Shopper", "line1": "1 Market Street", "city": "Berlin", "postal_code": "10115", "country": "DE"})
}
