//! The service with a test database, and builders of domain events.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{
    Currency, Money, OrderId, PaymentId, ReturnId, UserId,
    events::{
        DomainEvent, Envelope, InventoryEvent, Line, OrderConfirmed, OrderDelivered, OrderEvent,
        OrderPaymentAuthorized, OrderPaymentCaptured, OrderPlaced, OrderRejected, OrderReturned,
        OrderShipped, PasswordChanged, PasswordResetRequested, PaymentEvent, PaymentRefunded, ProductChanged,
        ProductCreated, ProductFacts, StockReserved, UserChanged, UserEvent, UserRegistered,
        VerificationExpired, VerificationRequested,
    },
};
use events::{Handler as _, Received};
use notifications::{App, MIGRATOR, app, consume::EventHandler};
use serde_json::Value;
use souk_http::auth::Verifier;
use sqlx::PgPool;
use testkit::{auth::Issuer, postgres::TestDatabase};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The id of the token in every mail.
pub(crate) const TOKEN_ID: Uuid = Uuid::from_u128(7);

/// The service on a test database.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) issuer: Issuer,
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
}

impl World {
    pub(crate) async fn start() -> Self {
        let database = testkit::postgres::database(&MIGRATOR).await;
        let issuer = Issuer::start().await;
        let app = App {
            pool: database.pool.clone(),
            verifier: Verifier::new(issuer.jwks_url()),
        };
        let url = testkit::spawn(souk_http::layers(app::router(app))).await;
        Self {
            database,
            issuer,
            url,
            client: reqwest::Client::new(),
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.database.pool
    }

    /// Handles a batch of received messages.
    pub(crate) async fn handle(&self, batch: &[Received]) -> anyhow::Result<()> {
        let handler = EventHandler::for_current_epoch(self.pool().clone(), CancellationToken::new()).await?;
        handler.handle(batch).await
    }

    /// Consumes the events and expects success.
    pub(crate) async fn consume(&self, events: &[Envelope]) {
        self.handle(&received(events)).await.unwrap();
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        self.get_in("en", path, token).await
    }

    pub(crate) async fn get_in(&self, language: &str, path: &str, token: &str) -> (u16, Value) {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(token);
        let response = request.header("accept-language", language).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Value::Null))
    }

    pub(crate) async fn post(&self, path: &str, token: &str) -> u16 {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(self.pool())
            .await
            .unwrap()
    }
}

/// Every row of the database, except for the epoch and the times at which rows were written.
pub(crate) async fn dump(pool: &PgPool) -> BTreeMap<String, Vec<Value>> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('_sqlx_migrations', 'epoch')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(tables.len(), 12, "{tables:?}");
    let mut dump = BTreeMap::new();
    for table in tables {
        let sql = format!(
            "SELECT to_jsonb(t) - ARRAY['processed_at', 'received_at', 'next_attempt_at'] FROM {table} t ORDER BY t::text"
        );
        let mut rows: Vec<Value> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_all(pool)
            .await
            .unwrap();
        rows.sort_by_key(ToString::to_string);
        dump.insert(table, rows);
    }
    dump
}

/// The events as received messages with consecutive offsets in one partition.
pub(crate) fn received(events: &[Envelope]) -> Vec<Received> {
    (0..)
        .zip(events)
        .map(|(offset, event)| Received {
            topic: format!("{}.v1", event.source),
            partition: 0,
            offset,
            sent_by: None,
            event: Ok(event.clone()),
        })
        .collect()
}

/// Builds consecutive domain events.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) next: i64,
    /// How long ago the events occurred.
    pub(crate) age: TimeDelta,
}

impl Log {
    pub(crate) fn event<E: DomainEvent>(
        &mut self,
        aggregate: &impl ToString,
        event: impl Into<E>,
    ) -> Envelope {
        let event = event.into();
        self.next += 1;
        Envelope {
            id: Uuid::now_v7(),
            kind: event.kind().to_owned(),
            version: event.version(),
            source: E::SOURCE.to_owned(),
            aggregate_id: aggregate.to_string(),
            sequence: self.next,
            // The database stores microseconds.
            occurred_at: now() - self.age + TimeDelta::milliseconds(self.next),
            trace: contracts::events::Trace::default(),
            data: event.data(),
        }
    }

    fn order(&mut self, order: OrderId, event: impl Into<OrderEvent>) -> Envelope {
        self.event::<OrderEvent>(&order, event)
    }

    /// A shopper registers.
    pub(crate) fn registered(&mut self, user: UserId, locale: Option<&str>) -> Envelope {
        let registered = UserRegistered {
            user_id: user,
            email: address(user),
            name: "Ada".to_owned(),
            locale: locale.map(str::to_owned),
            verification_id: Some(TOKEN_ID),
        };
        self.event::<UserEvent>(&user, registered)
    }

    /// A shopper requests the verification mail again.
    pub(crate) fn verification_requested(&mut self, user: UserId) -> Envelope {
        let requested = VerificationRequested {
            user_id: user,
            email: address(user),
            name: "Ada".to_owned(),
            locale: None,
            verification_id: TOKEN_ID,
        };
        self.event::<UserEvent>(&user, requested)
    }

    /// A shopper requests a link to reset the password.
    pub(crate) fn reset_requested(&mut self, user: UserId, registered_again: bool) -> Envelope {
        let requested = PasswordResetRequested {
            user_id: user,
            email: address(user),
            name: "Ada".to_owned(),
            locale: None,
            reset_id: TOKEN_ID,
            registered_again,
        };
        self.event::<UserEvent>(&user, requested)
    }

    /// An account is deleted because its address was not verified.
    pub(crate) fn expired(&mut self, user: UserId) -> Envelope {
        let expired = VerificationExpired {
            user_id: user,
            email: String::new(),
            name: String::new(),
            locale: None,
        };
        self.event::<UserEvent>(&user, expired)
    }

    /// A shopper changes the email address and the password.
    pub(crate) fn changed_address(&mut self, user: UserId, email: &str) -> Vec<Envelope> {
        let (email, name, locale) = (email.to_owned(), "Ada".to_owned(), None);
        let changed = UserChanged {
            user_id: user,
            email: email.clone(),
            name: name.clone(),
            locale: locale.clone(),
        };
        let password = PasswordChanged {
            user_id: user,
            email,
            name,
            locale,
        };
        vec![
            self.event::<UserEvent>(&user, changed),
            self.event::<UserEvent>(&user, password),
        ]
    }

    /// An order of 25.00 EUR from placement to delivery and return.
    pub(crate) fn purchase(&mut self, user: UserId, order: OrderId) -> Vec<Envelope> {
        let (total, lines) = (euros(2500), vec![line("TEA-1", "Old tea", 2, 1250)]);
        vec![
            self.order(
                order,
                OrderPlaced {
                    order_id: order,
                    user_id: user,
                    total,
                    lines: lines.clone(),
                },
            ),
            self.order(
                order,
                StockReserved {
                    order_id: order,
                    user_id: user,
                },
            ),
            self.order(
                order,
                OrderPaymentAuthorized {
                    order_id: order,
                    user_id: user,
                },
            ),
            self.order(
                order,
                OrderPaymentCaptured {
                    order_id: order,
                    user_id: user,
                },
            ),
            self.order(
                order,
                OrderConfirmed {
                    order_id: order,
                    user_id: user,
                    total,
                    lines,
                },
            ),
            self.order(
                order,
                OrderShipped {
                    order_id: order,
                    user_id: user,
                    carrier: Some("Parcel Co".to_owned()),
                    tracking_number: Some("PC 1".to_owned()),
                },
            ),
            self.order(
                order,
                OrderDelivered {
                    order_id: order,
                    user_id: user,
                },
            ),
            self.order(
                order,
                OrderReturned {
                    order_id: order,
                    user_id: user,
                    return_id: ReturnId::generate(),
                },
            ),
        ]
    }

    /// An order that is rejected.
    pub(crate) fn rejected(&mut self, user: UserId, order: OrderId, reason: &str) -> Vec<Envelope> {
        let (total, lines) = (euros(690), vec![line("CUP-1", "Cup", 1, 690)]);
        let reason = reason.to_owned();
        vec![
            self.order(
                order,
                OrderPlaced {
                    order_id: order,
                    user_id: user,
                    total,
                    lines,
                },
            ),
            self.order(
                order,
                OrderRejected {
                    order_id: order,
                    user_id: user,
                    reason,
                    total,
                },
            ),
        ]
    }

    /// A refund of 5.00 EUR.
    pub(crate) fn refunded(&mut self, user: UserId, order: OrderId) -> Envelope {
        let payment = PaymentId::generate();
        let refunded = PaymentRefunded {
            payment_id: payment,
            order_id: order,
            user_id: user,
            refund_id: Uuid::now_v7(),
            amount: euros(500),
            reason: "A cup was broken.".to_owned(),
            captured: euros(2500),
            refunded: euros(500),
        };
        self.event::<PaymentEvent>(&payment, refunded)
    }

    /// A product is created and renamed.
    pub(crate) fn renamed(&mut self) -> Vec<Envelope> {
        let facts = |name: &str| ProductFacts {
            name: name.to_owned(),
            category: "tea".to_owned(),
            price: euros(1250),
            version: 1,
        };
        let sku = line("TEA-1", "", 1, 1).sku;
        let created = ProductCreated {
            sku: sku.clone(),
            product: facts("Old tea"),
        };
        let changed = ProductChanged {
            sku: sku.clone(),
            product: facts("New tea"),
        };
        vec![
            self.event::<InventoryEvent>(&sku.as_str(), created),
            self.event::<InventoryEvent>(&sku.as_str(), changed),
        ]
    }
}

pub(crate) fn address(user: UserId) -> String {
    format!("{user}@souk.test")
}

pub(crate) fn euros(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

fn line(sku: &str, name: &str, quantity: u32, cents: i64) -> Line {
    Line {
        sku: serde_json::from_value(sku.into()).unwrap(),
        name: name.to_owned(),
        quantity: serde_json::from_value(quantity.into()).unwrap(),
        unit_price: euros(cents),
    }
}

/// The current time in whole microseconds, as the database stores it.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap()
}

/// A port without a listener.
pub(crate) async fn free_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}
