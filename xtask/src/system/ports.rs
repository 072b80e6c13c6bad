//! Free ports.

use std::{collections::BTreeMap, net::TcpListener};

use anyhow::{Result, bail};

use super::random;

/// Below the ports that the kernel gives to outgoing connections: one of those could take a port while its process is
/// down for a moment.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("0.0.0.0", port)).is_ok()
}

/// A free port that is none of `taken`.
pub(crate) fn pick(taken: &BTreeMap<String, u16>) -> Result<u16> {
    for _ in 0..1000 {
        let port = FIRST + random::below(COUNT)?;
        if !taken.values().any(|other| *other == port) && is_free(port) {
            return Ok(port);
        }
    }
    bail!(
        "there is no free port between {FIRST} and {}; stop something",
        FIRST + COUNT
    )
}
