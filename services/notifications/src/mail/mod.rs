//! Mail. A mail is a row of the transaction of its event, and is sent later, at least once: whoever dies between the send
//! and the mark sends again, with the same Message-ID, by which mail programs fold the two into one. Addresses stand in one
//! table only, are looked up when a mail is sent, and are never logged.

mod letter;
mod sender;
pub(crate) mod store;
mod worker;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use sender::Sender;
pub use worker::{MailWorker, count, watch};

use crate::notices::Notice;

/// What a mail says; kept until it is sent or given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) notice: Notice,
    /// The id of the token in the mail's link, if it has one. The token is derived when the mail is sent, and stands in no
    /// table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_id: Option<Uuid>,
}

impl Content {
    /// How long the mail is of any use.
    fn lasts(&self) -> Duration {
        match self.notice {
            Notice::ResetPassword { .. } => Duration::from_mins(30),
            _ => Duration::MAX,
        }
    }
}

/// To whom.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) locale: Option<String>,
}
