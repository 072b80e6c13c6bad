//! `users.v1`. It has names and addresses of people: who may read it may read those. Passwords, sessions and keys are
//! never told.

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
    /// Somebody signed up.
    UserRegistered = "user_registered" v 1 {
        /// What proves that mail to the address arrives; absent where no proof is asked for. Good once, for a day, and
        /// for nothing but this proof; it belongs into the mail and nowhere else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verification_token: Option<String>,
    }
    /// Mail to the address arrives.
    EmailVerified = "email_verified" v 1 {}
    /// Nobody proved in time that mail to the address arrives, and the proof is good no more. It takes the place of the
    /// registration as the account's last event, so that the token does not stay on the topic.
    VerificationExpired = "verification_expired" v 1 {}
    /// Address or name are others now.
    UserChanged = "user_changed" v 1 {}
    /// The password is another, and all sessions have ended. The owner must hear of it.
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
