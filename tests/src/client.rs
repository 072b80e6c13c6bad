//! An HTTP client of Souk's public API, which acts as a shopper or an operator. It uses no internal interfaces.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use uuid::Uuid;

/// Password of every account that a test registers.
pub const PASSWORD: &str = "a long enough passphrase";

/// A client that is anonymous or logged in with one account.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// A response with its complete body.
#[derive(Debug)]
pub struct Response {
    /// HTTP status of the response.
    pub status: StatusCode,
    /// Headers of the response.
    pub headers: HeaderMap,
    /// Body of the response as received.
    pub bytes: Vec<u8>,
    /// Body as JSON, or `null` if it is not JSON.
    pub body: Value,
}

impl Response {
    /// Asserts the status. A failure shows the body.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self
    }

    /// Asserts a problem+json response with that status and a trace id, which every error response must have.
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
    /// Creates a client that is not logged in.
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

    /// Creates a client that is not logged in and connects from this local address.
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

    /// Registers a new account and logs in.
    pub async fn shopper(gateway: &str) -> Self {
        let this = Self::anonymous(gateway);
        let email = format!("shopper-{}@souk.test", Uuid::new_v4().simple());
        let account = json!({"email": email, "password": PASSWORD, "name": "A Shopper"});
        let _ = this.post("/v1/auth/register", account).await.expect(202);
        this.login(&email, PASSWORD).await
    }

    /// Logs in as the administrator of the demo.
    pub async fn admin(gateway: &str) -> Self {
        Self::anonymous(gateway)
            .login("admin@souk.test", "admin-password-souk")
            .await
    }

    /// Logs in with this account.
    pub async fn login(mut self, email: &str, password: &str) -> Self {
        let response = self
            .post("/v1/auth/login", json!({"email": email, "password": password}))
            .await
            .expect(200);
        self.token = response.body["access_token"].as_str().map(str::to_owned);
        assert!(self.token.is_some(), "{:#}", response.body);
        self
    }

    /// Returns a copy of this client with another bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The access token, or an empty text if the client is not logged in.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Returns a request builder, with the access token if the client is logged in.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request and reads the response. Panics if there is no response.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Response {
        self.try_send(request).await.expect("the gateway answers")
    }

    /// Like [`Client::send`], but returns an error if there is no response.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Response> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await?.to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Response {
            status,
            headers,
            bytes,
            body,
        })
    }

    /// Sends a GET request to `path`.
    pub async fn get(&self, path: &str) -> Response {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a DELETE request to `path`.
    pub async fn delete(&self, path: &str) -> Response {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Sends a POST request with a new Idempotency-Key, which routes that do not need one ignore.
    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.post_with_key(path, body, &Uuid::new_v4().to_string()).await
    }

    /// Sends a POST request with this Idempotency-Key.
    pub async fn post_with_key(&self, path: &str, body: Value, key: &str) -> Response {
        self.send(
            self.request(Method::POST, path)
                .header("idempotency-key", key)
                .json(&body),
        )
        .await
    }

    /// Sends a PUT request to `path`.
    pub async fn put(&self, path: &str, body: Value) -> Response {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// Places an order and returns the body of the 202 response. While the service is overloaded, retries with the same key
    /// after the time in `Retry-After`, at most ten times.
    pub async fn order(&self, sku: &str, quantity: u32, payment_method: &str) -> Value {
        let (body, key) = (
            order_body(sku, quantity, payment_method),
            Uuid::new_v4().to_string(),
        );
        for _ in 0..10 {
            let response = self.post_with_key("/v1/orders", body.clone(), &key).await;
            if response.status != StatusCode::SERVICE_UNAVAILABLE {
                return response.expect(202).body;
            }
            let wait = response
                .headers
                .get("retry-after")
                .and_then(|value| value.to_str().ok()?.parse().ok());
            tokio::time::sleep(Duration::from_secs(
                wait.expect("a 503 has a Retry-After header in seconds"),
            ))
            .await;
        }
        panic!("the service was overloaded ten times");
    }

    /// Waits until the order is no longer pending and its saga has ended, at most a minute. Returns the order.
    pub async fn settled(&self, order: &Value) -> Value {
        self.settled_within(order, Duration::from_mins(1)).await
    }

    /// Like [`Client::settled`], with the given timeout. Follows the event stream of the order, as the storefront does, and
    /// polls the order once a second while no stream is available. Errors are ignored until the timeout.
    pub async fn settled_within(&self, order: &Value, timeout: Duration) -> Value {
        let path = format!("/v1/orders/{}", order["id"].as_str().expect("an order id"));
        let started = Instant::now();
        let mut last = Value::Null;
        while started.elapsed() < timeout {
            let remaining = timeout.saturating_sub(started.elapsed());
            let followed = self.follow(&path, remaining).await;
            if let Ok(response) = self.try_send(self.request(Method::GET, &path)).await
                && response.status == 200
            {
                last = response.body;
                if is_settled(&last, &last["saga"]) && last["degraded"] == json!([]) {
                    return last;
                }
            }
            if !matches!(followed, Ok(true)) {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        panic!("the order did not settle within {timeout:?}: {last:#}");
    }

    /// Reads the event stream of the order at `path` until the order is settled. Returns false if the stream is not available
    /// or ends before.
    async fn follow(&self, path: &str, timeout: Duration) -> reqwest::Result<bool> {
        let request = self.request(Method::GET, &format!("{path}/events"));
        let mut events = Events::open(request.timeout(timeout)).await?;
        while let Some(event) = events.next().await? {
            if is_settled(&event["order"], &event["saga"]) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Polls an order until it satisfies a condition, at most 30 seconds. Returns the order.
    pub async fn wait_until(&self, order: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..600 {
            last = self.get(&format!("/v1/orders/{order}")).await.expect(200).body;
            if holds(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the order did not satisfy the condition within 30 s: {last:#}");
    }

    /// Creates a new product with this stock and returns its SKU. Requires an administrator.
    pub async fn product(&self, stock: i64) -> String {
        let sku = format!("TEST-{}", Uuid::new_v4().simple());
        let categories = self.get("/v1/categories").await.expect(200).body;
        let product = json!({
            "sku": sku,
            "name": "Test product",
            "description": "Created by a test.",
            "category": categories["items"][0]["slug"],
            "price": {"amount": 1250, "currency": "EUR"},
        });
        let _ = self.post("/v1/products", product).await.expect(201);
        if stock > 0 {
            let adjustment = json!({"delta": stock, "reason": "a test's stock"});
            let path = format!("/v1/products/{sku}/stock-adjustments");
            let response = self.post(&path, adjustment).await;
            assert!(response.status.is_success(), "{:#}", response.body);
        }
        sku
    }

    /// Returns the stock of a SKU. Requires an administrator.
    pub async fn stock(&self, sku: &str) -> Value {
        self.get(&format!("/v1/products/{sku}/stock"))
            .await
            .expect(200)
            .body
    }
}

/// An open stream of server-sent events.
#[derive(Debug)]
pub struct Events {
    response: reqwest::Response,
    received: Vec<u8>,
}

impl Events {
    /// Sends the request for a stream. Fails unless the response is a success.
    pub async fn open(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        Ok(Self {
            response: request.send().await?.error_for_status()?,
            received: vec![],
        })
    }

    /// Waits for the next event and returns its data, which is `null` if it is not JSON, or `None` after the last event. The
    /// gateway writes the data of an event in one line.
    pub async fn next(&mut self) -> reqwest::Result<Option<Value>> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                if let Some(data) = line.strip_prefix(b"data:") {
                    return Ok(Some(serde_json::from_slice(data).unwrap_or_default()));
                }
            } else if let Some(bytes) = self.response.chunk().await? {
                self.received.extend_from_slice(&bytes);
            } else {
                return Ok(None);
            }
        }
    }
}

/// Whether an order is no longer pending and its saga has ended.
fn is_settled(order: &Value, saga: &Value) -> bool {
    let has_ended = matches!(saga["status"].as_str(), Some("completed" | "compensated"));
    has_ended && order["status"].as_str().is_some_and(|status| status != "pending")
}

/// Returns the body of `POST /v1/orders` for an order with one line.
#[must_use]
pub fn order_body(sku: &str, quantity: u32, payment_method: &str) -> Value {
    json!({
        "items": [{"sku": sku, "quantity": quantity}],
        "shipping_address": address(),
        "payment_method": payment_method,
    })
}

/// Returns a valid shipping address.
#[must_use]
pub fn address() -> Value {
    json!({"name": "A Shopper", "line1": "1 Market Street", "city": "Berlin", "postal_code": "10115", "country": "DE"})
}
