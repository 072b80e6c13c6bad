//! Tests of the interpretation of error responses.

use super::*;

fn error(code: &str, decline: Option<&str>, state: Option<&str>) -> ErrorDetail {
    let intent = state.map(|state| serde_json::json!({"id": "pi_1", "status": state}));
    serde_json::from_value(serde_json::json!({
        "code": code, "message": "no", "decline_code": decline, "payment_intent": intent,
    }))
    .unwrap()
}

/// `succeeded`, the code of the refusal, or `unknown` without a final outcome.
fn outcome_name(result: Result<ProviderOutcome, ProviderError>) -> String {
    match result {
        Ok(ProviderOutcome::Succeeded { .. }) => "succeeded".into(),
        Ok(ProviderOutcome::Refused(failure)) => failure.code,
        Err(_) => "unknown".into(),
    }
}

#[test]
fn only_business_refusals_count_as_refused() {
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
        (
            Capture,
            400,
            error(unexpected, None, Some("succeeded")),
            "succeeded",
        ),
        (
            Capture,
            400,
            error(unexpected, None, Some("canceled")),
            "not_authorized",
        ),
        (Void, 400, error(unexpected, None, Some("canceled")), "succeeded"),
        (Void, 400, error(unexpected, None, Some("succeeded")), "unknown"),
        (Authorize, 401, error("api_key_invalid", None, None), "unknown"),
        (Void, 402, error("card_declined", None, None), "unknown"),
        (Capture, 404, error("resource_missing", None, None), "unknown"),
    ] {
        assert_eq!(
            outcome_name(interpret_error(operation, status, error)),
            expected,
            "{operation:?} {status}"
        );
    }
}

#[test]
fn conflicts_rate_limits_and_server_errors_are_not_final() {
    for status in [409, 429, 500, 503] {
        assert!(wire::parse_response(status, b"{}").is_err(), "{status}");
    }
    assert!(wire::parse_response(200, b"not json").is_err());
}
