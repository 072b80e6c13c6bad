//! `/v1/users`: account administration for operators. Each change is recorded together with the operator who made it.

pub(crate) mod list_users;
pub(crate) mod patch_user;

use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{Account, Profile};

/// An account as returned to operators.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserDetails {
    #[serde(flatten)]
    profile: Profile,
    /// Whether the email address is verified.
    verified: bool,
    /// Whether the account is disabled, so that its owner cannot log in.
    disabled: bool,
}

impl From<Account> for UserDetails {
    fn from(account: Account) -> Self {
        Self {
            profile: account.profile,
            verified: account.verified,
            disabled: account.disabled,
        }
    }
}
