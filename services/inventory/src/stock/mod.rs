//! How many units of a SKU there are, and who holds them: one document a SKU, changed only by single conditional updates,
//! so that no transaction is needed and nothing is sold twice. What happens to holds is in [`crate::holds`].

pub mod adjust_stock;
pub mod get_stock;
pub mod in_flight;
pub mod store;
#[cfg(test)]
mod tests;

use bson::DateTime;
use serde::{Deserialize, Serialize};

/// The stock of one SKU. Always: `on_hand = available + held`, `held` is the sum of `holds`,
/// `on_hand + committed = received + restocked`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stock {
    /// The SKU.
    #[serde(rename = "_id")]
    pub sku: String,
    /// Units in the warehouse.
    pub on_hand: i64,
    /// Units that can be reserved.
    pub available: i64,
    /// Units that orders hold.
    pub held: i64,
    /// Units that left for good, ever.
    pub committed: i64,
    /// Units that came back, ever.
    pub restocked: i64,
    /// Units that were seeded or adjusted, ever.
    pub received: i64,
    /// Who holds the `held` units.
    pub holds: Vec<Hold>,
    /// Movements not yet copied to the ledger: an outbox inside the document, written by the very update it tells of.
    pub journal: Vec<Movement>,
    /// The product is gone; nothing more is reserved.
    pub retired: bool,
    /// What the product's `in_stock` was last told.
    pub listed: bool,
    /// Counts the updates; decides which of two tellers of `in_stock` knows better.
    pub rev: i64,
    /// Counts how often entries of the journal were moved to the ledger. An update with the number that was read knows
    /// that an entry which it found in neither of them is not in the ledger now.
    #[serde(default)]
    pub ledgered: i64,
}

/// The units of a SKU at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// In the warehouse.
    pub on_hand: i64,
    /// Can be reserved.
    pub available: i64,
    /// Held by orders.
    pub held: i64,
    /// Left for good, ever.
    pub committed: i64,
    /// Came back, ever.
    pub restocked: i64,
}

impl Stock {
    /// No units of `sku`.
    #[must_use]
    pub fn none(sku: &str) -> Self {
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

    /// How many units there are.
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
    /// The document's `rev` when it was taken: tells this hold from a later one of the same order.
    pub id: i64,
    /// Whose it is.
    pub order_id: String,
    /// Units.
    pub qty: i64,
    /// Whether it expires.
    pub state: HoldState,
    /// How many SKUs the order holds in all, so that a missing one is noticed.
    pub lines: i64,
    /// On the database's clock; none while pinned.
    pub expires_at: Option<DateTime>,
    /// The attempt that pinned it last, so that another one that fails does not undo its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
}

/// Whether a hold expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// Until `expires_at`.
    Held,
    /// Until it is committed or released, because the money moves.
    Pinned,
}

/// One entry of the ledger. Its key is made of what it tells of, so that it is entered once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Movement {
    /// `{order}/{sku}/commit`, `{return}/{sku}/restock`, `{order}/close`, `{order}/release`, `seed/{sku}`, or
    /// `{user}/{sku}/adjust/{Idempotency-Key}`.
    #[serde(rename = "_id")]
    pub id: String,
    /// What happened.
    pub kind: MovementKind,
    /// Units; negative only for an adjustment.
    pub qty: i64,
    /// When, on the database's clock.
    pub at: DateTime,
    /// Of what; a `close` has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// For which order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// By which return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_id: Option<String>,
    /// Of how many SKUs of the order, for a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<i64>,
    /// Which administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why; for a `close` the word that the order was refused with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// For an adjustment: the SHA-256 of the request's body in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_sha256: Option<String>,
    /// For an adjustment: the units after it, which its response shows again when the request is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Levels>,
}

impl Movement {
    /// An entry that an update of a stock document will write into its journal. The server sets the time.
    #[must_use]
    pub fn of_update(id: String, kind: MovementKind, qty: i64) -> Self {
        Self::new(id, kind, qty, DateTime::from_millis(0))
    }

    /// An entry with nothing but its key, its kind, its units and its time.
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

/// What an entry of the ledger tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// The first units, by the seed.
    Receive,
    /// An administrator counted anew.
    Adjust,
    /// Units left for good with an order.
    Commit,
    /// Units came back with a return.
    Restock,
    /// Nothing may be held for this order any more: released, or refused.
    Close,
}
