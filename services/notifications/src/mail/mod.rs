//! Mails. A mail is stored in the transaction of its event and is sent later, at least once: after a crash between sending
//! and recording that, it is sent again with the same Message-ID, by which mail programs recognize duplicates. Addresses are
//! stored in one table only, are read when a mail is sent, and are never logged.

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

/// The content of a mail, kept until the mail is sent or has failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) notice: Notice,
    /// Id of the token in the mail's link, if it has one. The token itself is derived when the mail is sent and never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_id: Option<Uuid>,
}

impl Content {
    /// Maximum age at which the mail is still sent. A link to reset a password expires after 30 minutes.
    fn max_age(&self) -> Duration {
        match self.notice {
            Notice::ResetPassword { .. } => Duration::from_mins(30),
            _ => Duration::MAX,
        }
    }
}

/// The recipient of a mail.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) locale: Option<String>,
}
