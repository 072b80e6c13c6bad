//! SQL queries for carts. Functions take a connection; the caller owns the transaction.

use contracts::{OrderItem, Quantity, Sku, UserId};
use sqlx::PgConnection;

use super::MAX_LINES;

fn item(sku: String, quantity: i32) -> sqlx::Result<OrderItem> {
    let decode = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
    Ok(OrderItem {
        sku: Sku::try_from(sku).map_err(|error| decode(error.into()))?,
        quantity: Quantity::try_from(i64::from(quantity)).map_err(|error| decode(error.into()))?,
    })
}

/// Returns the items in the user's cart, sorted by SKU.
pub async fn items(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<OrderItem>> {
    sqlx::query!(
        "SELECT sku, quantity FROM cart_items WHERE user_id = $1 ORDER BY sku",
        user.0
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(|row| item(row.sku, row.quantity))
    .collect()
}

/// Empties the user's cart and returns the items that were in it, sorted by SKU.
pub async fn take(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<OrderItem>> {
    sqlx::query!(
        r#"WITH taken AS (DELETE FROM cart_items WHERE user_id = $1 RETURNING sku, quantity)
           SELECT sku AS "sku!", quantity AS "quantity!" FROM taken ORDER BY sku"#,
        user.0
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(|row| item(row.sku, row.quantity))
    .collect()
}

/// Sets the quantity of a SKU in the user's cart. Returns false and changes nothing if the cart would then have too
/// many lines.
pub async fn put(conn: &mut PgConnection, user: UserId, item: &OrderItem) -> sqlx::Result<bool> {
    let result = sqlx::query!(
        "INSERT INTO cart_items (user_id, sku, quantity)
         SELECT $1, $2, $3
         WHERE (SELECT count(*) FROM cart_items WHERE user_id = $1 AND sku <> $2) < $4
         ON CONFLICT ON CONSTRAINT cart_items_pkey DO UPDATE SET quantity = excluded.quantity",
        user.0,
        item.sku.as_str(),
        item.quantity.get().cast_signed(),
        i64::try_from(MAX_LINES).unwrap_or(i64::MAX)
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Removes a SKU from the user's cart, if it is there.
pub async fn remove(conn: &mut PgConnection, user: UserId, sku: &Sku) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM cart_items WHERE user_id = $1 AND sku = $2",
        user.0,
        sku.as_str()
    )
    .execute(conn)
    .await
    .map(|_| ())
}
