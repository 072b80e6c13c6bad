//! `RestockItems`: returned items are for sale again, once a return.

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
        store::{entered, plus},
    },
};

/// How often to look again when other returns of the same SKU come between.
const TRIES: usize = 20;

/// Puts the items back on the shelf, each SKU once a return. All lines go together, so the number of round trips does not
/// depend on theirs.
pub async fn restock(db: &Database, command: &RestockItems) -> Result<Outcome, Error> {
    let items = by_sku(&command.items)?;
    let mut due: BTreeMap<&str, Movement> = items
        .iter()
        .map(|(sku, qty)| (*sku, movement_of(command, sku, *qty)))
        .collect();
    for _ in 0..TRIES {
        let seen = stocks_of(db, &due).await?;
        if let Some(sku) = due.keys().find(|sku| !seen.contains_key(**sku)) {
            return Ok(refused("unknown_sku", format!("{sku} was never sold here")));
        }
        // The journals are read first: an entry leaves its journal only once it is in the ledger.
        let ids: Vec<&str> = due.values().map(|movement| movement.id.as_str()).collect();
        let ledger: Vec<Movement> = db
            .movements
            .find(doc! {"_id": {"$in": ids}})
            .await?
            .try_collect()
            .await?;
        let journals = seen.values().flat_map(|stock| &stock.journal);
        let entered: BTreeSet<&str> = journals.chain(&ledger).map(|entry| entry.id.as_str()).collect();
        due.retain(|_, movement| !entered.contains(movement.id.as_str()));
        let changes: Result<Vec<_>, Error> = due
            .iter()
            .filter_map(|(sku, movement)| Some(addition(db, seen.get(*sku)?, movement)))
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

/// The stock of these SKUs, as far as there is any.
async fn stocks_of(db: &Database, due: &BTreeMap<&str, Movement>) -> Result<BTreeMap<String, Stock>, Error> {
    let skus: Vec<&str> = due.keys().copied().collect();
    let stocks = db.stock.find(doc! {"_id": {"$in": skus}}).await?;
    Ok(stocks
        .map_ok(|stock| (stock.sku.clone(), stock))
        .try_collect()
        .await?)
}

/// Adds the units if no other return of the SKU came since the stock was `seen`.
///
/// `restocked` only grows, so it serves as the version of all returns: had a duplicate of this command added its units (and
/// even moved its entry to the ledger) between the look and this update, the number would be another and nothing happens.
pub(super) fn addition(db: &Database, seen: &Stock, movement: &Movement) -> Result<Change, Error> {
    let filter = doc! {"_id": &seen.sku, "restocked": seen.restocked, "journal._id": {"$ne": &movement.id}};
    let mut stages = vec![doc! {"$set": {
        "on_hand": plus("on_hand", movement.qty),
        "available": plus("available", movement.qty),
        "restocked": plus("restocked", movement.qty),
        "rev": plus("rev", 1),
        "journal": entered(movement)?,
    }}];
    stages.extend(outbox::stock_changed(db, "restocked"));
    Ok(Change::pipeline(filter, stages))
}
