//! A provider on a port, and what one says to it.

use psp::{App, MIGRATOR};
use serde_json::{Value, json};
use testkit::postgres::TestDatabase;

/// The key of the tests' merchant.
pub(crate) const API_KEY: &str = "sk_test";

/// A running provider.
pub(crate) struct Api {
    pub(crate) app: App,
    pub(crate) database: TestDatabase,
    url: String,
    client: reqwest::Client,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The object of a good answer.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// The code of an error.
    pub(crate) fn error(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{}", self.body);
        self.body["error"]["code"].as_str().unwrap()
    }
}

impl Api {
    pub(crate) async fn start() -> Self {
        let database = testkit::postgres::database(&MIGRATOR).await;
        let app = App::new(database.pool.clone(), API_KEY.into());
        let url = testkit::spawn(psp::router(app.clone())).await;
        Self {
            app,
            database,
            url,
            client: reqwest::Client::new(),
        }
    }

    pub(crate) async fn authorize(&self, key: &str, method: &str) -> Answer {
        let body = json!({
            "amount": 1000, "currency": "EUR", "payment_method": method, "capture_method": "manual",
            "metadata": {"order_id": "o1"},
        });
        self.post("/v1/payment_intents", key, &body).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .header("idempotency-key", key)
            .json(body);
        Self::send(request.bearer_auth(API_KEY)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, Some(API_KEY)).await
    }

    pub(crate) async fn get_with(&self, path: &str, key: Option<&str>) -> Answer {
        let request = self.client.get(format!("{}{path}", self.url));
        Self::send(match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        })
        .await
    }

    async fn send(request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        Answer {
            status: answer.status().as_u16(),
            body: answer.json().await.unwrap(),
        }
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&self.database.pool)
            .await
            .unwrap()
    }
}
