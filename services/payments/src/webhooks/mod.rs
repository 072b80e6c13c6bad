//! The provider's events. A webhook confirms what the API call said, or settles what the lost answer of one left open.
//! It never starts anything, and so never moves money twice.

mod apply;
pub(crate) mod receive;
pub mod signature;
