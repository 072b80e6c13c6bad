//! Tests that requests with the same key take effect once, also with concurrent requests, failures and disconnects.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, response::Response, routing::post};
use contracts::UserId;
use http::StatusCode;
use serde_json::{Value, json};
use souk_http::{
    HashedJson, Problem,
    idempotency::{self, Key, StoredResponse},
};
use sqlx::{PgPool, migrate::Migrator};
use testkit::postgres::TestDatabase;
use tokio::sync::Semaphore;
use uuid::Uuid;

static MIGRATOR: Migrator = sqlx::migrate!("tests/migrations");

struct Service {
    url: String,
    database: TestDatabase,
    /// A request does its work only once it has a permit.
    gate: Arc<Semaphore>,
}

type Shared = (PgPool, Arc<Semaphore>, UserId);

async fn create(
    State((pool, gate, user)): State<Shared>,
    key: Key,
    HashedJson { value, sha256 }: HashedJson<Value>,
) -> Result<Response, Problem> {
    idempotency::run(&pool, user, "create", &key, sha256, move |connection| {
        Box::pin(async move {
            gate.acquire().await.expect("open").forget();
            let id = Uuid::now_v7();
            sqlx::query("INSERT INTO effects VALUES ($1)")
                .bind(id)
                .execute(connection)
                .await?;
            if value["fail"] == true {
                return Err(Problem::conflict("failed", "The test asked for a failure."));
            }
            Ok(StoredResponse {
                status: StatusCode::ACCEPTED,
                location: Some(format!("/effects/{id}")),
                body: json!({"id": id, "z": 1, "a": 2}),
            })
        })
    })
    .await
}

impl Service {
    async fn start(permits: usize) -> Self {
        let database = testkit::postgres::database(&MIGRATOR).await;
        let gate = Arc::new(Semaphore::new(permits));
        let state = (database.pool.clone(), Arc::clone(&gate), UserId::generate());
        let router = Router::new().route("/effects", post(create)).with_state(state);
        let url = format!("{}/effects", testkit::spawn(souk_http::layers(router)).await);
        Self { url, database, gate }
    }

    fn request(&self, key: Option<&str>, body: &Value) -> reqwest::RequestBuilder {
        let request = reqwest::Client::new().post(&self.url).json(body);
        match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        }
    }

    async fn effects(&self) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM effects");
        count.fetch_one(&self.database.pool).await.unwrap()
    }
}

#[tokio::test]
async fn a_retry_gets_the_same_bytes_and_has_no_effect() {
    let service = Service::start(9).await;
    let first = service.request(Some("k"), &json!({"n": 1})).send().await.unwrap();
    assert_eq!(
        (
            first.status(),
            first.headers().contains_key("idempotency-replayed")
        ),
        (StatusCode::ACCEPTED, false)
    );
    let location = first.headers()["location"].clone();
    let bytes = first.bytes().await.unwrap();
    let retry = service.request(Some("k"), &json!({"n": 1})).send().await.unwrap();
    assert_eq!(
        (retry.status(), &retry.headers()["idempotency-replayed"]),
        (StatusCode::ACCEPTED, &"true".parse().unwrap())
    );
    assert_eq!(retry.headers()["location"], location);
    assert_eq!(retry.bytes().await.unwrap(), bytes);
    let other = service.request(Some("k"), &json!({"n": 2})).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(service.effects().await, 1);
}

#[tokio::test]
async fn a_valid_key_is_required() {
    let service = Service::start(9).await;
    for key in [None, Some(""), Some("with space"), Some("x".repeat(256).as_str())] {
        let response = service.request(key, &json!({})).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{key:?}");
    }
    let two_keys = service
        .request(Some("a"), &json!({}))
        .header("idempotency-key", "b");
    assert_eq!(two_keys.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(service.effects().await, 0);
}

#[tokio::test]
async fn a_failed_request_does_not_store_its_key() {
    let service = Service::start(9).await;
    let failed = service
        .request(Some("k"), &json!({"fail": true}))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (failed.status(), service.effects().await),
        (StatusCode::CONFLICT, 0)
    );
    let fixed = service
        .request(Some("k"), &json!({"fail": false}))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (fixed.status(), service.effects().await),
        (StatusCode::ACCEPTED, 1)
    );
}

#[tokio::test]
async fn a_failed_request_releases_its_key_before_it_is_answered() {
    let service = Service::start(999).await;
    let client = reqwest::Client::new();
    let retry_at_once = async |key: usize| {
        for _ in 0..25 {
            let request = client.post(&service.url).header("idempotency-key", key);
            let response = request.json(&json!({"fail": true})).send().await.unwrap();
            let problem: Value = response.json().await.unwrap();
            assert_eq!(problem["title"], "Failed", "{problem}");
        }
    };
    // Concurrent clients keep the database busy, so that a lock which is released too late is found.
    futures::future::join_all((0..16).map(retry_at_once)).await;
}

#[tokio::test]
async fn concurrent_requests_get_409_at_once_and_work_continues_after_a_disconnect() {
    let service = Service::start(0).await;
    let first = service
        .request(Some("k"), &json!({}))
        .timeout(Duration::from_millis(500))
        .send();
    let first = tokio::spawn(first);
    testkit::eventually("the first request holds its key", Duration::from_secs(5), async || {
        let locks = sqlx::query_scalar("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
        let locks: i64 = locks.fetch_one(&service.database.pool).await.unwrap();
        (locks == 1).then_some(())
    })
    .await;
    let second = service.request(Some("k"), &json!({})).send().await.unwrap();
    assert_eq!(
        (second.status(), second.headers().contains_key("retry-after")),
        (StatusCode::CONFLICT, true)
    );
    assert!(
        first.await.unwrap().unwrap_err().is_timeout(),
        "the client timed out"
    );
    service.gate.add_permits(1);
    testkit::eventually("the work is committed", Duration::from_secs(5), async || {
        (service.effects().await == 1).then_some(())
    })
    .await;
    let replay = service.request(Some("k"), &json!({})).send().await.unwrap();
    assert_eq!(replay.headers()["idempotency-replayed"], "true");
}

#[tokio::test]
async fn twenty_concurrent_requests_take_effect_once() {
    let service = Service::start(99).await;
    let responses =
        futures::future::join_all((0..20).map(|_| service.request(Some("k"), &json!({})).send())).await;
    for response in responses {
        let status = response.unwrap().status();
        assert!(
            [StatusCode::ACCEPTED, StatusCode::CONFLICT].contains(&status),
            "{status}"
        );
    }
    assert_eq!(service.effects().await, 1);
}
