//! Signatures of webhooks, modelled on Stripe's: the header `Souk-Signature: t=…,v1=…` carries an HMAC-SHA256 over the time
//! of sending and the raw body. The time limits how long a recorded request can be replayed; within that limit, event ids
//! that were already processed are ignored.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use souk_config::{ExposeSecret, SecretString};

/// Name of the header that carries the signature.
pub const HEADER: &str = "souk-signature";
/// How far the time of sending may differ from our clock, in seconds.
pub const TOLERANCE: i64 = 300;

/// Why a signature is rejected. The response to the sender is the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is missing or does not have the form `t=…,v1=…`.
    #[error("the signature is missing or malformed")]
    Malformed,
    /// The time of sending differs from our clock by more than [`TOLERANCE`].
    #[error("the time of the signature is too far from the current time")]
    Stale,
    /// The signature was not made with any of our secrets.
    #[error("the signature does not match")]
    Mismatch,
}

/// Verifies that `header` signs `body` with one of `secrets`, at most [`TOLERANCE`] away from `now` (seconds since 1970).
pub fn verify(
    header: Option<&str>,
    body: &[u8],
    secrets: &[SecretString],
    now: i64,
) -> Result<(), SignatureError> {
    let (timestamp, signatures) = parse(header.unwrap_or_default()).ok_or(SignatureError::Malformed)?;
    // All combinations are checked, each in constant time, so that the duration does not reveal which one matched.
    let mut matches = false;
    for secret in secrets {
        for signature in &signatures {
            matches |= mac(secret, timestamp, body).is_some_and(|mac| mac.verify_slice(signature).is_ok());
        }
    }
    if !matches {
        return Err(SignatureError::Mismatch);
    }
    // Checked last, so that only a sender who knows the secret can cause this error.
    if now.abs_diff(timestamp) > TOLERANCE.unsigned_abs() {
        return Err(SignatureError::Stale);
    }
    Ok(())
}

/// Returns the header for `body` as the provider creates it; for tests and tools.
#[must_use]
pub fn sign(secret: &SecretString, timestamp: i64, body: &[u8]) -> String {
    let signature = mac(secret, timestamp, body).map(|mac| hex::encode(mac.finalize().into_bytes()));
    format!("t={timestamp},v1={}", signature.unwrap_or_default())
}

/// The HMAC of time and body. Never `None`, since HMAC accepts keys of every length.
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
            // Ignore schemes that may be added in the future.
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
    fn accepts_either_secret_within_the_tolerance() {
        for secret in ["new", "old"] {
            let header = sign(&secret.into(), 1000, b"body");
            assert_eq!(check(&header, b"body", 1300), Ok(()));
            assert_eq!(check(&header, b"body", 700), Ok(()));
            assert_eq!(check(&header, b"body", 1301), Err(SignatureError::Stale));
            assert_eq!(check(&header, b"body", 699), Err(SignatureError::Stale));
        }
    }

    #[test]
    fn rejects_changed_bodies_times_and_signatures() {
        let header = sign(&"new".into(), 1000, b"body");
        assert_eq!(check(&header, b"bodY", 1000), Err(SignatureError::Mismatch));
        let retimed = header.replace("t=1000", "t=1200");
        assert_eq!(check(&retimed, b"body", 1200), Err(SignatureError::Mismatch));
        let forged = sign(&"guess".into(), 1000, b"body");
        assert_eq!(check(&forged, b"body", 1000), Err(SignatureError::Mismatch));
        let both = format!("{forged},{}", header.split_once(',').unwrap().1);
        assert_eq!(check(&both, b"body", 1000), Ok(()));
    }

    #[test]
    fn rejects_malformed_headers() {
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
    fn matches_a_signature_computed_by_openssl() {
        // printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        assert_eq!(
            sign(&"whsec_test".into(), 1_700_000_000, br#"{"id":"evt_1"}"#),
            "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"
        );
    }
}
