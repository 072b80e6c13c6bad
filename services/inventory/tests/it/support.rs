//! A migrated database of its own for each test, and what tests do with it.

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

/// A database with some stock in it.
pub(crate) struct Shelf {
    pub(crate) db: Database,
    /// Drops the database, unless that belongs to the test.
    mongo: Option<testkit::mongo::TestMongo>,
}

impl Deref for Shelf {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.db
    }
}

/// A fresh database with so many units of each SKU.
pub(crate) async fn shelf(units: &[(&str, i64)]) -> Shelf {
    let mongo = testkit::mongo::database().await;
    let db = Database::of(mongo.db.clone());
    Shelf {
        mongo: Some(mongo),
        ..Shelf::filled(db, units).await
    }
}

/// Prepares an empty database.
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

/// The word of a refusal.
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
    /// On a database that belongs to the test.
    pub(crate) fn of(db: Database) -> Self {
        Self { db, mongo: None }
    }

    /// On an empty database that belongs to the test, with so many units of each SKU.
    pub(crate) async fn filled(db: Database, units: &[(&str, i64)]) -> Self {
        fill(&db, units).await;
        Self::of(db)
    }

    /// The URL of its own database.
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
        back: &[(&str, i64)],
    ) -> Outcome {
        holds::restock(
            self,
            &RestockItems {
                order_id,
                return_id,
                items: items(back),
            },
        )
        .await
        .unwrap()
    }

    pub(crate) async fn sweep(&self) -> holds::sweeper::Swept {
        holds::sweeper::sweep_once(self).await.unwrap()
    }

    /// `(on_hand, available, held, committed)`, after the invariants of the document were checked.
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

    /// The ledger's units of a kind for an order.
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

    /// Lets the holds of `order` on `sku` be overdue, by the database's clock.
    pub(crate) async fn let_time_pass(&self, order: OrderId, sku: &str) {
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

/// The REST API on a database, and an administrator.
pub(crate) struct Api {
    pub(crate) shelf: Shelf,
    url: String,
    http: reqwest::Client,
    pub(crate) admin: String,
    pub(crate) customer: String,
    pub(crate) issuer: testkit::auth::Issuer,
}

/// The API on a fresh database.
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

    pub(crate) fn by_admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&self.admin)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Adds a product with so many units.
    pub(crate) async fn product(&self, sku: &str, name: &str, price: i64, units: i64) -> Value {
        let body = serde_json::json!({
            "sku": sku, "name": name, "description": format!("It is {name}."), "category": "tea",
            "price": {"amount": price, "currency": "EUR"},
        });
        let made = Answer::of(self.by_admin(Method::POST, "/v1/products").json(&body))
            .await
            .expect(201);
        if units > 0 {
            let body = serde_json::json!({"delta": units, "reason": "a test's stock"});
            let path = format!("/v1/products/{sku}/stock-adjustments");
            let request = self.by_admin(Method::POST, &path).json(&body);
            Answer::of(request.header("idempotency-key", "a-tests-stock"))
                .await
                .expect(200);
        }
        made
    }
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
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

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body()
    }

    /// A problem with this status: its body.
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
