//! `RestockItems`: returned items are for sale again, once a return.

use bson::{Bson, doc};
use contracts::saga::{Outcome, RestockItems};

use super::{by_sku, refused};
use crate::{
    Error,
    database::Database,
    stock::{Movement, MovementKind},
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
///
/// `restocked` only grows, so it serves as the version of all returns: had a duplicate of this command added its units (and
/// even moved its entry to the ledger) between the look and the update, the number would be another and nothing happens.
async fn put_back(db: &Database, sku: &str, movement: &Movement) -> Result<bool, Error> {
    let entry: Bson = bson::serialize_to_bson(movement).map_err(mongodb::error::Error::from)?;
    for _ in 0..TRIES {
        let Some(stock) = db.stock.find_one(doc! {"_id": sku}).await? else {
            return Ok(false);
        };
        if stock.journal.iter().any(|entry| entry.id == movement.id)
            || db.movements.find_one(doc! {"_id": &movement.id}).await?.is_some()
        {
            return Ok(true);
        }
        let filter = doc! {"_id": sku, "restocked": stock.restocked, "journal._id": {"$ne": &movement.id}};
        let update = doc! {
            "$inc": {"on_hand": movement.qty, "available": movement.qty, "restocked": movement.qty, "rev": 1_i64},
            "$push": {"journal": &entry},
        };
        if db.stock.update_one(filter, update).await?.modified_count == 1 {
            return Ok(true);
        }
    }
    Err(Error::Contended)
}
