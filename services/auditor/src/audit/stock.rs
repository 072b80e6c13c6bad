//! Invariants of stock: every unit is available, held or sold, and no unit is sold twice.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use futures::TryStreamExt as _;

use super::InvariantCheck;
use crate::{Databases, Error};

/// Checks and totals collected from the stock documents and the ledger of movements.
struct Books {
    adds_up: InvariantCheck,
    received: InvariantCheck,
    /// Units committed, by order and SKU.
    committed: BTreeMap<(String, String), i64>,
    /// Ids of the journal entries that were read; the ledger may contain the same entries by the time it is read.
    journals: BTreeSet<String>,
    /// Order id and SKU of every hold.
    holds: Vec<(String, String)>,
}

pub(super) async fn check(databases: &Databases) -> Result<Vec<InvariantCheck>, Error> {
    let books = Books {
        adds_up: InvariantCheck::new(
            4,
            "stock_adds_up",
            "per SKU: on hand = available + held, and held = the sum of its holds",
        ),
        received: InvariantCheck::new(
            5,
            "stock_received",
            "per SKU: on hand + committed = received + restocked",
        ),
        committed: BTreeMap::new(),
        journals: BTreeSet::new(),
        holds: vec![],
    };
    // Read the stock documents before the ledger: entries move from a journal to the ledger, never back.
    let fields = doc! {"pending_events": 0};
    let books = databases
        .fold("stock", doc! {}, fields, books, Books::add_stock)
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
    let committed = confirmed_is_committed(books.committed, books.holds, databases).await?;
    Ok(vec![books.adds_up, books.received, committed])
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
        let adds_up = available >= 0 && held == holds && on_hand == available + held;
        self.adds_up.record((!adds_up).then(|| {
            format!("{sku}: {on_hand} on hand, {available} available, {held} held, sum of holds {holds}")
        }));
        let accounted = on_hand + number(document, "committed")?;
        let inflow = number(document, "received")? + number(document, "restocked")?;
        self.received.record(
            (accounted != inflow)
                .then(|| format!("{sku}: {accounted} on hand or committed, {inflow} received or restocked")),
        );
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
                .ok_or_else(|| Error::Unexpected(format!("{field} contains a value that is not a document")))
        })
        .collect()
}

/// Inventory has committed exactly the lines of the confirmed orders, and only pending orders hold stock.
async fn confirmed_is_committed(
    mut committed: BTreeMap<(String, String), i64>,
    holds: Vec<(String, String)>,
    databases: &Databases,
) -> Result<InvariantCheck, Error> {
    let mut lines = sqlx::query_as::<_, (String, String, i64)>(
        "SELECT o.id::text, l.sku, l.quantity::bigint FROM orders o JOIN order_lines l ON l.order_id = o.id
         WHERE o.status IN ('confirmed', 'shipped', 'delivered', 'returned')",
    )
    .fetch(&databases.orders);
    let mut check = InvariantCheck::new(
        6,
        "confirmed_is_committed",
        "an order is confirmed if and only if its stock is committed",
    );
    while let Some((order, sku, quantity)) = lines.try_next().await? {
        let units = committed
            .remove(&(order.clone(), sku.clone()))
            .unwrap_or_default();
        check.record_for_order(
            &order,
            (units != quantity)
                .then(|| format!("order {order}: {quantity} of {sku} sold, {units} committed")),
        );
    }
    for ((order, sku), quantity) in committed {
        let text = format!("order {order}: {quantity} of {sku} committed, but the order is not confirmed");
        check.record_for_order(&order, Some(text));
    }
    let pending: BTreeSet<String> =
        sqlx::query_scalar("SELECT id::text FROM orders WHERE status = 'pending'")
            .fetch_all(&databases.orders)
            .await?
            .into_iter()
            .collect();
    for (order, sku) in holds {
        let has_ended = !pending.contains(&order);
        check.record_for_order(
            &order,
            has_ended.then(|| format!("order {order} has ended but still holds {sku}")),
        );
    }
    Ok(check)
}
