//! The shopper's cart: SKUs and quantities, nothing else. Names, prices and stock are inventory's and change; the gateway
//! joins them for display.

pub mod clear_cart;
pub mod get_cart;
pub mod put_item;
pub mod remove_item;
pub mod store;

use contracts::OrderItem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Lines of a cart, and of an order, at most.
pub const MAX_LINES: usize = 50;

/// What a shopper means to buy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Cart)]
pub struct CartView {
    /// Each SKU once, by SKU.
    pub items: Vec<OrderItem>,
}
