//! One shopper: an account, and what its owner does in a visit.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use e2e::{
    Client,
    client::{PASSWORD, order_body},
    random,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

/// What shoppers search for. The demo's catalog has products for each word.
const WORDS: [&str; 4] = ["tea", "coffee", "oak", "wool"];
/// The demo's operator, who restocks products and handles shipments and returns.
const OPERATOR: (&str, &str) = ("admin@souk.test", "admin-password-souk");
/// How long an access token is used. It is valid for ten minutes.
const SESSION: Duration = Duration::from_mins(5);
/// The operator adds items to a product of which fewer are available.
const RESTOCK_BELOW: i64 = 3;
/// Number of seconds that a checkout or a refund may take.
const PATIENCE: u32 = 90;
/// How often a request without a response is sent again.
const MAX_RESENDS: u32 = 3;

/// Number of requests that got no response because their connection broke, such as when a gateway is killed.
pub(crate) static LOST_CONNECTIONS: AtomicU32 = AtomicU32::new(0);

/// What a shopper does in one visit. Every visit starts with a list and a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Visit {
    Browse,
    Search,
    Abandon,
    Buy,
    Decline,
    Cancel,
    Return,
}

/// A shopper, whose account is kept between runs.
pub(crate) struct Shopper {
    guest: Client,
    email: String,
    session: Option<(Client, Instant)>,
    pause: Duration,
}

impl Shopper {
    /// Creates the shopper with this number. The account is registered by the first visit that needs one.
    pub(crate) fn new(gateway: &str, number: u32, pause: Duration) -> Self {
        Self {
            guest: Client::anonymous(gateway),
            email: format!("load-{number}@souk.test"),
            session: None,
            pause,
        }
    }

    /// Makes one visit. An error is an unexpected response, or an order that does not become what it should.
    pub(crate) async fn visit(&mut self, visit: Visit) -> Result<()> {
        let sku = self.find_product(visit).await?;
        let (method, expected) = match visit {
            Visit::Browse | Visit::Search => return Ok(()),
            Visit::Decline => ("pm_card_declined", "rejected"),
            Visit::Cancel => ("pm_card_slow", "cancelled"),
            Visit::Abandon | Visit::Buy | Visit::Return => ("pm_card_ok", "confirmed"),
        };
        let client = self.log_in().await?;
        let item = json!({"quantity": 1});
        send(&client, Method::PUT, &format!("/v1/cart/items/{sku}"), item).await?;
        get(&client, "/v1/cart").await?;
        self.look().await;
        if visit == Visit::Abandon {
            return Ok(());
        }
        let order = post(&client, "/v1/orders", order_body(&sku, 1, method)).await?;
        let order = format!("/v1/orders/{}", text(&order, "id")?);
        send(&client, Method::DELETE, "/v1/cart", Value::Null).await?;
        if visit == Visit::Cancel {
            let reason = json!({"reason": "changed my mind"});
            post(&client, &format!("{order}/cancel"), reason).await?;
        }
        wait(&client, &order, expected).await?;
        if visit == Visit::Return {
            self.receive_and_return(&client, &order, &sku).await?;
        }
        Ok(())
    }

    /// Opens a category or a search, then a product, and returns its SKU.
    async fn find_product(&self, visit: Visit) -> Result<String> {
        let categories = get(&self.guest, "/v1/categories").await?;
        self.look().await;
        let filter = if visit == Visit::Search {
            format!("q={}", choose(&WORDS)?)
        } else {
            format!("category={}", text(choose(items(&categories))?, "slug")?)
        };
        let list = get(&self.guest, &format!("/v1/products?limit=24&{filter}")).await?;
        self.look().await;
        let sku = text(choose(items(&list))?, "sku")?;
        let path = format!("/v1/products/{sku}");
        get(&self.guest, &path).await?;
        let availability = get(&self.guest, &format!("{path}/availability")).await?;
        self.look().await;
        // Otherwise, a demo that runs for days would be sold out.
        if availability["available"].as_i64().unwrap_or_default() < RESTOCK_BELOW {
            let adjustment = json!({"delta": 20, "reason": "restocked for simulated shoppers"});
            post(
                &self.operator().await?,
                &format!("{path}/stock-adjustments"),
                adjustment,
            )
            .await?;
        }
        Ok(sku)
    }

    async fn receive_and_return(&self, client: &Client, order: &str, sku: &str) -> Result<()> {
        let operator = self.operator().await?;
        post(&operator, &format!("{order}/shipments"), json!({})).await?;
        post(&operator, &format!("{order}/deliveries"), json!({})).await?;
        self.look().await;
        let body = json!({"lines": [{"sku": sku, "quantity": 1}], "reason": "too small"});
        let requested = post(client, &format!("{order}/returns"), body).await?;
        let receipt = format!("{order}/returns/{}/receipt", text(&requested, "id")?);
        post(&operator, &receipt, json!({})).await?;
        wait(client, order, "returned").await
    }

    /// Returns a client that is logged in. Registers the account before its first login.
    async fn log_in(&mut self) -> Result<Client> {
        if let Some((client, since)) = &self.session
            && since.elapsed() < SESSION
        {
            return Ok(client.clone());
        }
        let client = if let Ok(client) = log_in(&self.guest, &self.email, PASSWORD).await {
            client
        } else {
            let account = json!({"email": self.email, "password": PASSWORD, "name": "Simulated Shopper"});
            post(&self.guest, "/v1/auth/register", account).await?;
            log_in(&self.guest, &self.email, PASSWORD).await?
        };
        self.session = Some((client.clone(), Instant::now()));
        Ok(client)
    }

    async fn operator(&self) -> Result<Client> {
        log_in(&self.guest, OPERATOR.0, OPERATOR.1).await
    }

    /// Waits as long as a person looks at a page: from half to one and a half times the average.
    async fn look(&self) {
        let average = u64::try_from(self.pause.as_millis()).unwrap_or_default();
        sleep(Duration::from_millis(average / 2 + random::below(average + 1))).await;
    }
}

async fn log_in(guest: &Client, email: &str, password: &str) -> Result<Client> {
    let session = post(
        guest,
        "/v1/auth/login",
        json!({"email": email, "password": password}),
    )
    .await?;
    Ok(guest.with_token(&text(&session, "access_token")?))
}

/// Polls an order until it has the expected status, or fails if it ends with another one.
async fn wait(client: &Client, order: &str, expected: &str) -> Result<()> {
    for _ in 0..PATIENCE {
        let current = get(client, order).await?;
        match text(&current, "status")?.as_str() {
            status if status == expected => return Ok(()),
            status @ ("rejected" | "cancelled") => bail!("{order} is {status}, not {expected}"),
            _ => sleep(Duration::from_secs(1)).await,
        }
    }
    bail!("{order} is not {expected} after {PATIENCE} s")
}

async fn get(client: &Client, path: &str) -> Result<Value> {
    send(client, Method::GET, path, Value::Null).await
}

async fn post(client: &Client, path: &str, body: Value) -> Result<Value> {
    send(client, Method::POST, path, body).await
}

/// Sends a request with a new Idempotency-Key, and returns the body of a successful response. A request whose connection
/// breaks is sent again with the same key, as by the storefront.
async fn send(client: &Client, method: Method, path: &str, body: Value) -> Result<Value> {
    let key = Uuid::new_v4().to_string();
    let mut request = client
        .request(method.clone(), path)
        .header("idempotency-key", key);
    if !body.is_null() {
        request = request.json(&body);
    }
    let mut resends = 0;
    let response = loop {
        let again = request.try_clone().context("a request with a body in memory")?;
        match client.try_send(again).await {
            Ok(response) => break response,
            Err(error) if resends == MAX_RESENDS => return Err(error.into()),
            Err(_) => {
                resends += 1;
                LOST_CONNECTIONS.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_secs(1)).await;
            }
        }
    };
    let (status, title) = (response.status, &response.body["title"]);
    // Shipments and the like have no key. If the first request took effect before its connection broke, the second conflicts.
    let is_repeated = resends > 0 && status == StatusCode::CONFLICT;
    ensure!(
        status.is_success() || is_repeated,
        "{method} {path}: {status} {title}"
    );
    Ok(response.body)
}

fn choose<T>(items: &[T]) -> Result<&T> {
    random::choose(items).context("an empty list")
}

fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map_or(&[], Vec::as_slice)
}

fn text(object: &Value, field: &str) -> Result<String> {
    let value = object[field].as_str();
    Ok(value
        .with_context(|| format!("a response without `{field}`"))?
        .to_owned())
}
