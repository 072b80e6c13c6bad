//! Mutual TLS between the processes of Souk: each has a certificate from the same private CA, and both sides of a
//! connection verify the name in the certificate of the other one. Files are read again when they change, so
//! certificates are renewed without a restart. The crate must never log or return the content of a key.

mod authority;
mod client;
mod files;
mod server;
mod settings;
mod watched;

pub use authority::{Authority, private_folder, replace_file};
pub use client::{Connector, Protocol, is_name};
pub use files::{Files, certified_key};
pub use server::{Acceptor, TlsStream};
pub use settings::Settings;
pub use watched::{Reader, Watched};
