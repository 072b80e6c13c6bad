//! The shopper's cart. It stores only SKUs and quantities: names, prices and stock belong to inventory and change, and the
//! gateway adds them for display.

pub mod clear_cart;
pub mod get_cart;
pub mod put_item;
pub mod remove_item;
pub mod store;

use contracts::OrderItem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Maximum number of lines in a cart, and in an order.
pub const MAX_LINES: usize = 50;

/// The items that a shopper intends to order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Cart)]
pub struct CartView {
    /// The lines of the cart, sorted by SKU. Each SKU occurs once.
    #[schema(max_items = 50)]
    pub items: Vec<OrderItem>,
}
