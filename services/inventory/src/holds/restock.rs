//! `RestockItems`: makes returned items available for sale again, once per return.

use std::collections::{BTreeMap, BTreeSet};

use bson::doc;
use contracts::saga::{Outcome, RestockItems};
use futures::TryStreamExt as _;

use super::{by_sku, refused};
use crate::{
    Error,
    batch::{self, Change},
    database::Database,
    outbox,
    stock::{
        Movement, MovementKind, Stock,
        store::{plus, with_entry},
    },
};

/// Maximum attempts when concurrent returns change the same SKU.
const MAX_ATTEMPTS: usize = 20;

/// Adds the returned items to the stock, each SKU once per return. All lines are sent together, so the number of round trips
/// does not depend on the number of lines. Refuses if a SKU is unknown.
pub async fn restock(db: &Database, command: &RestockItems) -> Result<Outcome, Error> {
    let items = by_sku(&command.items)?;
    let mut due: BTreeMap<&str, Movement> = items
        .iter()
        .map(|(sku, qty)| (*sku, movement_of(command, sku, *qty)))
        .collect();
    for _ in 0..MAX_ATTEMPTS {
        let stocks = stocks_of(db, &due).await?;
        if let Some(sku) = due.keys().find(|sku| !stocks.contains_key(**sku)) {
            return Ok(refused("unknown_sku", format!("{sku} was never sold here")));
        }
        // The journals are read before the ledger: an entry is removed from its journal only after it is in the ledger.
        let ids: Vec<&str> = due.values().map(|movement| movement.id.as_str()).collect();
        let ledger: Vec<Movement> = db
            .movements
            .find(doc! {"_id": {"$in": ids}})
            .await?
            .try_collect()
            .await?;
        let journals = stocks.values().flat_map(|stock| &stock.journal);
        let entered: BTreeSet<&str> = journals.chain(&ledger).map(|entry| entry.id.as_str()).collect();
        due.retain(|_, movement| !entered.contains(movement.id.as_str()));
        let changes: Result<Vec<_>, Error> = due
            .iter()
            .filter_map(|(sku, movement)| Some(addition(db, stocks.get(*sku)?, movement)))
            .collect();
        if batch::apply(db, "stock", changes?).await? == due.len() {
            return Ok(Outcome::Done);
        }
    }
    Err(Error::Contended)
}

fn movement_of(command: &RestockItems, sku: &str, qty: i64) -> Movement {
    let id = format!("{}/{sku}/restock", command.return_id);
    let mut movement = Movement::of_update(id, MovementKind::Restock, qty);
    movement.sku = Some(sku.to_owned());
    movement.order_id = Some(command.order_id.to_string());
    movement.return_id = Some(command.return_id.to_string());
    movement
}

/// Reads the stock documents of these SKUs; unknown SKUs are missing from the result.
async fn stocks_of(db: &Database, due: &BTreeMap<&str, Movement>) -> Result<BTreeMap<String, Stock>, Error> {
    let skus: Vec<&str> = due.keys().copied().collect();
    let stocks = db.stock.find(doc! {"_id": {"$in": skus}}).await?;
    Ok(stocks
        .map_ok(|stock| (stock.sku.clone(), stock))
        .try_collect()
        .await?)
}

/// Builds the update that adds the units, provided no other return of the SKU was applied since `seen` was read.
///
/// `restocked` only grows, so it serves as a version of all returns. If a duplicate of this command has added its units in
/// the meantime, even if its entry was moved to the ledger, the number differs and the update has no effect.
pub(super) fn addition(db: &Database, seen: &Stock, movement: &Movement) -> Result<Change, Error> {
    let filter = doc! {"_id": &seen.sku, "restocked": seen.restocked, "journal._id": {"$ne": &movement.id}};
    let mut stages = vec![doc! {"$set": {
        "on_hand": plus("on_hand", movement.qty),
        "available": plus("available", movement.qty),
        "restocked": plus("restocked", movement.qty),
        "rev": plus("rev", 1),
        "journal": with_entry(movement)?,
    }}];
    stages.extend(outbox::stock_changed(db, "restocked"));
    Ok(Change::pipeline(filter, stages))
}
