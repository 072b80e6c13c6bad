//! A running payments service and a running provider, with clients for both.

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

/// The API key of payments at the provider.
pub(crate) const API_KEY: &str = "sk_test";
/// The current and the previous secret of webhooks.
pub(crate) const SECRETS: [&str; 2] = ["whsec_new", "whsec_old"];

/// A payments service and its provider, each with its own database and address.
pub(crate) struct Fixture {
    pub(crate) app: App,
    pub(crate) url: String,
    pub(crate) issuer: Issuer,
    /// The operator who refunds payments; always the same one, because idempotency keys belong to a user.
    pub(crate) operator: UserId,
    pub(crate) database: TestDatabase,
    pub(crate) psp: psp::App,
    pub(crate) psp_url: String,
    pub(crate) psp_database: TestDatabase,
    pub(crate) client: reqwest::Client,
}

/// An order to be paid.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) payment: PaymentId,
    pub(crate) user: UserId,
    pub(crate) method: &'static str,
}

impl Order {
    /// Creates an order of 10.00 EUR, paid with this payment method.
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

impl Fixture {
    pub(crate) async fn start() -> Self {
        let psp_database = testkit::postgres::database(&psp::MIGRATOR).await;
        let psp = psp::App::new(psp_database.pool.clone(), API_KEY.into());
        let psp_url = testkit::spawn(psp::app::router(psp.clone())).await;
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
        let url = testkit::spawn(souk_http::layers(payments::app::router(app.clone()))).await;
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

    /// The same service with a provider that is unavailable.
    pub(crate) fn with_unavailable_provider(&self) -> App {
        App {
            provider: Provider::new("http://127.0.0.1:9", API_KEY.into()).unwrap(),
            ..self.app.clone()
        }
    }

    pub(crate) async fn handle(&self, message: &Incoming) -> Result<(), HandleError> {
        Commands::new(self.app.clone()).handle(message.clone()).await
    }

    /// Handles the command and returns its outcome: `done` or the reason of the refusal.
    pub(crate) async fn outcome_of(&self, message: &Incoming) -> String {
        self.handle(message).await.unwrap();
        self.replies(message).await.pop().unwrap()
    }

    /// Returns the outcomes of all replies to the command in the outbox.
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
        bodies.into_iter().map(outcome_name).collect()
    }

    /// Creates an order whose payment is captured.
    pub(crate) async fn captured_order(&self) -> Order {
        let order = Order::paid_with("pm_card_ok");
        assert_eq!(self.outcome_of(&order.authorize()).await, "done");
        assert_eq!(self.outcome_of(&order.capture()).await, "done");
        order
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(token);
        read_response(request.send().await.unwrap()).await
    }

    /// Reads the payment as its owner.
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
        read_response(request.send().await.unwrap()).await
    }

    /// Calls the provider directly, as if payments had called it and then died.
    pub(crate) async fn call_provider(&self, path: &str, key: &str) {
        let request = self
            .client
            .post(format!("{}{path}", self.psp_url))
            .bearer_auth(API_KEY);
        let response = request
            .header("idempotency-key", key)
            .json(&json!({}))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
    }

    /// Statuses of the provider's payment intents for an order.
    pub(crate) async fn intents(&self, order: &Order) -> Vec<String> {
        sqlx::query_scalar("SELECT status FROM payment_intents WHERE metadata->>'order_id' = $1")
            .bind(order.id.to_string())
            .fetch_all(&self.psp_database.pool)
            .await
            .unwrap()
    }

    /// Amounts of all balance transactions at the provider, oldest first.
    pub(crate) async fn movements(&self) -> Vec<i64> {
        sqlx::query_scalar("SELECT amount FROM balance_transactions ORDER BY id")
            .fetch_all(&self.psp_database.pool)
            .await
            .unwrap()
    }

    /// Balance of the ledger account for the money that the provider holds for us.
    pub(crate) async fn clearing_balance(&self) -> i64 {
        sqlx::query_scalar(
            "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entries WHERE account = 'psp_clearing'",
        )
        .fetch_one(&self.database.pool)
        .await
        .unwrap()
    }

    /// Asserts that our ledger and the provider's balance transactions both sum to `cents`.
    pub(crate) async fn assert_ledgers(&self, cents: i64) {
        assert_eq!(
            self.movements().await.iter().sum::<i64>(),
            cents,
            "the provider's balance"
        );
        assert_eq!(self.clearing_balance().await, cents, "our ledger");
    }
}

/// Returns the status and the JSON body, or null without one.
pub(crate) async fn read_response(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn outcome_name(body: Value) -> String {
    match serde_json::from_value::<Reply>(body).unwrap().outcome {
        Outcome::Done => "done".into(),
        Outcome::Refused { reason, .. } => reason,
    }
}
