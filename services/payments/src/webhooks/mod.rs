//! Webhooks of the payment provider. An event confirms the outcome of an API call, or supplies it when the call's response
//! was lost. It never starts an operation, so it can never move money twice.

mod apply;
pub(crate) mod receive_webhook;
pub mod signature;
