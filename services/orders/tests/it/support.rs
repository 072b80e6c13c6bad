//! A database, an API and an orchestrator for each test. Tests pass the replies of participants and advance the timers by
//! themselves; end-to-end tests add a broker and participants.

use std::sync::Arc;

use contracts::{
    CommandId, OrderId, SagaId, UserId,
    saga::{Outcome, Reply},
};
use messaging::{Broker, Outbox};
use orders::{
    App, MIGRATOR, app,
    faults::{Faults, Quotes, Replies},
    inventory::Inventory,
    live::{Feed, feed::Limits},
    saga::orchestrator::Orchestrator,
};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use souk_http::auth::Verifier;
use sqlx::PgPool;
use testkit::{auth::Issuer, postgres::TestDatabase};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::prices::start_inventory;

/// The service under test, with its database and a client.
pub(crate) struct Shop {
    pub(crate) database: TestDatabase,
    pub(crate) broker: Arc<Broker>,
    pub(crate) app: App,
    pub(crate) orchestrator: Orchestrator,
    /// The orchestrator, wrapped for its queue as in the service.
    pub(crate) replies: Replies<Orchestrator>,
    pub(crate) issuer: Issuer,
    pub(crate) user: UserId,
    pub(crate) admin: UserId,
    /// Closes the live views.
    pub(crate) stop: CancellationToken,
    pub(crate) url: String,
    http: reqwest::Client,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A shop without a broker: its messages stay in the outbox. Most tests need no broker, and each shop that has one creates its
/// own queues.
pub(crate) async fn shop() -> Shop {
    shop_with_inventory_at(&start_inventory().await).await
}

pub(crate) async fn shop_with_inventory_at(inventory: &str) -> Shop {
    let unused = unused_url().await.replace("http", "amqp");
    shop_at(inventory, &unused).await
}

/// A shop that is connected to the tests' broker.
pub(crate) async fn shop_with_broker() -> Shop {
    shop_at(&start_inventory().await, &testkit::amqp_url()).await
}

async fn shop_at(inventory: &str, amqp: &str) -> Shop {
    let (database, issuer) = tokio::join!(testkit::postgres::database(&MIGRATOR), Issuer::start());
    let broker = Broker::connect(amqp, "orders", testkit::namespace())
        .await
        .unwrap();
    let outbox = Outbox::new(database.pool.clone(), Arc::clone(&broker));
    let stop = CancellationToken::new();
    let faults = Faults::new(database.pool.clone(), true);
    let app = App {
        pool: database.pool.clone(),
        outbox: outbox.clone(),
        dispatcher: Arc::new(faults.clone()),
        quotes: Quotes::new(Inventory::new(inventory).unwrap(), faults.clone()),
        faults: faults.clone(),
        feed: feed(database.pool.clone(), Limits::default(), &stop),
        verifier: Verifier::new(issuer.jwks_url()),
    };
    let url = testkit::spawn(souk_http::layers(app::router(app.clone()))).await;
    let orchestrator = Orchestrator::new(database.pool.clone(), outbox, app.dispatcher.clone());
    Shop {
        replies: Replies::new(orchestrator.clone(), faults),
        orchestrator,
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

/// A running feed of live views.
fn feed(pool: PgPool, limits: Limits, stop: &CancellationToken) -> Feed {
    let feed = Feed::new(pool, limits, stop.clone());
    tokio::spawn(feed.clone().run());
    feed
}

impl Shop {
    /// Starts another replica on the same database, changed by `change`, and sends all further requests to it.
    pub(crate) async fn switch_replica(&mut self, change: impl FnOnce(&mut App)) {
        change(&mut self.app);
        self.url = testkit::spawn(souk_http::layers(app::router(self.app.clone()))).await;
    }

    /// Switches to another replica whose live views use this pool and these limits.
    pub(crate) async fn switch_feed(&mut self, pool: PgPool, limits: Limits) {
        let feed = feed(pool, limits, &self.stop);
        self.switch_replica(|app| app.feed = feed).await;
    }

    /// Switches to a replica for which inventory is unavailable.
    pub(crate) async fn without_inventory(mut self) -> Self {
        let unused_url = unused_url().await;
        self.switch_replica(|app| {
            app.quotes = Quotes::new(Inventory::new(&unused_url).unwrap(), app.faults.clone());
        })
        .await;
        self
    }
}

/// The URL of a port on which no server listens.
pub(crate) async fn unused_url() -> String {
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

    pub(crate) async fn get(&self, path: &str) -> Response {
        Response::of(self.as_user(self.user, Method::GET, path)).await
    }

    /// Sends a request of the shopper with a new idempotency key.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.as_user(self.user, Method::POST, path);
        Response::of(
            request
                .header("idempotency-key", Uuid::new_v4().to_string())
                .json(body),
        )
        .await
    }

    pub(crate) async fn admin_get(&self, path: &str) -> Response {
        Response::of(self.as_admin(Method::GET, path)).await
    }

    pub(crate) async fn admin_post(&self, path: &str, body: &Value) -> Response {
        let request = self.as_admin(Method::POST, path);
        Response::of(
            request
                .header("idempotency-key", Uuid::new_v4().to_string())
                .json(body),
        )
        .await
    }

    /// Places an order for two teas and a cup, 21.00 EUR in total.
    pub(crate) async fn place_order(&self) -> OrderId {
        let placed = self
            .post("/v1/orders", &body(&[("TEA-1", 2), ("CUP-1", 1)]))
            .await;
        id(&placed.expect(202))
    }

    /// Places an order and completes its checkout.
    pub(crate) async fn confirmed_order(&self) -> OrderId {
        let order = self.place_order().await;
        for step in [
            "reserve_stock",
            "authorize_payment",
            "pin_stock",
            "capture_payment",
            "commit_stock",
        ] {
            self.reply_done(order.into(), step, "do").await;
        }
        order
    }

    pub(crate) async fn get_order(&self, order: OrderId) -> Value {
        self.get(&format!("/v1/orders/{order}")).await.expect(200)
    }

    pub(crate) async fn saga(&self, order: OrderId) -> Value {
        self.get(&format!("/v1/orders/{order}/saga")).await.expect(200)
    }

    /// Passes a participant's reply to the orchestrator, as the consumer does.
    pub(crate) async fn reply(&self, saga: SagaId, step: &str, direction: &str, outcome: Outcome) {
        let command_id = CommandId::derive(saga, step, direction);
        self.orchestrator
            .on_reply(saga, Reply { command_id, outcome })
            .await
            .unwrap();
    }

    pub(crate) async fn reply_done(&self, saga: SagaId, step: &str, direction: &str) {
        self.reply(saga, step, direction, Outcome::Done).await;
    }

    pub(crate) async fn reply_refused(&self, saga: SagaId, step: &str, direction: &str, reason: &str) {
        let (reason, detail) = (reason.to_owned(), format!("because of {reason}"));
        self.reply(saga, step, direction, Outcome::Refused { reason, detail })
            .await;
    }

    /// The types of all messages in the outbox, in order. Without a broker, that is every message that was sent.
    pub(crate) async fn sent(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT kind FROM outbox ORDER BY id")
            .fetch_all(self.pool())
            .await
            .unwrap()
    }

    /// Sets columns of a saga, to simulate that time has passed or that a row is damaged.
    pub(crate) async fn update_saga(&self, saga: SagaId, assignments: &'static str) {
        let sql = format!("UPDATE sagas SET {assignments} WHERE id = $1");
        let result = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(saga.0)
            .execute(self.pool())
            .await;
        assert_eq!(result.unwrap().rows_affected(), 1);
    }

    /// Makes the awaited reply overdue, and runs the timers once. Returns how many sagas were due.
    pub(crate) async fn tick_when_due(&self, saga: SagaId) -> usize {
        let overdue = "next_at = now() - interval '1 ms', updated_at = now() - interval '1 min'";
        self.update_saga(saga, overdue).await;
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

/// An HTTP response whose body has been read.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Response {
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

    /// Checks the status and returns the body.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Checks that the response is a problem with this status, and returns its body.
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

    /// Checks that the response is a 422, and returns the pointers to the invalid fields.
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
