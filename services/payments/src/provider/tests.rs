//! What the provider's errors are taken for.

use super::*;

fn error(code: &str, decline: Option<&str>, state: Option<&str>) -> ErrorDetail {
    let intent = state.map(|state| serde_json::json!({"id": "pi_1", "status": state}));
    serde_json::from_value(serde_json::json!({
        "code": code, "message": "no", "decline_code": decline, "payment_intent": intent,
    }))
    .unwrap()
}

fn code(said: Result<Said, ProviderError>) -> String {
    match said {
        Ok(Said::Yes { .. }) => "yes".into(),
        Ok(Said::No(failure)) => failure.code,
        Err(_) => "unknown".into(),
    }
}

#[test]
fn only_a_business_no_is_taken_for_one() {
    use Operation::{Authorize, Capture, Void};
    let unexpected = "payment_intent_unexpected_state";
    for (operation, status, error, expected) in [
        (
            Authorize,
            402,
            error("card_declined", None, None),
            "card_declined",
        ),
        (
            Authorize,
            402,
            error("card_declined", Some("insufficient_funds"), None),
            "insufficient_funds",
        ),
        (
            Authorize,
            400,
            error("resource_missing", None, None),
            "unknown_payment_method",
        ),
        (
            Capture,
            402,
            error("capture_declined", None, None),
            "capture_declined",
        ),
        (Capture, 400, error(unexpected, None, Some("succeeded")), "yes"),
        (
            Capture,
            400,
            error(unexpected, None, Some("canceled")),
            "not_authorized",
        ),
        (Void, 400, error(unexpected, None, Some("canceled")), "yes"),
        (Void, 400, error(unexpected, None, Some("succeeded")), "unknown"),
        (Authorize, 401, error("api_key_invalid", None, None), "unknown"),
        (Void, 402, error("card_declined", None, None), "unknown"),
        (Capture, 404, error("resource_missing", None, None), "unknown"),
    ] {
        assert_eq!(
            code(meaning(operation, status, error)),
            expected,
            "{operation:?} {status}"
        );
    }
}

#[test]
fn a_conflict_a_limit_and_a_fault_are_no_answers() {
    for status in [409, 429, 500, 503] {
        assert!(wire::read(status, b"{}").is_err(), "{status}");
    }
    assert!(wire::read(200, b"not json").is_err());
}
