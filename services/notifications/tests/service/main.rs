//! Notifications on a real PostgreSQL, a mail server on a port, and a real Kafka.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod intake;
mod list;
mod mail;
mod rebuild;
mod sales;
mod support;
mod trace;

use std::time::Duration;

use notifications::app;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn it_is_ready_without_a_log_and_without_a_mail_server() {
    let database = testkit::postgres::database(&notifications::MIGRATOR).await;
    let [http, admin] = [free_port().await, free_port().await];
    let settings = [
        ("SOUK_HTTP_ADDR", format!("127.0.0.1:{http}")),
        ("SOUK_ADMIN_ADDR", format!("127.0.0.1:{admin}")),
        ("SOUK_DATABASE_URL", database.url.clone()),
        ("SOUK_JWKS_URL", "http://127.0.0.1:9/".to_owned()),
        ("SOUK_DEMO", "true".to_owned()),
    ];
    let settings = settings.map(|(key, value)| (key.to_owned(), value));
    let config = souk_config::from_vars(settings).unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(app::run(config, database.pool.clone(), stop.clone()));
    testkit::eventually("ready", Duration::from_secs(10), async || {
        let answer = reqwest::get(format!("http://127.0.0.1:{admin}/readyz"))
            .await
            .ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

/// A port at which nobody listens.
async fn free_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn the_openapi_document_is_as_agreed() {
    insta::assert_json_snapshot!(notifications::openapi());
}
