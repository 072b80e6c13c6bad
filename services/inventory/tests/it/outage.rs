//! What clients are told while the database is away.

use std::time::{Duration, Instant};

use inventory::{
    app::{self, App},
    database::Database,
};
use souk_http::auth::Verifier;
use tokio::net::TcpListener;

use crate::support::Answer;

async fn answer_of(database: std::net::SocketAddr) -> Answer {
    let db = Database::new(&format!("mongodb://{database}/inventory?directConnection=true"))
        .await
        .unwrap();
    let app = App::new(db, Verifier::new("http://127.0.0.1:1/"));
    let url = testkit::spawn(souk_http::layers(app::router(app))).await;
    let started = Instant::now();
    let answer = Answer::of(reqwest::Client::new().get(format!("{url}/v1/products"))).await;
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    answer
}

#[tokio::test]
async fn a_database_that_refuses_is_503_within_5_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let answer = answer_of(nobody).await;
    assert!(!answer.header("retry-after").is_empty());
    answer.problem(503);
}

#[tokio::test]
async fn a_database_that_says_nothing_is_503_within_5_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answer = answer_of(silent.local_addr().unwrap()).await;
    assert!(!answer.header("retry-after").is_empty());
    answer.problem(503);
}
