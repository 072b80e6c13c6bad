//! Tests of the helpers themselves against real servers.

#![expect(clippy::unwrap_used, reason = "these helpers belong to tests")]

use std::time::Duration;

use contracts::UserId;
use sqlx::{Connection as _, PgConnection, migrate::Migrator};
use testkit::eventually;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Returns a migrator that creates one table.
async fn migrator() -> Migrator {
    let folder = std::env::temp_dir().join(format!("souk-testkit-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("0001_things.sql"), "CREATE TABLE things (id int)").unwrap();
    let migrator = Migrator::new(folder.clone()).await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    migrator
}

#[tokio::test]
async fn databases_are_migrated_separate_and_dropped() {
    let migrator = migrator().await;
    let (one, two) = tokio::join!(
        testkit::postgres::database(&migrator),
        testkit::postgres::database(&migrator)
    );
    sqlx::query("INSERT INTO things VALUES (1)")
        .execute(&one.pool)
        .await
        .unwrap();
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM things")
        .fetch_one(&two.pool)
        .await
        .unwrap();
    assert_eq!(count, 0);
    let url = one.url.clone();
    drop(one);
    eventually("the database is deleted", TIMEOUT, async || {
        PgConnection::connect(&url).await.is_err().then_some(())
    })
    .await;
}

#[tokio::test]
async fn mongo_databases_are_separate_and_dropped() {
    let (one, two) = tokio::join!(testkit::mongo::database(), testkit::mongo::database());
    one.db.create_collection("things").await.unwrap();
    assert!(two.db.list_collection_names().await.unwrap().is_empty());
    let (name, client) = (one.db.name().to_owned(), two.db.client().clone());
    drop(one);
    eventually("the database is deleted", TIMEOUT, async || {
        let names = client.list_database_names().await.unwrap();
        (!names.contains(&name)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn tokens_verify_against_the_published_key_until_they_expire() {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
    let issuer = testkit::auth::Issuer::start().await;
    let jwks = issuer.jwks_url();
    let text = tokio::task::spawn_blocking(move || fetch(&jwks)).await.unwrap();
    let keys: JwkSet = serde_json::from_str(&text).unwrap();
    let key = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["souk"]);
    let verify = |token: String| jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation);
    let user = UserId::generate();
    let claims = verify(issuer.token(user, &["admin"])).unwrap().claims;
    assert_eq!(claims["sub"], user.to_string());
    assert_eq!(claims["roles"][0], "admin");
    assert!(verify(issuer.expired_token(user)).is_err());
}

/// Sends a GET request over a plain socket, to avoid a dependency on an HTTP client.
fn fetch(url: &str) -> String {
    use std::io::{Read as _, Write as _};
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut socket = std::net::TcpStream::connect(host).unwrap();
    write!(socket, "GET /{path} HTTP/1.0\r\nhost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
#[should_panic(expected = "timed out after 50ms: the impossible")]
async fn a_timeout_panics_with_the_description() {
    let () = testkit::eventually("the impossible", Duration::from_millis(50), async || None).await;
}
