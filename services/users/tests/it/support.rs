//! Runs the service for tests: the real router and layers, on a real socket, with a real database.

use axum::Router;
use contracts::{MailTokenKind, MailTokens};
use http::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use souk_http::auth::Verifier;
use testkit::postgres::TestDatabase;
use users::{App, MIGRATOR, app, config::Config, mail};

/// Password of all accounts that tests register.
pub(crate) const PASSWORD: &str = "a password of tests";

const MAIL_SECRET: &str = "another secret of tests, longer than 32";

/// A running users service and a client for it.
pub(crate) struct Users {
    pub(crate) base: String,
    pub(crate) database: TestDatabase,
    client: reqwest::Client,
    verifier: Verifier,
}

/// A complete response; the body is null unless it is JSON.
pub(crate) struct TestResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl TestResponse {
    /// The JSON pointers of the invalid fields in a 422 response.
    pub(crate) fn pointers(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Users {
    /// Starts the service in demo mode, in which accounts can be used without verification.
    pub(crate) async fn start() -> Self {
        Self::start_with("true").await
    }

    pub(crate) async fn start_without_demo() -> Self {
        Self::start_with("false").await
    }

    async fn start_with(demo: &str) -> Self {
        let database = testkit::postgres::database(&MIGRATOR).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let vars = [
            ("SOUK_HTTP_ADDR", address.as_str()),
            ("SOUK_ADMIN_ADDR", "127.0.0.1:0"),
            ("SOUK_DATABASE_URL", &database.url),
            ("SOUK_KEY_ENCRYPTION_SECRET", "a secret of tests, longer than 32"),
            ("SOUK_MAIL_TOKEN_SECRET", MAIL_SECRET),
            ("SOUK_DEMO", demo),
        ];
        let vars = vars.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let config: Config = souk_config::from_vars(vars).unwrap();
        let state = App::new(&config, database.pool.clone()).unwrap();
        let verifier = state.verifier.clone();
        let router: Router = souk_http::layers(app::router(state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            base: format!("http://{address}"),
            database,
            client: reqwest::Client::new(),
            verifier,
        }
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> TestResponse {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        TestResponse {
            status,
            headers,
            body,
        }
    }

    fn authorized(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let request = self.request(method, path);
        if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> TestResponse {
        self.send(self.authorized(Method::GET, path, token)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> TestResponse {
        self.post_as(path, "", body).await
    }

    pub(crate) async fn post_as(&self, path: &str, token: &str, body: &Value) -> TestResponse {
        self.send(self.authorized(Method::POST, path, token).json(body))
            .await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: &Value) -> TestResponse {
        self.send(self.authorized(Method::PATCH, path, token).json(body))
            .await
    }

    pub(crate) async fn put(&self, path: &str, token: &str, body: Value) -> TestResponse {
        self.send(self.authorized(Method::PUT, path, token).json(&body))
            .await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> TestResponse {
        self.send(self.authorized(Method::DELETE, path, token)).await
    }

    pub(crate) async fn register(&self, email: &str) {
        let body = json!({"email": email, "password": PASSWORD, "name": "Someone"});
        assert_eq!(self.post("/v1/auth/register", &body).await.status, 202);
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> TestResponse {
        self.post("/v1/auth/login", &json!({"email": email, "password": password}))
            .await
    }

    /// Registers an account, logs in and returns the access token.
    pub(crate) async fn account(&self, email: &str) -> String {
        self.register(email).await;
        let response = self.login(email, PASSWORD).await;
        response.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Registers the operator `root@souk.test` and returns the access token.
    pub(crate) async fn admin(&self) -> String {
        self.register("root@souk.test").await;
        self.sql(
            "UPDATE users SET roles = '{customer,admin}', verified_at = now() WHERE email = 'root@souk.test'",
        )
        .await;
        let response = self.login("root@souk.test", PASSWORD).await;
        response.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Registers an account and verifies its email address; for tests without demo mode.
    pub(crate) async fn verified(&self, email: &str) {
        self.register(email).await;
        let token = self.mail_token(email).await;
        let response = self.post("/v1/auth/verify", &json!({"token": token})).await;
        assert_eq!(response.status, 204);
    }

    /// Returns the token of the newest email to an address, derived from the event as notifications does.
    pub(crate) async fn mail_token(&self, email: &str) -> String {
        let sql = "SELECT data FROM domain_events
                   WHERE data->>'email' = $1 AND (data ? 'verification_id' OR data ? 'reset_id')
                   ORDER BY id DESC LIMIT 1";
        let data: Value = sqlx::query_scalar(sql)
            .bind(email)
            .fetch_one(&self.database.pool)
            .await
            .unwrap();
        let (kind, id) = match &data["reset_id"] {
            Value::Null => (MailTokenKind::Verification, &data["verification_id"]),
            id => (MailTokenKind::PasswordReset, id),
        };
        let id = id.as_str().unwrap().parse().unwrap();
        MailTokens::new(MAIL_SECRET).derive(kind, id)
    }

    /// Handles all pending requests for emails, as the worker does every second.
    pub(crate) async fn handle_mail_requests(&self) {
        let tokens = MailTokens::new(MAIL_SECRET);
        mail::requests::run_once(&self.database.pool, &tokens)
            .await
            .unwrap();
    }

    /// Creates an API key and returns its secret.
    pub(crate) async fn api_key(&self, session: &str, body: &Value) -> String {
        let response = self.post_as("/v1/users/me/api-keys", session, body).await;
        assert_eq!(response.status, 201, "{}", response.body);
        response.body["key"].as_str().unwrap().to_owned()
    }

    /// Executes a statement.
    pub(crate) async fn sql(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.database.pool).await.unwrap();
    }

    /// Executes a query for a single number.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(&self.database.pool)
            .await
            .unwrap()
    }
}
