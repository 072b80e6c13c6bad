//! The payment methods that the storefront offers.

pub(crate) mod list_payment_methods;
