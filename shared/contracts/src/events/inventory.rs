//! `inventory.v1`.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{Money, Sku};

/// A product as the catalogue shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductFacts {
    /// Its name.
    pub name: String,
    /// The category's key.
    pub category: String,
    /// Of one.
    pub price: Money,
    /// The version that its `ETag` tells.
    pub version: i64,
}

events! {
    /// What happens to the catalogue and the stock.
    InventoryEvent of "inventory" on INVENTORY,
    each with {
        /// Which product; the key.
        sku: Sku,
    }
    /// A product is for sale.
    ProductCreated = "product_created" v 1 {
        /// As it is now.
        product: ProductFacts,
    }
    /// A product is another.
    ProductChanged = "product_changed" v 1 {
        /// As it is now.
        product: ProductFacts,
    }
    /// A product is gone from the catalogue.
    ProductDeleted = "product_deleted" v 1 {}
    /// There are more or fewer of it.
    StockChanged = "stock_changed" v 1 {
        /// `listed`, `adjusted`, `committed`, `restocked`; words may be added.
        reason: String,
        /// In the house; `available` and `held` together.
        on_hand: i64,
        /// Can be bought.
        available: i64,
        /// Set aside for checkouts.
        held: i64,
    }
}
