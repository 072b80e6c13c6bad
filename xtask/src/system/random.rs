//! Secrets.

use std::io::Read as _;

use anyhow::{Context as _, Result};

/// 192 random bits.
pub(crate) fn hex() -> Result<String> {
    use std::fmt::Write as _;
    let mut bytes = [0; 24];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("/dev/urandom")?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Any number below `limit`.
pub(crate) fn below(limit: u16) -> Result<u16> {
    let text = hex()?;
    Ok(u16::from_str_radix(&text[..4], 16)? % limit)
}
