//! A running provider and a client for it.

use psp::{App, MIGRATOR, app};
use serde_json::{Value, json};
use testkit::postgres::TestDatabase;

/// The API key of the merchant in tests.
pub(crate) const API_KEY: &str = "sk_test";

/// A running provider with its own database, and a client that sends its API key.
pub(crate) struct Api {
    pub(crate) app: App,
    pub(crate) database: TestDatabase,
    url: String,
    client: reqwest::Client,
}

/// A response of the provider.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl ApiResponse {
    /// Asserts that the status is 200 and returns the body.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Asserts the status of an error and returns its code.
    pub(crate) fn error(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{}", self.body);
        self.body["error"]["code"].as_str().unwrap()
    }
}

impl Api {
    pub(crate) async fn start() -> Self {
        let database = testkit::postgres::database(&MIGRATOR).await;
        let app = App::new(database.pool.clone(), API_KEY.into());
        let url = testkit::spawn(app::router(app.clone())).await;
        Self {
            app,
            database,
            url,
            client: reqwest::Client::new(),
        }
    }

    pub(crate) async fn authorize(&self, key: &str, method: &str) -> ApiResponse {
        let body = json!({
            "amount": 1000, "currency": "EUR", "payment_method": method, "capture_method": "manual",
            "metadata": {"order_id": "o1"},
        });
        self.post("/v1/payment_intents", key, &body).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> ApiResponse {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .header("idempotency-key", key)
            .json(body);
        Self::send(request.bearer_auth(API_KEY)).await
    }

    pub(crate) async fn get(&self, path: &str) -> ApiResponse {
        self.get_with(path, Some(API_KEY)).await
    }

    pub(crate) async fn get_with(&self, path: &str, key: Option<&str>) -> ApiResponse {
        let request = self.client.get(format!("{}{path}", self.url));
        Self::send(match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        })
        .await
    }

    async fn send(request: reqwest::RequestBuilder) -> ApiResponse {
        let response = request.send().await.unwrap();
        ApiResponse {
            status: response.status().as_u16(),
            body: response.json().await.unwrap(),
        }
    }

    /// Returns the number of rows in a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&self.database.pool)
            .await
            .unwrap()
    }
}
