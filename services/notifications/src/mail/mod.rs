//! Mail. A mail is a row of the transaction of its event, and is sent later, at least once: whoever dies between the send
//! and the mark sends again, with the same Message-ID, by which mail programs fold the two into one. Addresses stand in one
//! table only, are looked up when a mail is sent, and are never logged.

mod letter;
mod sender;
pub(crate) mod store;
mod worker;

use serde::{Deserialize, Serialize};

pub use sender::Sender;
pub use worker::{MailWorker, count, watch};

use crate::notices::Notice;

/// What a mail says; kept until it is sent or given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) notice: Notice,
    /// With [`Notice::Welcome`], where the address is to be proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) verification_token: Option<String>,
}

/// To whom.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) locale: Option<String>,
}
