//! The provider's API: the outcome of each magic payment method, and idempotency keys.

use std::time::{Duration, Instant};

use super::support::Api;
use serde_json::json;

#[tokio::test]
async fn authorize_capture_and_refund_are_recorded_as_balance_transactions() {
    let api = Api::start().await;
    let intent = api.authorize("a1", "pm_card_ok").await.ok();
    assert_eq!(
        (intent["status"].as_str(), intent["amount"].as_i64()),
        (Some("requires_capture"), Some(1000))
    );
    let id = intent["id"].as_str().unwrap();
    let captured = api
        .post(&format!("/v1/payment_intents/{id}/capture"), "c1", &json!({}))
        .await
        .ok();
    assert_eq!(
        (captured["status"].as_str(), captured["amount_captured"].as_i64()),
        (Some("succeeded"), Some(1000))
    );
    let refund = json!({"payment_intent": id, "amount": 400, "metadata": {"refund_id": "r1"}});
    assert_eq!(
        api.post("/v1/refunds", "r1", &refund).await.ok()["status"],
        "succeeded"
    );
    let too_much = json!({"payment_intent": id, "amount": 601});
    assert_eq!(
        api.post("/v1/refunds", "r2", &too_much).await.error(400),
        "amount_too_large"
    );
    let cancel = api
        .post(&format!("/v1/payment_intents/{id}/cancel"), "v1", &json!({}))
        .await;
    assert_eq!(cancel.body["error"]["payment_intent"]["status"], "succeeded");
    assert_eq!(cancel.error(400), "payment_intent_unexpected_state");

    let first_page = api.get("/v1/balance_transactions?limit=1").await.ok();
    assert_eq!(
        (
            first_page["data"][0]["amount"].as_i64(),
            first_page["has_more"].as_bool()
        ),
        (Some(1000), Some(true))
    );
    let last_id = first_page["data"][0]["id"].as_str().unwrap();
    let second_page = api
        .get(&format!("/v1/balance_transactions?starting_after={last_id}"))
        .await
        .ok();
    assert_eq!(
        (
            second_page["data"][0]["amount"].as_i64(),
            second_page["has_more"].as_bool()
        ),
        (Some(-400), Some(false))
    );
    assert_eq!(second_page["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_idempotency_key_has_one_effect_and_one_response() {
    let api = Api::start().await;
    let calls = (0..8).map(|_| api.authorize("same", "pm_card_ok"));
    let responses = futures::future::join_all(calls).await;
    let mut ids: Vec<_> = responses
        .iter()
        .filter(|response| response.status != 409)
        .map(|response| response.body["id"].to_string())
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{responses:?}");
    assert_eq!(api.count("payment_intents").await, 1);
    let other_request =
        json!({"amount": 1, "currency": "EUR", "payment_method": "pm_card_ok", "capture_method": "manual"});
    let reused = api.post("/v1/payment_intents", "same", &other_request).await;
    assert_eq!(reused.error(400), "idempotency_key_reused");

    let declined = api.authorize("declined", "pm_card_declined").await;
    let again = api.authorize("declined", "pm_card_declined").await;
    assert_eq!((declined.status, &declined.body), (again.status, &again.body));
}

#[tokio::test]
async fn magic_cards_are_declined_at_the_expected_step() {
    let api = Api::start().await;
    let declined = api.authorize("1", "pm_card_declined").await;
    assert_eq!(declined.body["error"]["type"], "card_error");
    assert_eq!(declined.error(402), "card_declined");
    let insufficient = api.authorize("2", "pm_card_insufficient_funds").await;
    assert_eq!(insufficient.body["error"]["decline_code"], "insufficient_funds");
    assert_eq!(
        api.authorize("3", "pm_card_unknown").await.error(400),
        "resource_missing"
    );
    let id = api.authorize("4", "pm_card_capture_declined").await.ok()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let capture = api
        .post(&format!("/v1/payment_intents/{id}/capture"), "5", &json!({}))
        .await;
    assert_eq!(capture.error(402), "capture_declined");
    let canceled = api
        .post(&format!("/v1/payment_intents/{id}/cancel"), "6", &json!({}))
        .await
        .ok();
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(api.count("balance_transactions").await, 0);
}

#[tokio::test]
async fn a_flaky_card_fails_twice_and_a_slow_card_takes_three_seconds() {
    let api = Api::start().await;
    for expected in [500, 500, 200, 200] {
        assert_eq!(api.authorize("flaky", "pm_card_flaky").await.status, expected);
    }
    assert_eq!(api.count("payment_intents").await, 1);
    let started = Instant::now();
    api.authorize("slow", "pm_card_slow").await.ok();
    assert!(started.elapsed() >= Duration::from_secs(3));
    let started = Instant::now();
    api.authorize("slow", "pm_card_slow").await.ok();
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "a recorded response is replayed without delay"
    );
}

#[tokio::test]
async fn a_retry_after_a_lost_capture_response_charges_once() {
    let api = Api::start().await;
    let id = api.authorize("1", "pm_card_timeout_after_charge").await.ok()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/payment_intents/{id}/capture");
    let timeout = Duration::from_secs(1);
    assert!(
        tokio::time::timeout(timeout, api.post(&path, "c", &json!({})))
            .await
            .is_err()
    );
    let captured = tokio::time::timeout(timeout, api.post(&path, "c", &json!({})))
        .await
        .expect("recorded");
    assert_eq!(captured.ok()["status"], "succeeded");
    assert_eq!(api.count("balance_transactions").await, 1);
}

#[tokio::test]
async fn rejects_wrong_api_keys_and_invalid_requests() {
    let api = Api::start().await;
    for key in [None, Some("sk_wrong")] {
        assert_eq!(
            api.get_with("/v1/balance_transactions", key).await.error(401),
            "api_key_invalid"
        );
    }
    assert_eq!(
        api.get("/v1/payment_intents/pi_none").await.error(404),
        "resource_missing"
    );
    for bad in [
        json!({"amount": 0, "currency": "EUR", "payment_method": "pm_card_ok", "capture_method": "manual"}),
        json!({"amount": 1, "currency": "eur", "payment_method": "pm_card_ok", "capture_method": "manual"}),
        json!({"amount": 1, "currency": "EUR", "payment_method": "pm_card_ok", "capture_method": "automatic"}),
        json!({"amount": 1, "currency": "EUR", "payment_method": "pm_card_ok", "capture_method": "manual", "x": 1}),
    ] {
        assert_eq!(
            api.post("/v1/payment_intents", "bad", &bad).await.error(400),
            "parameter_invalid",
            "{bad}"
        );
    }
}
