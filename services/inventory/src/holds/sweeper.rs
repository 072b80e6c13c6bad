//! Background work: expires holds, copies journal entries to the ledger, and refreshes each product's availability. Every
//! step is conditional, so several replicas may sweep concurrently, and the next sweep completes the work after a crash.

use std::time::Duration;

use bson::{DateTime, doc};
use futures::TryStreamExt as _;
use tokio_util::sync::CancellationToken;

use super::{SkuHold, release_holds};
use crate::{
    Error,
    batch::{self, Change},
    database::{self, Database},
    error::is_duplicate,
    stock::{Movement, Stock},
};

/// Pause between two sweeps.
const PERIOD: Duration = Duration::from_secs(1);
/// Maximum number of documents that a sweep processes for each kind of work.
const BATCH: i64 = 200;

/// The amount of work that one sweep did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct SweepResult {
    /// Number of holds that expired and were released.
    pub expired: usize,
    /// Number of movements that were copied to the ledger.
    pub entered: usize,
    /// Number of products whose flag `in_stock` changed.
    pub listed: usize,
}

/// Sweeps every second until `shutdown` is cancelled. A failed sweep is logged and retried in the next round.
pub async fn run(db: Database, shutdown: CancellationToken) {
    let mut failing = false;
    let pause = || shutdown.run_until_cancelled(tokio::time::sleep(PERIOD));
    while pause().await.is_some() {
        let db = db.clone();
        match database::run_command(async move { sweep_once(&db).await }).await {
            Ok(swept) => {
                if swept.expired > 0 {
                    tracing::info!(holds = swept.expired, "released expired holds");
                }
                failing = false;
            }
            // Log once per outage instead of once per second.
            Err(error) if !failing => {
                failing = true;
                tracing::error!(error = error.chain(), "the sweep failed; will retry every second");
            }
            Err(_) => {}
        }
    }
}

/// Runs one sweep, using the database's clock for expiry.
pub async fn sweep_once(db: &Database) -> Result<SweepResult, Error> {
    Ok(SweepResult {
        expired: expire(db).await?,
        entered: enter_movements(db).await?,
        listed: refresh_availability(db).await?,
    })
}

/// Releases holds whose expiry has passed.
async fn expire(db: &Database) -> Result<usize, Error> {
    let now = db.now().await?;
    let is_overdue = doc! {"state": "held", "expires_at": {"$lte": now}};
    // The range allows an index scan, which not every server does for `$elemMatch`. It has a lower bound, because otherwise
    // the scan would include documents without holds.
    let range = doc! {"$gte": DateTime::from_millis(0), "$lte": now};
    let stocks: Vec<Stock> = db
        .stock
        .find(doc! {"holds.expires_at": range, "holds": {"$elemMatch": &is_overdue}})
        .limit(BATCH)
        .await?
        .try_collect()
        .await?;
    let overdue = stocks.into_iter().flat_map(|Stock { sku, holds, .. }| {
        let holds = holds
            .into_iter()
            .filter(|hold| hold.expires_at.is_some_and(|at| at <= now));
        holds.map(move |hold| SkuHold {
            sku: sku.clone(),
            hold,
        })
    });
    let overdue: Vec<_> = overdue.collect();
    // The condition is part of the update, because a hold may have been pinned in the meantime.
    release_holds(db, &overdue, &is_overdue).await
}

/// Copies journal entries to the ledger and then removes them from the journals. If a crash occurs in between, the next
/// sweep finds the entry in the ledger by its key.
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

/// Updates `in_stock` of products where it is outdated. The flag is stored in the product because lists filter by it. It is
/// written here because a sale must not write the product except when it takes the last unit.
async fn refresh_availability(db: &Database) -> Result<usize, Error> {
    let mut listed = 0;
    for (was_listed, filter) in [(true, doc! {"$lte": 0}), (false, doc! {"$gt": 0})] {
        let is_outdated = doc! {"listed": was_listed, "available": filter};
        let stocks: Vec<Stock> = db
            .stock
            .find(is_outdated)
            .limit(BATCH)
            .await?
            .try_collect()
            .await?;
        set_in_stock(db, &stocks, !was_listed).await?;
        listed += stocks.len();
    }
    Ok(listed)
}

/// Updates `in_stock` of one product whose stock has just changed. The cost is constant, regardless of other outdated
/// products.
pub(crate) async fn refresh_availability_of(db: &Database, stock: &Stock) -> Result<(), Error> {
    let is_available = stock.available > 0;
    if stock.listed == is_available {
        return Ok(());
    }
    set_in_stock(db, std::slice::from_ref(stock), is_available).await
}

/// Sets `in_stock` of the products with these stock documents.
async fn set_in_stock(db: &Database, stocks: &[Stock], in_stock: bool) -> Result<(), Error> {
    let products = stocks.iter().map(|Stock { sku, rev, .. }| {
        // Of two concurrent writers, the one that read the newer stock document wins.
        let older = doc! {"_id": sku, "stock_rev": {"$lt": rev}};
        Change::new(older, doc! {"$set": {"in_stock": in_stock, "stock_rev": rev}})
    });
    batch::apply(db, "products", products.collect()).await?;
    let filter = if in_stock {
        doc! {"$gt": 0}
    } else {
        doc! {"$lte": 0}
    };
    let listings = stocks.iter().map(|Stock { sku, .. }| {
        let unchanged = doc! {"_id": sku, "available": filter.clone()};
        Change::new(unchanged, doc! {"$set": {"listed": in_stock}})
    });
    batch::apply(db, "stock", listings.collect()).await?;
    Ok(())
}
