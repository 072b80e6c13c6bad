//! How sales go, as the events tell it. Facts are kept, and sums are made when they are asked for.

pub(crate) mod get;
pub(crate) mod store;
