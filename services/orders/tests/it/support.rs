//! A database, an API and an orchestrator of its own for each test. Replies are given by hand, timers are stepped; tests
//! of the whole way add a broker and participants.

use std::sync::Arc;

use contracts::{
    CommandId, OrderId, SagaId, UserId,
    saga::{Outcome, Reply},
};
use messaging::{Broker, Outbox};
use orders::{
    App, MIGRATOR, app,
    faults::Faults,
    inventory::Inventory,
    live::{Feed, feed::Limits},
    saga::drive::Orchestrator,
};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use souk_http::auth::Verifier;
use sqlx::PgPool;
use testkit::{auth::Issuer, postgres::TestDatabase};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::prices::quotes;

pub(crate) struct Shop {
    pub(crate) database: TestDatabase,
    pub(crate) broker: Arc<Broker>,
    pub(crate) app: App,
    pub(crate) orchestrator: Orchestrator,
    pub(crate) issuer: Issuer,
    pub(crate) user: UserId,
    pub(crate) admin: UserId,
    /// Ends its live views.
    pub(crate) stop: CancellationToken,
    pub(crate) url: String,
    http: reqwest::Client,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A shop whose messages stay in its outbox: most tests need no broker, and each that has one fills it with queues.
pub(crate) async fn shop() -> Shop {
    shop_with_inventory_at(&quotes().await).await
}

pub(crate) async fn shop_with_inventory_at(inventory: &str) -> Shop {
    let nobody = nowhere().await.replace("http", "amqp");
    shop_at(inventory, &nobody).await
}

/// A shop that talks to the tests' broker.
pub(crate) async fn shop_with_broker() -> Shop {
    shop_at(&quotes().await, &testkit::amqp_url()).await
}

async fn shop_at(inventory: &str, amqp: &str) -> Shop {
    let (database, issuer) = tokio::join!(testkit::postgres::database(&MIGRATOR), Issuer::start());
    let broker = Broker::connect(amqp, "orders", testkit::namespace())
        .await
        .unwrap();
    let outbox = Outbox::new(database.pool.clone(), Arc::clone(&broker));
    let stop = CancellationToken::new();
    let app = App {
        pool: database.pool.clone(),
        outbox: outbox.clone(),
        inventory: Inventory::new(inventory).unwrap(),
        faults: Faults::new(database.pool.clone(), true),
        feed: feed(database.pool.clone(), Limits::default(), &stop),
        verifier: Verifier::new(issuer.jwks_url()),
    };
    let url = testkit::spawn(souk_http::layers(app::router(app.clone()))).await;
    Shop {
        orchestrator: Orchestrator::new(database.pool.clone(), outbox, app.faults.clone()),
        database,
        broker,
        app,
        issuer,
        user: UserId::generate(),
        admin: UserId::generate(),
        stop,
        url,
        http: reqwest::Client::new(),
    }
}

/// A feed at work.
fn feed(pool: PgPool, limits: Limits, stop: &CancellationToken) -> Feed {
    let feed = Feed::new(pool, limits, stop.clone());
    tokio::spawn(feed.clone().run());
    feed
}

impl Shop {
    /// From now on asks another replica over the same database, which differs in this.
    pub(crate) async fn replica(&mut self, change: impl FnOnce(&mut App)) {
        change(&mut self.app);
        self.url = testkit::spawn(souk_http::layers(app::router(self.app.clone()))).await;
    }

    /// Another replica whose live views are of this pool.
    pub(crate) async fn feed_replica(&mut self, pool: PgPool, limits: Limits) {
        let feed = feed(pool, limits, &self.stop);
        self.replica(|app| app.feed = feed).await;
    }

    /// The same shop, after its inventory went away.
    pub(crate) async fn without_inventory(mut self) -> Self {
        let nowhere = nowhere().await;
        self.replica(|app| app.inventory = Inventory::new(&nowhere).unwrap())
            .await;
        self
    }
}

/// Where nobody listens: a port that was free a moment ago.
pub(crate) async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

pub(crate) fn address() -> Value {
    json!({"name": "Ada", "line1": "1 Main St", "city": "Berlin", "postal_code": "10115", "country": "DE"})
}

pub(crate) fn body(items: &[(&str, i64)]) -> Value {
    let items: Vec<Value> = items
        .iter()
        .map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity}))
        .collect();
    json!({"items": items, "shipping_address": address(), "payment_method": "pm_card_ok"})
}

impl Shop {
    pub(crate) fn pool(&self) -> &PgPool {
        &self.database.pool
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn as_user(&self, user: UserId, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
            .bearer_auth(self.issuer.token(user, &["customer"]))
    }

    pub(crate) fn as_admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
            .bearer_auth(self.issuer.token(self.admin, &["admin"]))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.as_user(self.user, Method::GET, path)).await
    }

    /// By the shopper, with a fresh key.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.as_user(self.user, Method::POST, path);
        Answer::of(
            request
                .header("idempotency-key", Uuid::new_v4().to_string())
                .json(body),
        )
        .await
    }

    pub(crate) async fn admin_get(&self, path: &str) -> Answer {
        Answer::of(self.as_admin(Method::GET, path)).await
    }

    pub(crate) async fn admin_post(&self, path: &str, body: &Value) -> Answer {
        let request = self.as_admin(Method::POST, path);
        Answer::of(
            request
                .header("idempotency-key", Uuid::new_v4().to_string())
                .json(body),
        )
        .await
    }

    /// Places an order of two teas and a cup.
    pub(crate) async fn order(&self) -> OrderId {
        let placed = self
            .post("/v1/orders", &body(&[("TEA-1", 2), ("CUP-1", 1)]))
            .await;
        id(&placed.expect(202))
    }

    /// An order whose checkout is done.
    pub(crate) async fn confirmed(&self) -> OrderId {
        let order = self.order().await;
        for step in [
            "reserve_stock",
            "authorize_payment",
            "pin_stock",
            "capture_payment",
            "commit_stock",
        ] {
            self.done(order.into(), step, "do").await;
        }
        order
    }

    pub(crate) async fn see(&self, order: OrderId) -> Value {
        self.get(&format!("/v1/orders/{order}")).await.expect(200)
    }

    pub(crate) async fn saga(&self, order: OrderId) -> Value {
        self.get(&format!("/v1/orders/{order}/saga")).await.expect(200)
    }

    /// A participant's answer, as the consumer would hand it over.
    pub(crate) async fn answer(&self, saga: SagaId, step: &str, direction: &str, outcome: Outcome) {
        let command_id = CommandId::derive(saga, step, direction);
        self.orchestrator
            .on_reply(saga, Reply { command_id, outcome })
            .await
            .unwrap();
    }

    pub(crate) async fn done(&self, saga: SagaId, step: &str, direction: &str) {
        self.answer(saga, step, direction, Outcome::Done).await;
    }

    pub(crate) async fn refuse(&self, saga: SagaId, step: &str, direction: &str, reason: &str) {
        let (reason, detail) = (reason.to_owned(), format!("because of {reason}"));
        self.answer(saga, step, direction, Outcome::Refused { reason, detail })
            .await;
    }

    /// The kinds of all messages that were sent, in order; without a relay they stay in the outbox.
    pub(crate) async fn sent(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT kind FROM outbox ORDER BY id")
            .fetch_all(self.pool())
            .await
            .unwrap()
    }

    /// Runs SQL on a saga, as time or an operator's mistake would.
    pub(crate) async fn set(&self, saga: SagaId, what: &'static str) {
        let sql = format!("UPDATE sagas SET {what} WHERE id = $1");
        let done = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(saga.0)
            .execute(self.pool())
            .await;
        assert_eq!(done.unwrap().rows_affected(), 1);
    }

    /// Lets the awaited answer be late, and wakes the timers.
    pub(crate) async fn tick_when_due(&self, saga: SagaId) -> usize {
        let late = "next_at = now() - interval '1 ms', updated_at = now() - interval '1 min'";
        self.set(saga, late).await;
        self.orchestrator.tick().await.unwrap()
    }

    /// The types of an order's events, in order.
    pub(crate) async fn events(&self, order: OrderId) -> Vec<String> {
        sqlx::query_scalar("SELECT type FROM order_events WHERE order_id = $1 ORDER BY id")
            .bind(order.0)
            .fetch_all(self.pool())
            .await
            .unwrap()
    }
}

/// `name direction state` of each step that is not pending or skipped.
pub(crate) fn steps(saga: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    saga["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| !["pending", "skipped"].contains(&step["state"].as_str().unwrap()))
        .map(|step| {
            format!(
                "{} {} {}",
                text(&step["direction"]),
                text(&step["name"]),
                text(&step["state"])
            )
        })
        .collect()
}

pub(crate) fn id(order: &Value) -> OrderId {
    OrderId(order["id"].as_str().unwrap().parse().unwrap())
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self {
            status,
            headers,
            text,
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A problem with this status: its body.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> Value {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{} {}",
            self.status,
            self.text
        );
        let body = self.expect(status);
        assert_eq!(body["status"], status, "{body:#}");
        body
    }

    /// The pointers of a 422.
    #[track_caller]
    pub(crate) fn pointers(self) -> Vec<String> {
        let body = self.problem(422);
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap().to_owned())
            .collect()
    }
}
