//! Live views of orders: Server-Sent Events, read from the table `order_events`. A stream has no state outside the database,
//! so any replica can continue a stream that another one started. This module only reads.

pub mod feed;
mod read;
pub mod stream_order_events;

pub use feed::Feed;
pub use read::{OrderChange, OrderSnapshot};
