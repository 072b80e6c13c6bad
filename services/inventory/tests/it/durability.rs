//! What was acknowledged is still there after the database's server was killed.

use std::sync::Arc;

use contracts::OrderId;
use inventory::database::Database;
use testkit::mongo::OwnMongo;

use crate::support::{Shelf, done};

/// Enough that the last commits are younger than any flush that happens by the way.
const ORDERS: i64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_answered_survives_a_kill_of_the_server() {
    let server = tokio::task::spawn_blocking(OwnMongo::start).await.unwrap();
    let server = Arc::new(server);
    let shelf = Shelf::filled(Database::new(&server.url).await.unwrap(), &[("A", ORDERS)]).await;
    for _ in 0..ORDERS {
        let order = OrderId::generate();
        assert_eq!(shelf.reserve(order, &[("A", 1)]).await, done());
        assert_eq!(shelf.pin(order).await, done());
        assert_eq!(shelf.commit(order).await, done());
    }
    server.kill();

    let again = Arc::clone(&server);
    tokio::task::spawn_blocking(move || again.start_again())
        .await
        .unwrap();
    let shelf = Shelf::of(Database::new(&server.url).await.unwrap());
    assert_eq!(shelf.levels("A").await, (0, 0, 0, ORDERS));
}
