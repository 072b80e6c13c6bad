//! Tests the pool of database connections.

use std::time::Duration;

use sqlx::migrate::Migrator;

static MIGRATOR: Migrator = sqlx::migrate!("tests/migrations");

#[tokio::test]
async fn a_pool_opens_all_its_connections_before_the_first_request() {
    let database = testkit::postgres::database(&MIGRATOR).await;
    let pool = souk_http::database::pool(&database.url, 5).unwrap();
    testkit::eventually("five idle connections", Duration::from_secs(20), async || {
        (pool.num_idle() == 5).then_some(())
    })
    .await;
}
