//! The rights of the auditor's accounts: they cannot write, and they cannot read private columns.

use souk_config::ExposeSecret as _;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::{Shop, shop};

/// PostgreSQL's error code for insufficient privileges.
const DENIED: &str = "42501";

fn pools(shop: &Shop) -> [PgPool; 4] {
    let config = shop.config();
    let urls = [
        config.users_database_url,
        config.orders_database_url,
        config.payments_database_url,
        config.psp_database_url,
    ];
    urls.map(|url| souk_http::database::pool(url.expose_secret(), 1).unwrap())
}

async fn assert_denied(pool: &PgPool, sql: &str) {
    let result = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(pool).await;
    let Err(error) = result else {
        panic!("{sql} was not denied");
    };
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some(DENIED), "{sql}: {error}");
}

#[tokio::test]
async fn no_account_of_the_auditor_can_write_anywhere() {
    let shop = shop().await;
    for (pool, database) in pools(&shop)
        .iter()
        .zip([&shop.users, &shop.orders, &shop.payments, &shop.psp])
    {
        // Views that cannot be written through are left out.
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace
                 AND pg_relation_is_updatable(oid, false) <> 0",
        )
        .fetch_all(&database.pool)
        .await
        .unwrap();
        assert!(tables.len() > 3, "{tables:?}");
        for table in tables {
            assert_denied(pool, &format!("DELETE FROM {table}")).await;
            assert_denied(pool, &format!("INSERT INTO {table} DEFAULT VALUES")).await;
        }
        assert_denied(pool, "CREATE TABLE mine (id integer)").await;
    }
    let [users, orders, payments, psp] = pools(&shop);
    assert_denied(&users, "UPDATE refresh_tokens SET used_at = NULL").await;
    assert_denied(&orders, "UPDATE orders SET status = 'cancelled'").await;
    assert_denied(&payments, "UPDATE payments SET captured = 0").await;
    assert_denied(&psp, "UPDATE payment_intents SET amount = 0").await;
}

#[tokio::test]
async fn private_columns_cannot_be_read() {
    let shop = shop().await;
    let [users, orders, payments, _] = pools(&shop);
    for sql in [
        "SELECT password_hash FROM users",
        "SELECT private_key FROM signing_keys",
        "SELECT sha256 FROM refresh_tokens",
        "SELECT sha256 FROM api_keys",
    ] {
        assert_denied(&users, sql).await;
    }
    for pool in [&users, &orders, &payments] {
        assert_denied(pool, "SELECT data FROM domain_events").await;
    }
    assert_denied(&orders, "SELECT shipping_address FROM orders").await;
    assert_denied(&orders, "SELECT body FROM outbox").await;
    assert_denied(&payments, "SELECT user_id FROM payments").await;
}
