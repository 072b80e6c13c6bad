//! Stock: every unit is on the shelf, held or sold, and none is sold twice.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use futures::TryStreamExt as _;

use super::Line;
use crate::{Databases, Error};

/// What the stock documents and the ledger tell.
struct Books {
    adds_up: Line,
    received: Line,
    /// Units that left for good, by order and SKU.
    committed: BTreeMap<(String, String), i64>,
    /// Entries of the journals, which may stand in the ledger, too, by now.
    journals: BTreeSet<String>,
    /// Orders that hold something, and what.
    holds: Vec<(String, String)>,
}

pub(super) async fn check(databases: &Databases) -> Result<Vec<Line>, Error> {
    let books = Books {
        adds_up: Line::new(
            4,
            "stock_adds_up",
            "a SKU: on hand = available + held, held = its holds",
        ),
        received: Line::new(
            5,
            "stock_received",
            "a SKU: on hand + committed = received + restocked",
        ),
        committed: BTreeMap::new(),
        journals: BTreeSet::new(),
        holds: vec![],
    };
    // In this order: a movement may go from a SKU's journal to the ledger in between, and never back.
    let without = doc! {"pending_events": 0};
    let books = databases
        .fold("stock", doc! {}, without, books, Books::add_stock)
        .await?;
    let fields = doc! {"kind": 1, "order_id": 1, "sku": 1, "qty": 1};
    let books = databases
        .fold(
            "movements",
            doc! {"kind": "commit"},
            fields,
            books,
            Books::add_movement,
        )
        .await?;
    let sold = sold(books.committed, books.holds, databases).await?;
    Ok(vec![books.adds_up, books.received, sold])
}

impl Books {
    fn add_stock(&mut self, document: &Document) -> Result<(), Error> {
        let sku = document.get_str("_id")?;
        let [on_hand, available, held] =
            ["on_hand", "available", "held"].map(|field| number(document, field));
        let (on_hand, available, held) = (on_hand?, available?, held?);
        let mut holds = 0;
        for hold in documents(document, "holds")? {
            holds += number(&hold, "qty")?;
            self.holds
                .push((hold.get_str("order_id")?.to_owned(), sku.to_owned()));
        }
        let right = available >= 0 && held == holds && on_hand == available + held;
        self.adds_up.look(
            (!right).then(|| {
                format!("{sku}: {on_hand} on hand, {available} available, {held} held, holds {holds}")
            }),
        );
        let here = on_hand + number(document, "committed")?;
        let came = number(document, "received")? + number(document, "restocked")?;
        self.received
            .look((here != came).then(|| format!("{sku}: {here} on hand or sold, {came} came in")));
        for entry in documents(document, "journal")? {
            if entry.get_str("kind")? == "commit" {
                self.journals.insert(entry.get_str("_id")?.to_owned());
                self.commit(&entry, sku)?;
            }
        }
        Ok(())
    }

    fn add_movement(&mut self, movement: &Document) -> Result<(), Error> {
        if let Ok(sku) = movement.get_str("sku")
            && !self.journals.contains(movement.get_str("_id")?)
        {
            self.commit(movement, sku)?;
        }
        Ok(())
    }

    fn commit(&mut self, movement: &Document, sku: &str) -> Result<(), Error> {
        let order = movement.get_str("order_id")?.to_owned();
        *self.committed.entry((order, sku.to_owned())).or_default() += number(movement, "qty")?.abs();
        Ok(())
    }
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

/// What inventory committed is what orders confirmed, line by line.
async fn sold(
    mut committed: BTreeMap<(String, String), i64>,
    holds: Vec<(String, String)>,
    databases: &Databases,
) -> Result<Line, Error> {
    let mut lines = sqlx::query_as::<_, (String, String, i64)>(
        "SELECT o.id::text, l.sku, l.quantity::bigint FROM orders o JOIN order_lines l ON l.order_id = o.id
         WHERE o.status IN ('confirmed', 'shipped', 'delivered', 'returned')",
    )
    .fetch(&databases.orders);
    let mut line = Line::new(6, "confirmed_is_committed", "confirmed if and only if committed");
    while let Some((order, sku, quantity)) = lines.try_next().await? {
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
    for (order, sku) in holds {
        let over = !pending.contains(&order);
        line.look_at_order(
            &order,
            over.then(|| format!("order {order} is over and still holds {sku}")),
        );
    }
    Ok(line)
}
