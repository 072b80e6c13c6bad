//! Finds free TCP ports, and checks whether a process listens on one.

use std::{
    collections::BTreeMap,
    net::{TcpListener, TcpStream},
};

use anyhow::{Result, bail};

/// First port of our range. The range is below the ephemeral ports, so that an outgoing connection cannot take the port of
/// a process that is being restarted.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("0.0.0.0", port)).is_ok()
}

/// Whether a process listens on the port.
pub(crate) fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Picks a random free port that is not in `taken`.
pub(crate) fn pick(taken: &BTreeMap<String, u16>) -> Result<u16> {
    for _ in 0..1000 {
        let port = FIRST + rand::random_range(0..COUNT);
        if !taken.values().any(|other| *other == port) && is_free(port) {
            return Ok(port);
        }
    }
    bail!(
        "there is no free port between {FIRST} and {}; stop another program",
        FIRST + COUNT
    )
}
