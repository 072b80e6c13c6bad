//! `/v1/users/me`: what an account's owner may see and change. The owner is whoever the token names; no path or body
//! ever does.

pub(crate) mod address;
pub(crate) mod api_key;
pub(crate) mod password;
pub(crate) mod profile;
pub(crate) mod session;
