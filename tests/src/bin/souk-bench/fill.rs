//! Fills the databases of a system with copies of one confirmed order and of one product, to measure the effect of their
//! size.

use anyhow::{Context as _, Result};
use e2e::stack::Status;
use mongodb::bson::{Document, doc};
use sqlx::{AssertSqlSafe, PgPool};

use crate::output::progress;

/// Number of documents per insert.
const BATCH: u32 = 5_000;

/// Adds `count` orders with their lines, sagas, logs, events and payments, and as many products.
pub(crate) async fn fill(postgres: &str, status: &Status, count: u32) -> Result<()> {
    progress(format_args!("filling with {count} orders"));
    // Superusers may write to every database of the server.
    let server = postgres
        .rsplit_once('/')
        .context("PostgreSQL's URL names no database")?
        .0;
    for (database, sql) in [
        ("orders", include_str!("fill_orders.sql")),
        ("payments", include_str!("fill_payments.sql")),
        ("psp", include_str!("fill_psp.sql")),
    ] {
        let pool = PgPool::connect(&format!("{server}/{database}")).await?;
        let mut conn = pool.acquire().await?;
        sqlx::query("SELECT set_config('souk.copies', $1, false)")
            .bind(count.to_string())
            .execute(&mut *conn)
            .await?;
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut *conn)
            .await
            .context(database)?;
    }
    let mongodb =
        mongodb::Client::with_uri_str(status.mongodb.as_deref().context("the system's MongoDB")?).await?;
    let database = mongodb.default_database().context("the URL names no database")?;
    for name in ["products", "stock"] {
        let collection = database.collection::<Document>(name);
        // Copy the same product in both collections. Exclude those of load tests, because their stock changes.
        let original = collection
            .find_one(doc! {"_id": {"$not": {"$regex": "^BENCH"}}})
            .sort(doc! {"_id": 1});
        let original = original
            .await?
            .with_context(|| format!("no document of {name}"))?;
        for first in (0..count).step_by(usize::try_from(BATCH)?) {
            progress(format_args!("filling {name}: {first} of {count}          "));
            let copies = (first..count.min(first + BATCH)).map(|number| {
                let mut copy = original.clone();
                copy.insert("_id", format!("COPY-{number}"));
                if name == "products" {
                    copy.insert("name", format!("Copy {number}"));
                    copy.insert("name_key", format!("copy {number}"));
                }
                copy
            });
            collection.insert_many(copies).await?;
        }
    }
    progress("                                        \r");
    Ok(())
}
