//! Mails that carry a token: the proof of an address, and the way to replace a forgotten password. Users decides whether
//! there is such a mail and publishes an event with the id of its token; notifications writes and sends it.

pub mod requests;
pub(crate) mod token;
