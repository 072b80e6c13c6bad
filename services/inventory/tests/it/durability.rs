//! Acknowledged writes survive a kill of the database server.

use std::sync::Arc;

use contracts::OrderId;
use inventory::database::Database;
use testkit::mongo::OwnMongo;

use crate::support::{Shelf, done};

/// Enough orders that the last commits are newer than any periodic flush of the journal.
const ORDERS: i64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_commit_survives_a_kill_of_the_server() {
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
    tokio::task::spawn_blocking(move || again.restart())
        .await
        .unwrap();
    let shelf = Shelf::of(Database::new(&server.url).await.unwrap());
    assert_eq!(shelf.levels("A").await, (0, 0, 0, ORDERS));
}
