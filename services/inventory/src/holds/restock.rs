//! `RestockItems`: returned items are for sale again, once a return.

use bson::doc;
use contracts::saga::{Outcome, RestockItems};

use super::{by_sku, refused};
use crate::{
    Error,
    database::Database,
    outbox,
    stock::{
        Movement, MovementKind, Stock,
        store::{entered, plus},
    },
};

/// How often to look again when other returns of the same SKU come between.
const TRIES: usize = 20;

/// Puts the items back on the shelf.
pub async fn restock(db: &Database, command: &RestockItems) -> Result<Outcome, Error> {
    let items = by_sku(&command.items)?;
    let now = db.now().await?;
    for (sku, qty) in items {
        let id = format!("{}/{sku}/restock", command.return_id);
        let mut movement = Movement::new(id, MovementKind::Restock, qty, now);
        movement.sku = Some(sku.to_owned());
        movement.order_id = Some(command.order_id.to_string());
        movement.return_id = Some(command.return_id.to_string());
        if !put_back(db, sku, &movement).await? {
            return Ok(refused("unknown_sku", format!("{sku} was never sold here")));
        }
    }
    Ok(Outcome::Done)
}

/// Adds the units unless this return has already added them; false if there is no such SKU.
async fn put_back(db: &Database, sku: &str, movement: &Movement) -> Result<bool, Error> {
    for _ in 0..TRIES {
        let Some(seen) = db.stock.find_one(doc! {"_id": sku}).await? else {
            return Ok(false);
        };
        let entered = seen.journal.iter().any(|entry| entry.id == movement.id)
            || db.movements.find_one(doc! {"_id": &movement.id}).await?.is_some();
        if entered || add(db, &seen, movement).await? {
            return Ok(true);
        }
    }
    Err(Error::Contended)
}

/// Adds the units if no other return of the SKU came since the stock was `seen`. Whether it did.
///
/// `restocked` only grows, so it serves as the version of all returns: had a duplicate of this command added its units (and
/// even moved its entry to the ledger) between the look and this update, the number would be another and nothing happens.
pub(super) async fn add(db: &Database, seen: &Stock, movement: &Movement) -> Result<bool, Error> {
    let filter = doc! {"_id": &seen.sku, "restocked": seen.restocked, "journal._id": {"$ne": &movement.id}};
    let mut update = vec![doc! {"$set": {
        "on_hand": plus("on_hand", movement.qty),
        "available": plus("available", movement.qty),
        "restocked": plus("restocked", movement.qty),
        "rev": plus("rev", 1),
        "journal": entered(movement)?,
    }}];
    update.extend(outbox::stock_changed(db, "restocked"));
    Ok(db.stock.update_one(filter, update).await?.modified_count == 1)
}
