//! What nobody waits for: holds expire, journals are copied to the ledger, the catalog learns what is in stock. Every step is
//! conditional, so any number of replicas may sweep at the same time; a crash between two steps is made good by the next sweep.

use std::time::Duration;

use bson::{DateTime, doc};
use futures::TryStreamExt as _;
use tokio_util::sync::CancellationToken;

use super::{Held, give_back};
use crate::{
    Error,
    batch::{self, Change},
    database::{self, Database},
    error::is_duplicate,
    stock::{Movement, Stock},
};

/// How often to sweep. One sweep does the work of many commands.
const PERIOD: Duration = Duration::from_secs(1);
/// Documents of one kind a sweep takes up.
const BATCH: i64 = 200;

/// What one sweep did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Holds that expired.
    pub expired: usize,
    /// Movements that were copied to the ledger.
    pub entered: usize,
    /// Products whose `in_stock` changed.
    pub listed: usize,
}

/// Sweeps until told to stop; a failure is logged and tried again at the next turn.
pub async fn run(db: Database, shutdown: CancellationToken) {
    let mut failing = false;
    let pause = || shutdown.run_until_cancelled(tokio::time::sleep(PERIOD));
    while pause().await.is_some() {
        let db = db.clone();
        match database::run_command(async move { sweep_once(&db).await }).await {
            Ok(swept) => {
                if swept.expired > 0 {
                    tracing::info!(holds = swept.expired, "holds expired");
                }
                failing = false;
            }
            // Once an outage, not once a second.
            Err(error) if !failing => {
                failing = true;
                tracing::error!(error = error.chain(), "cannot sweep");
            }
            Err(_) => {}
        }
    }
}

/// One sweep, on the database's clock.
pub async fn sweep_once(db: &Database) -> Result<Swept, Error> {
    Ok(Swept {
        expired: expire(db).await?,
        entered: enter_movements(db).await?,
        listed: publish_availability(db).await?,
    })
}

/// Gives back what was held for too long.
async fn expire(db: &Database) -> Result<usize, Error> {
    let now = db.now().await?;
    let late = doc! {"state": "held", "expires_at": {"$lte": now}};
    // The range narrows the search to an index, which not every server does for `$elemMatch`; it has two ends, because one
    // that is open below goes through documents without holds, too.
    let range = doc! {"$gte": DateTime::from_millis(0), "$lte": now};
    let stocks: Vec<Stock> = db
        .stock
        .find(doc! {"holds.expires_at": range, "holds": {"$elemMatch": &late}})
        .limit(BATCH)
        .await?
        .try_collect()
        .await?;
    let overdue = stocks.into_iter().flat_map(|Stock { sku, holds, .. }| {
        let holds = holds
            .into_iter()
            .filter(|hold| hold.expires_at.is_some_and(|at| at <= now));
        holds.map(move |hold| Held {
            sku: sku.clone(),
            hold,
        })
    });
    let overdue: Vec<_> = overdue.collect();
    // The condition is part of the update itself: a hold may have been pinned meanwhile.
    give_back(db, &overdue, &late).await
}

/// Copies the journals to the ledger and empties them, in this order: after a crash between the two the entry is found
/// in the ledger by its key.
async fn enter_movements(db: &Database) -> Result<usize, Error> {
    let stocks: Vec<Stock> = db
        .stock
        .find(doc! {"journal._id": {"$gt": ""}})
        .limit(BATCH)
        .await?
        .try_collect()
        .await?;
    let mut movements: Vec<Movement> = Vec::new();
    for Stock { sku, journal, .. } in &stocks {
        movements.extend(journal.iter().cloned().map(|entry| Movement {
            sku: Some(sku.clone()),
            ..entry
        }));
    }
    if movements.is_empty() {
        return Ok(0);
    }
    match db.movements.insert_many(&movements).ordered(false).await {
        Ok(_) => {}
        Err(error) if is_duplicate(&error) => {}
        Err(error) => return Err(error.into()),
    }
    let changes = stocks.into_iter().map(|Stock { sku, journal, .. }| {
        let entered: Vec<String> = journal.into_iter().map(|entry| entry.id).collect();
        let update = doc! {"$pull": {"journal": {"_id": {"$in": entered}}}, "$inc": {"ledgered": 1_i64}};
        Change::new(doc! {"_id": sku}, update)
    });
    batch::apply(db, "stock", changes.collect()).await?;
    Ok(movements.len())
}

/// Updates `in_stock` of the products where it is out of date. Kept in the product because lists are filtered by it, and
/// written from here because a sale must not touch the product unless it is the last unit.
async fn publish_availability(db: &Database) -> Result<usize, Error> {
    let mut listed = 0;
    for (was, filter) in [(true, doc! {"$lte": 0}), (false, doc! {"$gt": 0})] {
        let wrong = doc! {"listed": was, "available": filter};
        let stocks: Vec<Stock> = db.stock.find(wrong).limit(BATCH).await?.try_collect().await?;
        list(db, &stocks, !was).await?;
        listed += stocks.len();
    }
    Ok(listed)
}

/// The same for one SKU, whose stock was just changed: constant work, whatever else waits to be published.
pub(crate) async fn publish_availability_of(db: &Database, stock: &Stock) -> Result<(), Error> {
    let is_available = stock.available > 0;
    if stock.listed == is_available {
        return Ok(());
    }
    list(db, std::slice::from_ref(stock), is_available).await
}

/// Sets `in_stock` of the products of these stocks.
async fn list(db: &Database, stocks: &[Stock], in_stock: bool) -> Result<(), Error> {
    let products = stocks.iter().map(|Stock { sku, rev, .. }| {
        // Of two that write, the one that has seen the later document is right.
        let older = doc! {"_id": sku, "stock_rev": {"$lt": rev}};
        Change::new(older, doc! {"$set": {"in_stock": in_stock, "stock_rev": rev}})
    });
    batch::apply(db, "products", products.collect()).await?;
    let filter = if in_stock {
        doc! {"$gt": 0}
    } else {
        doc! {"$lte": 0}
    };
    let told = stocks.iter().map(|Stock { sku, .. }| {
        let unchanged = doc! {"_id": sku, "available": filter.clone()};
        Change::new(unchanged, doc! {"$set": {"listed": in_stock}})
    });
    batch::apply(db, "stock", told.collect()).await?;
    Ok(())
}
