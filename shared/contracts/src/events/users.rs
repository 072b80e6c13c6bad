//! The events of the topic `users.v1`. They contain names and email addresses, so reading the topic requires permission
//! to read these. Passwords, sessions, keys and the tokens of emails are never published; of a token only its id is.

use uuid::Uuid;

use super::events;
use crate::UserId;

events! {
    /// An event of the users service: a change of one account, or a request to send an email about it.
    UserEvent of "users" on USERS,
    each with {
        /// The account that the event is about; also the key of the record.
        user_id: UserId,
        /// Email address of the account, in lower case.
        email: String,
        /// Display name of the account's owner.
        name: String,
        /// Preferred language as a BCP 47 tag, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        locale: Option<String>,
    }
    /// An account was registered with a new email address.
    UserRegistered = "user_registered" v 1 {
        /// Id of the token that verifies the email address (see [`crate::MailTokens`]), which can be used once within 24
        /// hours. Absent if the address needs no verification.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verification_id: Option<Uuid>,
    }
    /// The verification email must be sent (again), because it was requested, or because an address that is not verified
    /// yet was registered again.
    VerificationRequested = "verification_requested" v 1 {
        /// Id of the token for the email, which can be used once within 24 hours.
        verification_id: Uuid,
    }
    /// The owner verified the email address.
    EmailVerified = "email_verified" v 1 {}
    /// The email address was not verified within a week, and the account was deleted. `email` and `name` are empty, because
    /// this is the last event of the account, which a compacted topic keeps.
    VerificationExpired = "verification_expired" v 1 {}
    /// The email for resetting a forgotten password must be sent.
    PasswordResetRequested = "password_reset_requested" v 1 {
        /// Id of the token for the email, which can be used once within 30 minutes.
        reset_id: Uuid,
        /// True if the reset was not requested, but someone tried to register an address that already has an account.
        #[serde(default)]
        registered_again: bool,
    }
    /// The email address, the name or the language of the account changed.
    UserChanged = "user_changed" v 1 {}
    /// The password was changed and all other sessions were ended. The owner must be notified.
    PasswordChanged = "password_changed" v 1 {}
    /// An operator disabled the account.
    UserDisabled = "user_disabled" v 1 {
        /// The operator's reason, if one was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// An operator enabled the account again.
    UserEnabled = "user_enabled" v 1 {}
}
