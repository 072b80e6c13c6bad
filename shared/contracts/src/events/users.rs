//! `users.v1`. It has names and addresses of people: who may read it may read those. Passwords, sessions and keys are
//! never told. Neither are the tokens of mails, only their ids.

use uuid::Uuid;

use super::events;
use crate::UserId;

events! {
    /// What happens to an account.
    UserEvent of "users" on USERS,
    each with {
        /// Which account; the key.
        user_id: UserId,
        /// Its address for mail, in lower case.
        email: String,
        /// How to call its owner.
        name: String,
        /// Their language, BCP 47, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        locale: Option<String>,
    }
    /// Someone registered an address that was not known.
    UserRegistered = "user_registered" v 1 {
        /// The id of the token that proves that mail to the address arrives (see [`crate::MailTokens`]); absent where
        /// no proof is needed. The token is good once, for a day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verification_id: Option<Uuid>,
    }
    /// The mail with the proof of the address is to be sent (again): someone asked for it, or registered an address
    /// that was not verified yet.
    VerificationRequested = "verification_requested" v 1 {
        /// The id of the token for the mail, good once, for a day.
        verification_id: Uuid,
    }
    /// Mail to the address arrives.
    EmailVerified = "email_verified" v 1 {}
    /// The address was not verified within a week, and the account is deleted. `email` and `name` are empty: this is the
    /// last event of the account, and a compacted topic keeps the last one.
    VerificationExpired = "verification_expired" v 1 {}
    /// The mail by which a forgotten password can be replaced is to be sent.
    PasswordResetRequested = "password_reset_requested" v 1 {
        /// The id of the token for the mail, good once, for 30 minutes.
        reset_id: Uuid,
        /// Nobody asked for the mail: someone tried to register the address, which has an account.
        #[serde(default)]
        registered_again: bool,
    }
    /// Address or name are others now.
    UserChanged = "user_changed" v 1 {}
    /// The password was changed, and other sessions have ended. The owner must be notified.
    PasswordChanged = "password_changed" v 1 {}
    /// An operator closed the account.
    UserDisabled = "user_disabled" v 1 {
        /// As the operator gave it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// An operator opened the account again.
    UserEnabled = "user_enabled" v 1 {}
}
