//! Emails that carry a token: to verify an email address, or to reset a forgotten password. This service decides whether
//! to send one and publishes an event with the id of its token; notifications writes and sends the email.

pub mod requests;
pub(crate) mod token;
