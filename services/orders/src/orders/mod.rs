//! Orders: placed, read, cancelled, shipped and delivered. What a checkout makes of them is in `saga/effects.rs`.

pub mod cancel_order;
pub mod deliver_order;
pub mod get_order;
pub mod get_saga;
pub mod list_orders;
pub mod place_order;
pub mod ship_order;
mod status;
pub mod store;
mod view;

pub use status::{FulfilmentStatus, OrderStatus, PaymentStatus};
pub use view::{LineView, OrderView, ReturnStatus, ReturnView, ShipmentView};
