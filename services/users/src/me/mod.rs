//! `/v1/users/me`: what owners can read and change in their own account. The account is always that of the access token,
//! never one named in a path or body.

pub(crate) mod address;
pub(crate) mod api_key;
pub(crate) mod password;
pub(crate) mod profile;
pub(crate) mod session;
