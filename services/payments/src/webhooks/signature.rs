//! `Souk-Signature: t=…,v1=…`: HMAC-SHA256 over the time of sending and the raw body, in the manner of Stripe. The time
//! bounds how long a recorded request can be sent again; within that, the inbox of event ids does.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use souk_config::{ExposeSecret, SecretString};

/// The header.
pub const HEADER: &str = "souk-signature";
/// How old, and how far ahead of our clock, a request may be, in seconds.
pub const TOLERANCE: i64 = 300;

/// Why a request is not believed. All look the same to the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No header, or not of the form `t=…,v1=…`.
    #[error("the signature is missing or malformed")]
    Malformed,
    /// Sent too long ago, or in the future.
    #[error("the signature is too old")]
    Stale,
    /// Signed with none of our secrets.
    #[error("the signature does not match")]
    Mismatch,
}

/// Believes `body` if `header` was made with one of `secrets` within [`TOLERANCE`] of `now` (seconds since 1970).
pub fn verify(
    header: Option<&str>,
    body: &[u8],
    secrets: &[SecretString],
    now: i64,
) -> Result<(), SignatureError> {
    let (timestamp, signatures) = parse(header.unwrap_or_default()).ok_or(SignatureError::Malformed)?;
    // Every combination is computed, in constant time each.
    let mut matches = false;
    for secret in secrets {
        for signature in &signatures {
            matches |= mac(secret, timestamp, body).is_some_and(|mac| mac.verify_slice(signature).is_ok());
        }
    }
    if !matches {
        return Err(SignatureError::Mismatch);
    }
    // After the comparison: only who knows the secret learns that the clock is the trouble.
    if now.abs_diff(timestamp) > TOLERANCE.unsigned_abs() {
        return Err(SignatureError::Stale);
    }
    Ok(())
}

/// The header for `body`, as the provider makes it; for tests and tools.
#[must_use]
pub fn sign(secret: &SecretString, timestamp: i64, body: &[u8]) -> String {
    let signature = mac(secret, timestamp, body).map(|mac| hex::encode(mac.finalize().into_bytes()));
    format!("t={timestamp},v1={}", signature.unwrap_or_default())
}

/// HMAC takes keys of every length, so this is never `None`.
fn mac(secret: &SecretString, timestamp: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    Some(mac)
}

fn parse(header: &str) -> Option<(i64, Vec<Vec<u8>>)> {
    let mut timestamp = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=')? {
            ("t", value) if timestamp.is_none() => timestamp = Some(value.parse().ok()?),
            ("v1", value) if signatures.len() < 4 => signatures.push(hex::decode(value).ok()?),
            ("t" | "v1", _) => return None,
            // Schemes of the future.
            _ => {}
        }
    }
    (!signatures.is_empty()).then_some((timestamp?, signatures))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, body: &[u8], now: i64) -> Result<(), SignatureError> {
        verify(Some(header), body, &["new".into(), "old".into()], now)
    }

    #[test]
    fn believes_either_secret_within_the_tolerance() {
        for secret in ["new", "old"] {
            let header = sign(&secret.into(), 1000, b"body");
            assert_eq!(check(&header, b"body", 1300), Ok(()));
            assert_eq!(check(&header, b"body", 700), Ok(()));
            assert_eq!(check(&header, b"body", 1301), Err(SignatureError::Stale));
            assert_eq!(check(&header, b"body", 699), Err(SignatureError::Stale));
        }
    }

    #[test]
    fn believes_nothing_that_was_changed() {
        let header = sign(&"new".into(), 1000, b"body");
        assert_eq!(check(&header, b"bodY", 1000), Err(SignatureError::Mismatch));
        let moved = header.replace("t=1000", "t=1200");
        assert_eq!(check(&moved, b"body", 1200), Err(SignatureError::Mismatch));
        let forged = sign(&"guess".into(), 1000, b"body");
        assert_eq!(check(&forged, b"body", 1000), Err(SignatureError::Mismatch));
        let both = format!("{forged},{}", header.split_once(',').unwrap().1);
        assert_eq!(check(&both, b"body", 1000), Ok(()));
    }

    #[test]
    fn refuses_what_is_no_signature() {
        for header in [
            "",
            "t=1",
            "v1=00",
            "t=x,v1=00",
            "t=1,v1=zz",
            "t=1,t=2,v1=00",
            "t=1;v1=00",
        ] {
            assert_eq!(check(header, b"", 1), Err(SignatureError::Malformed), "{header}");
        }
        assert_eq!(verify(None, b"", &[], 1), Err(SignatureError::Malformed));
    }

    #[test]
    fn agrees_with_the_provider() {
        // printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        assert_eq!(
            sign(&"whsec_test".into(), 1_700_000_000, br#"{"id":"evt_1"}"#),
            "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"
        );
    }
}
