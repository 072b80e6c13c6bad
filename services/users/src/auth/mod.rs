//! `/v1/auth`: from an address and a password to tokens, and back to nothing.

pub(crate) mod jwks;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod mails;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod reset;
pub(crate) mod verify;
