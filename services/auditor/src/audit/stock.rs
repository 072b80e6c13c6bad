//! Stock: every unit is on the shelf, held or sold, and none is sold twice.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};

use super::Line;
use crate::{Databases, Error};

pub(super) async fn check(databases: &Databases) -> Result<Vec<Line>, Error> {
    // In this order: a movement may go from a SKU's journal to the collection in between, and never back.
    let stock = databases.documents("stock", doc! {}).await?;
    let movements = databases.documents("movements", doc! {"kind": "commit"}).await?;
    Ok(vec![
        adds_up(&stock)?,
        received(&stock)?,
        sold(&stock, &movements, databases).await?,
    ])
}

fn number(document: &Document, field: &str) -> Result<i64, Error> {
    match document.get(field) {
        Some(Bson::Int32(number)) => Ok(i64::from(*number)),
        Some(Bson::Int64(number)) => Ok(*number),
        other => Err(Error::Unexpected(format!(
            "{field} of {:?} is {other:?}",
            document.get("_id")
        ))),
    }
}

fn documents(document: &Document, field: &str) -> Result<Vec<Document>, Error> {
    let array = document.get_array(field)?;
    array
        .iter()
        .map(|item| {
            item.as_document()
                .cloned()
                .ok_or_else(|| Error::Unexpected(format!("{field} holds no documents")))
        })
        .collect()
}

fn adds_up(stock: &[Document]) -> Result<Line, Error> {
    let mut line = Line::new(
        4,
        "stock_adds_up",
        "a SKU: on hand = available + held, held = its holds",
    );
    for document in stock {
        let [on_hand, available, held] =
            ["on_hand", "available", "held"].map(|field| number(document, field));
        let (on_hand, available, held) = (on_hand?, available?, held?);
        let mut holds = 0;
        for hold in documents(document, "holds")? {
            holds += number(&hold, "qty")?;
        }
        let right = available >= 0 && held == holds && on_hand == available + held;
        let sku = document.get_str("_id")?;
        line.look(
            (!right).then(|| {
                format!("{sku}: {on_hand} on hand, {available} available, {held} held, holds {holds}")
            }),
        );
    }
    Ok(line)
}

fn received(stock: &[Document]) -> Result<Line, Error> {
    let mut line = Line::new(
        5,
        "stock_received",
        "a SKU: on hand + committed = received + restocked",
    );
    for document in stock {
        let here = number(document, "on_hand")? + number(document, "committed")?;
        let came = number(document, "received")? + number(document, "restocked")?;
        let sku = document.get_str("_id")?;
        line.look((here != came).then(|| format!("{sku}: {here} on hand or sold, {came} came in")));
    }
    Ok(line)
}

/// What inventory committed is what orders confirmed, line by line.
async fn sold(stock: &[Document], movements: &[Document], databases: &Databases) -> Result<Line, Error> {
    // A movement stands in its SKU's journal until it is filed, and may stand in both places for a moment.
    let mut seen = BTreeSet::new();
    let mut committed: BTreeMap<(String, String), i64> = BTreeMap::new();
    let mut take = |movement: &Document, sku: &str| -> Result<(), Error> {
        if movement.get_str("kind")? == "commit" && seen.insert(movement.get_str("_id")?.to_owned()) {
            let order = movement.get_str("order_id")?.to_owned();
            *committed.entry((order, sku.to_owned())).or_default() += number(movement, "qty")?.abs();
        }
        Ok(())
    };
    for movement in movements {
        if let Ok(sku) = movement.get_str("sku") {
            take(movement, sku)?;
        }
    }
    for document in stock {
        for entry in documents(document, "journal")? {
            take(&entry, document.get_str("_id")?)?;
        }
    }
    let lines: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT o.id::text, l.sku, l.quantity::bigint FROM orders o JOIN order_lines l ON l.order_id = o.id
         WHERE o.status IN ('confirmed', 'shipped', 'delivered', 'returned')",
    )
    .fetch_all(&databases.orders)
    .await?;
    let mut line = Line::new(6, "confirmed_is_committed", "confirmed if and only if committed");
    for (order, sku, quantity) in lines {
        let left = committed
            .remove(&(order.clone(), sku.clone()))
            .unwrap_or_default();
        line.look_at_order(
            &order,
            (left != quantity).then(|| format!("order {order}: {quantity} of {sku} sold, {left} committed")),
        );
    }
    for ((order, sku), quantity) in committed {
        let text =
            format!("order {order}: {quantity} of {sku} left the stock, and the order is not confirmed");
        line.look_at_order(&order, Some(text));
    }
    let pending: BTreeSet<String> =
        sqlx::query_scalar("SELECT id::text FROM orders WHERE status = 'pending'")
            .fetch_all(&databases.orders)
            .await?
            .into_iter()
            .collect();
    for document in stock {
        let sku = document.get_str("_id")?;
        for hold in documents(document, "holds")? {
            let order = hold.get_str("order_id")?;
            let over = !pending.contains(order);
            line.look_at_order(
                order,
                over.then(|| format!("order {order} is over and still holds {sku}")),
            );
        }
    }
    Ok(line)
}
