//! Responses while the database is unavailable.

use std::time::{Duration, Instant};

use inventory::{
    app::{self, App},
    database::Database,
};
use souk_http::auth::Verifier;
use tokio::net::TcpListener;

use crate::support::TestResponse;

async fn list_products_on(database: std::net::SocketAddr) -> TestResponse {
    let db = Database::new(&format!("mongodb://{database}/inventory?directConnection=true"))
        .await
        .unwrap();
    let app = App::new(db, Verifier::new("http://127.0.0.1:1/"));
    let url = testkit::spawn(souk_http::layers(app::router(app))).await;
    let started = Instant::now();
    let response = TestResponse::of(reqwest::Client::new().get(format!("{url}/v1/products"))).await;
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    response
}

#[tokio::test]
async fn a_database_that_refuses_connections_leads_to_503_within_5_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let response = list_products_on(closed).await;
    assert!(!response.header("retry-after").is_empty());
    response.problem(503);
}

#[tokio::test]
async fn a_database_that_does_not_respond_leads_to_503_within_5_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let response = list_products_on(silent.local_addr().unwrap()).await;
    assert!(!response.header("retry-after").is_empty());
    response.problem(503);
}
