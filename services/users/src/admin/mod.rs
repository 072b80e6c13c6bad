//! `/v1/users`: what operators may see and change. Each change is recorded with who made it.

pub(crate) mod list_users;
pub(crate) mod patch_user;

use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{Account, Profile};

/// An account as an operator sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserDetails {
    #[serde(flatten)]
    profile: Profile,
    /// Whether its address is confirmed.
    verified: bool,
    /// Whether it is kept from logging in.
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
