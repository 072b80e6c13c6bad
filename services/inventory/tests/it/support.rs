//! A migrated database for each test, and helpers to work with it.

use std::ops::Deref;

use bson::{DateTime, doc};
use contracts::{
    OrderId, OrderItem, ReturnId,
    saga::{CommitStock, Outcome, PinStock, ReleaseStock, ReserveStock, RestockItems, UnpinStock},
};
use futures::TryStreamExt as _;
use inventory::{
    Error,
    app::{self, App},
    database::Database,
    holds, migrate,
    stock::{self, Movement, MovementKind, Stock},
};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use souk_http::auth::Verifier;

/// A test database with stock. It dereferences to the [`Database`].
pub(crate) struct Shelf {
    pub(crate) db: Database,
    /// Drops the database at the end, if this helper created it.
    mongo: Option<testkit::mongo::TestMongo>,
}

impl Deref for Shelf {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.db
    }
}

/// A new database with the given number of units of each SKU.
pub(crate) async fn shelf(units: &[(&str, i64)]) -> Shelf {
    let mongo = testkit::mongo::database().await;
    let db = Database::of(mongo.db.clone());
    Shelf {
        mongo: Some(mongo),
        ..Shelf::filled(db, units).await
    }
}

/// Migrates an empty database and adds a category and the given units of each SKU.
async fn fill(db: &Database, units: &[(&str, i64)]) {
    migrate::run(db.raw()).await.unwrap();
    let category = doc! {"_id": "tea", "name": "Tea", "position": 0};
    db.categories
        .clone_with_type()
        .insert_one(category)
        .await
        .unwrap();
    for (sku, units) in units {
        stock::store::open(db, sku).await.unwrap();
        if *units > 0 {
            let movement = Movement::new(
                format!("test/{sku}"),
                MovementKind::Adjust,
                *units,
                DateTime::now(),
            );
            stock::store::adjust(db, sku, &movement).await.unwrap();
        }
    }
}

pub(crate) fn done() -> Outcome {
    Outcome::Done
}

/// The reason of a refusal, or `done`.
pub(crate) fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Refused { reason, .. } => reason,
    }
}

pub(crate) fn items(items: &[(&str, i64)]) -> Vec<OrderItem> {
    let item = |(sku, quantity): &(&str, i64)| OrderItem {
        sku: sku.parse().unwrap(),
        quantity: (*quantity).try_into().unwrap(),
    };
    items.iter().map(item).collect()
}

impl Shelf {
    /// Uses a database that the test created.
    pub(crate) fn of(db: Database) -> Self {
        Self { db, mongo: None }
    }

    /// Fills an empty database that the test created with the given number of units of each SKU.
    pub(crate) async fn filled(db: Database, units: &[(&str, i64)]) -> Self {
        fill(&db, units).await;
        Self::of(db)
    }

    /// The URL of the database; panics if the test created the database.
    pub(crate) fn url(&self) -> &str {
        &self.mongo.as_ref().unwrap().url
    }

    pub(crate) async fn reserve(&self, order_id: OrderId, wanted: &[(&str, i64)]) -> Outcome {
        self.try_reserve(order_id, wanted).await.unwrap()
    }

    pub(crate) async fn try_reserve(
        &self,
        order_id: OrderId,
        wanted: &[(&str, i64)],
    ) -> Result<Outcome, Error> {
        holds::reserve(
            self,
            &ReserveStock {
                order_id,
                items: items(wanted),
                hold_seconds: 900,
            },
        )
        .await
    }

    pub(crate) async fn release(&self, order_id: OrderId) -> Outcome {
        holds::release(self, &ReleaseStock { order_id }).await.unwrap()
    }

    pub(crate) async fn pin(&self, order_id: OrderId) -> Outcome {
        holds::pin(self, &PinStock { order_id }).await.unwrap()
    }

    pub(crate) async fn unpin(&self, order_id: OrderId) -> Outcome {
        holds::unpin(self, &UnpinStock { order_id }).await.unwrap()
    }

    pub(crate) async fn commit(&self, order_id: OrderId) -> Outcome {
        holds::commit(self, &CommitStock { order_id }).await.unwrap()
    }

    pub(crate) async fn restock(
        &self,
        order_id: OrderId,
        return_id: ReturnId,
        returned: &[(&str, i64)],
    ) -> Outcome {
        holds::restock(
            self,
            &RestockItems {
                order_id,
                return_id,
                items: items(returned),
            },
        )
        .await
        .unwrap()
    }

    pub(crate) async fn sweep(&self) -> holds::sweeper::SweepResult {
        holds::sweeper::sweep_once(self).await.unwrap()
    }

    /// Returns `(on_hand, available, held, committed)` after checking the invariants of the document.
    pub(crate) async fn levels(&self, sku: &str) -> (i64, i64, i64, i64) {
        let stock = self.document(sku).await;
        let Stock {
            on_hand,
            available,
            held,
            committed,
            restocked,
            received,
            ..
        } = stock;
        assert_eq!(
            held,
            stock.holds.iter().map(|hold| hold.qty).sum::<i64>(),
            "held is the sum of the holds"
        );
        assert_eq!(on_hand, available + held, "on_hand = available + held");
        assert_eq!(
            on_hand + committed,
            received + restocked,
            "on_hand + committed = received + restocked"
        );
        (on_hand, available, held, committed)
    }

    pub(crate) async fn document(&self, sku: &str) -> Stock {
        self.db.stock.find_one(doc! {"_id": sku}).await.unwrap().unwrap()
    }

    /// The units of the order's ledger entries of one kind.
    pub(crate) async fn entered(&self, order: OrderId, kind: &str) -> Vec<i64> {
        let filter = doc! {"order_id": order.to_string(), "kind": kind};
        let found: Vec<Movement> = self
            .movements
            .find(filter)
            .sort(doc! {"_id": 1})
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        found.into_iter().map(|movement| movement.qty).collect()
    }

    /// The time at which the order's hold on `sku` expires, in milliseconds since 1970.
    pub(crate) async fn expiry(&self, order: OrderId, sku: &str) -> i64 {
        let holds = self.document(sku).await.holds;
        let hold = holds.iter().find(|hold| hold.order_id == order.to_string());
        hold.unwrap().expires_at.unwrap().timestamp_millis()
    }

    /// Sets the expiry of the order's hold on `sku` to the past, by the database's clock.
    pub(crate) async fn make_overdue(&self, order: OrderId, sku: &str) {
        let past = DateTime::from_millis(self.now().await.unwrap().timestamp_millis() - 1);
        let filter =
            doc! {"_id": sku, "holds": {"$elemMatch": {"order_id": order.to_string(), "state": "held"}}};
        let result = self
            .db
            .stock
            .update_one(filter, doc! {"$set": {"holds.$.expires_at": past}})
            .await
            .unwrap();
        assert_eq!(result.modified_count, 1, "the order holds {sku}");
    }
}

/// The REST API on a test database, with tokens of an administrator and a customer.
pub(crate) struct Api {
    pub(crate) shelf: Shelf,
    url: String,
    http: reqwest::Client,
    pub(crate) admin: String,
    pub(crate) customer: String,
    pub(crate) issuer: testkit::auth::Issuer,
}

/// The REST API on a new database without products.
pub(crate) async fn api() -> Api {
    Api::on(shelf(&[]).await).await
}

impl Api {
    pub(crate) async fn on(shelf: Shelf) -> Self {
        let issuer = testkit::auth::Issuer::start().await;
        let app = App::new(shelf.db.clone(), Verifier::new(issuer.jwks_url()));
        let url = testkit::spawn(souk_http::layers(app::router(app))).await;
        Self {
            shelf,
            url,
            http: reqwest::Client::new(),
            admin: issuer.token(contracts::UserId::generate(), &["admin"]),
            customer: issuer.token(contracts::UserId::generate(), &["customer"]),
            issuer,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn as_admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&self.admin)
    }

    pub(crate) async fn get(&self, path: &str) -> TestResponse {
        TestResponse::of(self.request(Method::GET, path)).await
    }

    /// Adds a product with the given number of units.
    pub(crate) async fn product(&self, sku: &str, name: &str, price: i64, units: i64) -> Value {
        let body = serde_json::json!({
            "sku": sku, "name": name, "description": format!("It is {name}."), "category": "tea",
            "price": {"amount": price, "currency": "EUR"},
        });
        let created = TestResponse::of(self.as_admin(Method::POST, "/v1/products").json(&body))
            .await
            .expect(201);
        if units > 0 {
            let body = serde_json::json!({"delta": units, "reason": "stock of a test"});
            let path = format!("/v1/products/{sku}/stock-adjustments");
            let request = self.as_admin(Method::POST, &path).json(&body);
            TestResponse::of(request.header("idempotency-key", "a-tests-stock"))
                .await
                .expect(200);
        }
        created
    }
}

/// A response with its complete body.
pub(crate) struct TestResponse {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl TestResponse {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response: Response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self {
            status,
            headers,
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Asserts the status and returns the JSON body.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body()
    }

    /// Asserts that the response is a problem with this status, and returns its body.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> Value {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text
        );
        let body = self.expect(status);
        assert_eq!(body["status"], status, "{body:#}");
        body
    }
}
