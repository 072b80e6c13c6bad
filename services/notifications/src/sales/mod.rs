//! Sales figures. Individual facts from the events are stored, and totals are computed when they are requested.

pub(crate) mod get_sales;
pub(crate) mod store;
