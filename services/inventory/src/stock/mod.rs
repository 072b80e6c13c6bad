//! The stock of each SKU: its units and the holds on them. Each SKU has one document that is changed only by single
//! conditional updates, so that no transaction is needed and no unit is sold twice. [`crate::holds`] manages the holds.

pub mod adjust_stock;
pub mod get_stock;
pub mod in_flight;
pub mod store;
#[cfg(test)]
mod tests;

use bson::DateTime;
use serde::{Deserialize, Serialize};

/// The stock document of one SKU. Invariants: `on_hand = available + held`, `held` is the sum of `holds`, and
/// `on_hand + committed = received + restocked`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stock {
    /// The SKU, which is the document's key.
    #[serde(rename = "_id")]
    pub sku: String,
    /// Number of units in the warehouse.
    pub on_hand: i64,
    /// Number of units that can be reserved.
    pub available: i64,
    /// Number of units that are held for orders.
    pub held: i64,
    /// Total number of units that were sold.
    pub committed: i64,
    /// Total number of units that were returned.
    pub restocked: i64,
    /// Net number of units from the seed and from adjustments.
    pub received: i64,
    /// The orders' holds, which sum up to `held`.
    pub holds: Vec<Hold>,
    /// Movements that are not yet copied to the ledger. The update that makes a movement also writes its entry here.
    pub journal: Vec<Movement>,
    /// Whether the product was removed, so that no more units can be reserved.
    pub retired: bool,
    /// The value that was last written to the product's `in_stock`.
    pub listed: bool,
    /// Revision of the document; of two concurrent writers of `in_stock`, the one with the higher revision wins.
    pub rev: i64,
    /// Number of times that journal entries were moved to the ledger. If it is unchanged since an adjustment was found in
    /// neither the journal nor the ledger, the ledger still does not contain it.
    #[serde(default)]
    pub ledgered: i64,
}

/// The stock levels of a SKU at one moment, in units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// Number of units in the warehouse.
    pub on_hand: i64,
    /// Number of units that can be reserved.
    pub available: i64,
    /// Number of units that are held for orders.
    pub held: i64,
    /// Total number of units that were sold.
    pub committed: i64,
    /// Total number of units that were returned.
    pub restocked: i64,
}

impl Stock {
    /// A stock document for `sku` without units or holds.
    #[must_use]
    pub fn empty(sku: &str) -> Self {
        Self {
            sku: sku.to_owned(),
            on_hand: 0,
            available: 0,
            held: 0,
            committed: 0,
            restocked: 0,
            received: 0,
            holds: Vec::new(),
            journal: Vec::new(),
            retired: false,
            listed: false,
            rev: 0,
            ledgered: 0,
        }
    }

    /// The current stock levels.
    #[must_use]
    pub fn levels(&self) -> Levels {
        Levels {
            on_hand: self.on_hand,
            available: self.available,
            held: self.held,
            committed: self.committed,
            restocked: self.restocked,
        }
    }
}

/// An order's claim on units of one SKU.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hold {
    /// The document's `rev` when the hold was taken; it distinguishes this hold from a later one of the same order.
    pub id: i64,
    /// The order for which the units are held.
    pub order_id: String,
    /// Number of held units, at least 1.
    pub qty: i64,
    /// Whether the hold expires or is pinned.
    pub state: HoldState,
    /// Number of SKUs in the whole order, so that a missing hold is noticed.
    pub lines: i64,
    /// Time by the database's clock at which the hold expires; `None` while it is pinned.
    pub expires_at: Option<DateTime>,
    /// Id of the attempt that last pinned the hold, so that a failing attempt does not unpin another's holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
}

/// Whether a hold expires or is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// The hold lasts until `expires_at`.
    Held,
    /// The hold lasts until it is committed, released or unpinned, because the payment is in progress.
    Pinned,
}

/// One entry of the ledger. Its key is derived from its cause, so that it is recorded only once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Movement {
    /// The key: `{order}/{sku}/commit`, `{return}/{sku}/restock`, `{order}/close`, `{order}/release`, `seed/{sku}` or
    /// `{user}/{sku}/adjust/{Idempotency-Key}`.
    #[serde(rename = "_id")]
    pub id: String,
    /// The kind of movement.
    pub kind: MovementKind,
    /// Number of units; negative only for adjustments, and 0 for a `close`.
    pub qty: i64,
    /// Time of the movement by the database's clock.
    pub at: DateTime,
    /// SKU of the units; absent in a `close`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// The order that caused the movement, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The return that caused the movement, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_id: Option<String>,
    /// For a commit: the number of SKUs in the whole order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<i64>,
    /// For an adjustment: the user id of the administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The reason. For a `close`, this is the machine-readable reason of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reason of a `close` as a sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// For an adjustment: the SHA-256 of the request body as hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_sha256: Option<String>,
    /// For an adjustment: the levels after it, which are returned again to repeated requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Levels>,
}

impl Movement {
    /// Creates an entry for the journal of a stock document. The update that writes it sets the time.
    #[must_use]
    pub fn of_update(id: String, kind: MovementKind, qty: i64) -> Self {
        Self::new(id, kind, qty, DateTime::from_millis(0))
    }

    /// Creates an entry with only its key, kind, units and time.
    #[must_use]
    pub fn new(id: String, kind: MovementKind, qty: i64, at: DateTime) -> Self {
        Self {
            id,
            kind,
            qty,
            at,
            sku: None,
            order_id: None,
            return_id: None,
            lines: None,
            actor: None,
            reason: None,
            detail: None,
            request_sha256: None,
            levels: None,
        }
    }
}

/// The kind of a ledger entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// The seed added the first units.
    Receive,
    /// An administrator added or removed units.
    Adjust,
    /// Units were sold with an order.
    Commit,
    /// Units of an order were returned.
    Restock,
    /// The order was released or refused, so it may no longer hold units.
    Close,
}
