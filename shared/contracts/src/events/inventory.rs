//! The events of the topic `inventory.v1`: changes of the catalog and of stock levels.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{Money, Sku};

/// The catalog data of a product at the time of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductFacts {
    /// Name of the product.
    pub name: String,
    /// Key of the category that the product belongs to.
    pub category: String,
    /// Price of one item.
    pub price: Money,
    /// Version of the product, which its `ETag` also contains. Each change raises it.
    pub version: i64,
}

events! {
    /// An event of the inventory service: a change of the catalog or of a stock level.
    InventoryEvent of "inventory" on INVENTORY,
    each with {
        /// The product that the event is about; also the key of the record.
        sku: Sku,
    }
    /// A product was added to the catalog.
    ProductCreated = "product_created" v 1 {
        /// Catalog data of the new product.
        product: ProductFacts,
    }
    /// The catalog data of a product changed.
    ProductChanged = "product_changed" v 1 {
        /// The product after the change.
        product: ProductFacts,
    }
    /// A product was deleted from the catalog.
    ProductDeleted = "product_deleted" v 1 {}
    /// The stock level of a product changed.
    StockChanged = "stock_changed" v 1 {
        /// Why the level changed: `listed`, `adjusted`, `committed` or `restocked`. Further values may be added.
        reason: String,
        /// Number of items in the warehouse: `available` plus `held`.
        on_hand: i64,
        /// Number of items that can be bought.
        available: i64,
        /// Number of items that are held for checkouts.
        held: i64,
    }
}
