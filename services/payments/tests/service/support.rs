//! Payments with a provider beside it, and what one says to either.

use contracts::{
    Currency, Money, OrderId, PaymentId, UserId,
    saga::{AuthorizePayment, CapturePayment, Message, Outcome, Reply, VoidPayment, queues},
};
use messaging::{Broker, HandleError, Handler, Incoming, Outbox};
use payments::{App, Commands, MIGRATOR, PaymentView, Provider};
use serde_json::{Value, json};
use souk_http::auth::Verifier;
use testkit::{auth::Issuer, postgres::TestDatabase};
use uuid::Uuid;

pub(crate) const API_KEY: &str = "sk_test";
pub(crate) const SECRETS: [&str; 2] = ["whsec_new", "whsec_old"];

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) url: String,
    pub(crate) issuer: Issuer,
    /// Who refunds payments; always the same, because idempotency keys belong to a user.
    pub(crate) operator: UserId,
    pub(crate) database: TestDatabase,
    pub(crate) psp: psp::App,
    pub(crate) psp_url: String,
    pub(crate) psp_database: TestDatabase,
    pub(crate) client: reqwest::Client,
}

/// One order that is to be paid.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) payment: PaymentId,
    pub(crate) user: UserId,
    pub(crate) method: &'static str,
}

impl Order {
    /// Of 10.00 EUR.
    pub(crate) fn paid_with(method: &'static str) -> Self {
        Self {
            id: OrderId::generate(),
            payment: PaymentId::generate(),
            user: UserId::generate(),
            method,
        }
    }

    pub(crate) fn authorize(&self) -> Incoming {
        incoming(&AuthorizePayment {
            order_id: self.id,
            payment_id: self.payment,
            user_id: self.user,
            amount: euros(1000),
            payment_method: self.method.into(),
        })
    }

    pub(crate) fn capture(&self) -> Incoming {
        incoming(&CapturePayment { order_id: self.id })
    }

    pub(crate) fn void(&self) -> Incoming {
        incoming(&VoidPayment { order_id: self.id })
    }
}

pub(crate) fn euros(cents: i64) -> Money {
    Money::new(cents, Currency::EUR)
}

pub(crate) fn incoming<M: Message>(message: &M) -> Incoming {
    Incoming {
        id: Uuid::now_v7(),
        kind: M::KIND.into(),
        queue: queues::PAYMENTS.into(),
        correlation_id: Uuid::now_v7(),
        reply_to: Some(queues::ORDERS.into()),
        body: serde_json::to_vec(message).unwrap(),
        attempt: 1,
        death_reason: None,
        trace: telemetry::TraceContext::default(),
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        let psp_database = testkit::postgres::database(&psp::MIGRATOR).await;
        let psp = psp::App::new(psp_database.pool.clone(), API_KEY.into());
        let psp_url = testkit::spawn(psp::router(psp.clone())).await;
        let database = testkit::postgres::database(&MIGRATOR).await;
        let issuer = Issuer::start().await;
        let broker = Broker::connect(&testkit::amqp_url(), "payments", testkit::namespace())
            .await
            .unwrap();
        let app = App {
            pool: database.pool.clone(),
            provider: Provider::new(&psp_url, API_KEY.into()).unwrap(),
            outbox: Outbox::new(database.pool.clone(), broker),
            verifier: Verifier::new(issuer.jwks_url()),
            webhook_secrets: SECRETS.map(Into::into).into(),
        };
        let url = testkit::spawn(souk_http::layers(payments::router(app.clone()))).await;
        Self {
            app,
            url,
            issuer,
            operator: UserId::generate(),
            database,
            psp,
            psp_url,
            psp_database,
            client: reqwest::Client::new(),
        }
    }

    /// The same service, while its provider is away.
    pub(crate) fn without_provider(&self) -> App {
        App {
            provider: Provider::new("http://127.0.0.1:9", API_KEY.into()).unwrap(),
            ..self.app.clone()
        }
    }

    pub(crate) async fn handle(&self, message: &Incoming) -> Result<(), HandleError> {
        Commands::new(self.app.clone()).handle(message.clone()).await
    }

    /// Handles the command; what it was answered: `done` or the reason of the refusal.
    pub(crate) async fn ask(&self, message: &Incoming) -> String {
        self.handle(message).await.unwrap();
        self.replies(message).await.pop().unwrap()
    }

    /// Every answer to the command that waits in the outbox.
    pub(crate) async fn replies(&self, message: &Incoming) -> Vec<String> {
        let bodies: Vec<Value> = sqlx::query_scalar(
            "SELECT body FROM outbox WHERE kind = $1 AND body->>'command_id' = $2 AND queue = $3 ORDER BY id",
        )
        .bind(Reply::KIND)
        .bind(message.id.to_string())
        .bind(queues::ORDERS)
        .fetch_all(&self.database.pool)
        .await
        .unwrap();
        bodies.into_iter().map(word).collect()
    }

    /// An order whose money was taken.
    pub(crate) async fn captured(&self) -> Order {
        let order = Order::paid_with("pm_card_ok");
        assert_eq!(self.ask(&order.authorize()).await, "done");
        assert_eq!(self.ask(&order.capture()).await, "done");
        order
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(token);
        answer(request.send().await.unwrap()).await
    }

    /// The payment as its owner sees it.
    pub(crate) async fn payment(&self, order: &Order) -> PaymentView {
        let token = self.issuer.customer(order.user);
        let (status, body) = self.get(&format!("/v1/payments/{}", order.payment), &token).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value(body).unwrap()
    }

    pub(crate) async fn status(&self, order: &Order) -> String {
        let status = sqlx::query_scalar("SELECT status FROM payments WHERE order_id = $1").bind(order.id.0);
        status.fetch_one(&self.database.pool).await.unwrap()
    }

    pub(crate) async fn refund(&self, order: &Order, key: &str, body: &Value) -> (u16, Value) {
        let token = self.issuer.token(self.operator, &["admin"]);
        self.refund_as(&token, order, key, body).await
    }

    pub(crate) async fn refund_as(
        &self,
        token: &str,
        order: &Order,
        key: &str,
        body: &Value,
    ) -> (u16, Value) {
        let path = format!("{}/v1/payments/{}/refunds", self.url, order.payment);
        let request = self
            .client
            .post(path)
            .bearer_auth(token)
            .header("idempotency-key", key)
            .json(body);
        answer(request.send().await.unwrap()).await
    }

    /// Asks the provider something directly, as if payments had and then died.
    pub(crate) async fn provider(&self, path: &str, key: &str) {
        let request = self
            .client
            .post(format!("{}{path}", self.psp_url))
            .bearer_auth(API_KEY);
        let answer = request
            .header("idempotency-key", key)
            .json(&json!({}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// States of the provider's intents of an order.
    pub(crate) async fn intents(&self, order: &Order) -> Vec<String> {
        sqlx::query_scalar("SELECT status FROM payment_intents WHERE metadata->>'order_id' = $1")
            .bind(order.id.to_string())
            .fetch_all(&self.psp_database.pool)
            .await
            .unwrap()
    }

    /// Movements in the provider's log.
    pub(crate) async fn movements(&self) -> Vec<i64> {
        sqlx::query_scalar("SELECT amount FROM balance_transactions ORDER BY id")
            .fetch_all(&self.psp_database.pool)
            .await
            .unwrap()
    }

    /// What the books say that the provider holds.
    pub(crate) async fn clearing(&self) -> i64 {
        sqlx::query_scalar(
            "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entries WHERE account = 'psp_clearing'",
        )
        .fetch_one(&self.database.pool)
        .await
        .unwrap()
    }

    /// Books and the provider's log agree, to the cent.
    pub(crate) async fn assert_books(&self, cents: i64) {
        assert_eq!(
            self.movements().await.iter().sum::<i64>(),
            cents,
            "the provider's log"
        );
        assert_eq!(self.clearing().await, cents, "the books");
    }
}

pub(crate) async fn answer(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn word(body: Value) -> String {
    match serde_json::from_value::<Reply>(body).unwrap().outcome {
        Outcome::Done => "done".into(),
        Outcome::Refused { reason, .. } => reason,
    }
}
