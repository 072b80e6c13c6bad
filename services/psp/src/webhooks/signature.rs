//! Signatures of webhooks: the header `Souk-Signature: t=…,v1=…` carries an HMAC-SHA256 over the time of sending and the
//! raw body, as Stripe's does.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Returns the value of the signature header for `body`, sent at `timestamp` (seconds since 1970).
pub(super) fn header(secret: &str, timestamp: i64, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(format!("{timestamp}.").as_bytes());
        mac.update(body.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    });
    // `new_from_slice` cannot fail: HMAC accepts keys of every length.
    format!("t={timestamp},v1={}", mac.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn signature_covers_time_and_body() {
        // printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        assert_eq!(
            super::header("whsec_test", 1_700_000_000, r#"{"id":"evt_1"}"#),
            "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"
        );
    }
}
