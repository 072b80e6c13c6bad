//! Tests every outcome of a checkout through the public API, and checks stock and payment afterwards.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use e2e::{Client, Stack, client};
use futures::future::join_all;
use serde_json::{Value, json};

struct Shop {
    stack: Stack,
    admin: Client,
    shopper: Client,
}

async fn shop() -> Shop {
    let stack = Stack::running();
    let (admin, shopper) = tokio::join!(
        Client::admin(&stack.status.gateway),
        Client::shopper(&stack.status.gateway)
    );
    Shop {
        stack,
        admin,
        shopper,
    }
}

impl Shop {
    /// Buys two items of a new product with a stock of five. Returns the settled order and the SKU.
    async fn buy(&self, payment_method: &str) -> (Value, String) {
        let sku = self.admin.product(5).await;
        let placed = self.shopper.order(&sku, 2, payment_method).await;
        assert_eq!(placed["status"], "pending");
        assert_eq!(placed["total"], json!({"amount": 2500, "currency": "EUR"}));
        (self.shopper.settled(&placed).await, sku)
    }

    async fn assert_stock(&self, sku: &str, on_hand: i64, committed: i64) {
        let stock = self.admin.stock(sku).await;
        let expected = json!([on_hand, on_hand, 0, committed]);
        assert_eq!(
            json!([
                stock["on_hand"],
                stock["available"],
                stock["held"],
                stock["committed"]
            ]),
            expected
        );
    }
}

fn steps(saga: &Value, direction: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = saga["steps"].as_array().expect("steps").iter();
    steps
        .filter(|step| step["direction"] == direction)
        .map(|step| (text(&step["name"]), text(&step["state"])))
        .collect()
}

fn names(steps: &[(String, String)], state: &str) -> Vec<String> {
    steps
        .iter()
        .filter(|(_, step_state)| step_state == state)
        .map(|(name, _)| name.clone())
        .collect()
}

async fn assert_confirmed(payment_method: &str) {
    let shop = shop().await;
    let (order, sku) = shop.buy(payment_method).await;
    assert_eq!(order["status"], "confirmed", "{order:#}");
    assert_eq!(order["payment_status"], "captured");
    assert_eq!(order["degraded"], json!([]));
    assert_eq!(order["lines"][0]["product"]["sku"], json!(sku));
    assert_eq!(order["payment"]["captured"]["amount"], 2500);
    assert_eq!(order["payment"]["authorized"]["amount"], 2500);
    let all = [
        "reserve_stock",
        "authorize_payment",
        "pin_stock",
        "capture_payment",
        "commit_stock",
        "confirm_order",
    ];
    assert_eq!(names(&steps(&order["saga"], "do"), "done"), all);
    assert!(steps(&order["saga"], "undo").is_empty(), "{:#}", order["saga"]);
    shop.assert_stock(&sku, 3, 2).await;
}

async fn assert_rejected(payment_method: &str, refused_step: &str, undone: &[&str]) {
    let shop = shop().await;
    let (order, sku) = shop.buy(payment_method).await;
    assert_eq!(
        (&order["status"], &order["reason"]),
        (&json!("rejected"), &json!("payment_declined")),
        "{order:#}"
    );
    assert_eq!(names(&steps(&order["saga"], "do"), "refused"), [refused_step]);
    assert_eq!(names(&steps(&order["saga"], "undo"), "done"), undone);
    assert_eq!(order["payment"]["captured"]["amount"], 0);
    assert!(
        ["failed", "voided"].contains(&order["payment"]["status"].as_str().expect("a status")),
        "{order:#}"
    );
    shop.assert_stock(&sku, 5, 0).await;
}

#[tokio::test]
async fn a_good_card_is_charged_and_the_order_confirmed() {
    assert_confirmed("pm_card_ok").await;
}

#[tokio::test]
async fn an_order_with_a_slow_provider_is_confirmed() {
    assert_confirmed("pm_card_slow").await;
}

#[tokio::test]
async fn requests_to_a_flaky_provider_are_retried() {
    assert_confirmed("pm_card_flaky").await;
}

#[tokio::test]
async fn a_lost_response_after_the_charge_charges_once() {
    assert_confirmed("pm_card_timeout_after_charge").await;
}

#[tokio::test]
async fn a_declined_card_releases_the_stock() {
    assert_rejected("pm_card_declined", "authorize_payment", &["reserve_stock"]).await;
}

#[tokio::test]
async fn insufficient_funds_release_the_stock() {
    assert_rejected(
        "pm_card_insufficient_funds",
        "authorize_payment",
        &["reserve_stock"],
    )
    .await;
}

#[tokio::test]
async fn a_declined_capture_is_undone_in_reverse_order() {
    let undone = ["pin_stock", "authorize_payment", "reserve_stock"];
    assert_rejected("pm_card_capture_declined", "capture_payment", &undone).await;
}

#[tokio::test]
async fn items_out_of_stock_are_not_charged() {
    let shop = shop().await;
    let sku = shop.admin.product(1).await;
    let order = shop.shopper.order(&sku, 2, "pm_card_ok").await;
    let order = shop.shopper.settled(&order).await;
    assert_eq!(
        (&order["status"], &order["reason"]),
        (&json!("rejected"), &json!("out_of_stock")),
        "{order:#}"
    );
    assert_eq!(order["payment"], Value::Null);
    shop.assert_stock(&sku, 1, 0).await;
}

#[tokio::test]
async fn a_hundred_buyers_of_ten_items_make_ten_confirmed_orders() {
    let shop = shop().await;
    let sku = shop.admin.product(10).await;
    let orders = join_all((0..100).map(|_| shop.shopper.order(&sku, 1, "pm_card_ok"))).await;
    let timeout = std::time::Duration::from_mins(3);
    let settled = join_all(
        orders
            .iter()
            .map(|order| shop.shopper.settled_within(order, timeout)),
    )
    .await;
    let confirmed = settled
        .iter()
        .filter(|order| order["status"] == "confirmed")
        .count();
    let sold_out = settled
        .iter()
        .filter(|order| order["reason"] == "out_of_stock")
        .count();
    assert_eq!((confirmed, sold_out), (10, 90));
    shop.assert_stock(&sku, 0, 10).await;
}

#[tokio::test]
async fn a_cancelled_order_releases_the_stock() {
    let shop = shop().await;
    let sku = shop.admin.product(5).await;
    // With the slow card, it takes three seconds until the order reaches the pivot.
    let order = shop.shopper.order(&sku, 2, "pm_card_slow").await;
    let path = format!("/v1/orders/{}/cancel", order["id"].as_str().expect("an id"));
    let _ = shop
        .shopper
        .post(&path, json!({"reason": "changed my mind"}))
        .await
        .expect(202);
    let order = shop.shopper.settled(&order).await;
    assert_eq!(order["status"], "cancelled", "{order:#}");
    shop.assert_stock(&sku, 5, 0).await;
    let _ = shop
        .shopper
        .post(&path, json!({"reason": "again"}))
        .await
        .problem(409);
}

#[tokio::test]
async fn the_cart_becomes_the_order_and_is_empty_afterwards() {
    let shop = shop().await;
    let sku = shop.admin.product(5).await;
    let path = format!("/v1/cart/items/{sku}");
    assert!(
        shop.shopper
            .put(&path, json!({"quantity": 2}))
            .await
            .status
            .is_success()
    );
    let cart = shop.shopper.get("/v1/cart").await.expect(200).body;
    assert_eq!(cart["items"][0]["sku"], json!(sku), "{cart:#}");
    assert_eq!(cart["items"][0]["product"]["price"]["amount"], 1250, "{cart:#}");
    assert_eq!(cart["items"][0]["availability"]["available"], 5, "{cart:#}");
    assert_eq!(
        (&cart["total"]["amount"], &cart["degraded"]),
        (&json!(2500), &json!([])),
        "{cart:#}"
    );
    let body = json!({"shipping_address": client::address(), "payment_method": "pm_card_ok"});
    let placed = shop.shopper.post("/v1/orders", body).await.expect(202).body;
    assert_eq!(shop.shopper.settled(&placed).await["status"], "confirmed");
    assert_eq!(
        shop.shopper.get("/v1/cart").await.expect(200).body["items"],
        json!([])
    );
}

#[tokio::test]
async fn availability_comes_over_grpc_and_the_account_in_one_response() {
    let shop = shop().await;
    let (order, sku) = shop.buy("pm_card_ok").await;
    let path = format!("/v1/products/{sku}/availability");
    let availability = shop.shopper.get(&path).await.expect(200).body;
    assert_eq!(
        availability,
        json!({"sku": sku, "available": 3, "in_stock": true})
    );
    let _ = shop
        .shopper
        .get("/v1/products/NO-SUCH-SKU/availability")
        .await
        .problem(404);
    let account = shop.shopper.get("/v1/account").await.expect(200).body;
    assert_eq!(account["degraded"], json!([]), "{account:#}");
    assert!(account["profile"]["email"].is_string(), "{account:#}");
    assert_eq!(account["orders"][0]["id"], order["id"], "{account:#}");
    assert_eq!(account["payments"][0]["order_id"], order["id"], "{account:#}");
}

#[tokio::test]
async fn an_api_key_authenticates_its_owner() {
    let shop = shop().await;
    let created = shop
        .shopper
        .post("/v1/users/me/api-keys", json!({"name": "a script"}))
        .await
        .expect(201)
        .body;
    let key = created["key"].as_str().expect("the key, shown once");
    let me = shop.shopper.get("/v1/users/me").await.expect(200).body;
    let anonymous = Client::anonymous(&shop.stack.status.gateway);
    let request = anonymous
        .request(reqwest::Method::GET, "/v1/users/me")
        .header("x-api-key", key);
    assert_eq!(anonymous.send(request).await.expect(200).body["id"], me["id"]);
    let request = anonymous
        .request(reqwest::Method::GET, "/v1/users/me")
        .header("x-api-key", "wrong");
    let _ = anonymous.send(request).await.problem(401);
}

#[tokio::test]
async fn a_return_of_shipped_items_is_refunded_and_restocked_when_they_arrive() {
    let shop = shop().await;
    let (order, sku) = shop.buy("pm_card_ok").await;
    let id = order["id"].as_str().expect("an id");
    for step in ["shipments", "deliveries"] {
        let response = shop
            .admin
            .post(&format!("/v1/orders/{id}/{step}"), json!({}))
            .await;
        assert!(response.status.is_success(), "{:#}", response.body);
    }
    let body = json!({"lines": [{"sku": sku, "quantity": 2}], "reason": "wrong colour"});
    let requested = shop
        .shopper
        .post(&format!("/v1/orders/{id}/returns"), body)
        .await
        .expect(202)
        .body;
    assert_eq!(requested["status"], "requested", "{requested:#}");
    let path = format!(
        "/v1/orders/{id}/returns/{}",
        requested["id"].as_str().expect("an id")
    );
    let _ = shop
        .shopper
        .post(&format!("{path}/receipt"), json!({}))
        .await
        .problem(403);
    let order = shop
        .shopper
        .get(&format!("/v1/orders/{id}"))
        .await
        .expect(200)
        .body;
    assert_eq!(order["payment_status"], "captured", "{order:#}");
    let received = shop.admin.post(&format!("{path}/receipt"), json!({})).await;
    assert_eq!(received.expect(202).body["status"], "received");
    let refusal = json!({"reason": "too late"});
    let _ = shop
        .admin
        .post(&format!("{path}/refusal"), refusal)
        .await
        .problem(409);
    let returned = shop
        .shopper
        .wait_until(id, |order| order["status"] == "returned")
        .await;
    assert_eq!(returned["payment_status"], "refunded", "{returned:#}");
    assert_eq!(returned["payment"]["refunded"]["amount"], 2500);
    let stock = shop.admin.stock(&sku).await;
    assert_eq!(
        (&stock["on_hand"], &stock["available"]),
        (&json!(5), &json!(5)),
        "{stock:#}"
    );
}

#[tokio::test]
async fn a_return_before_the_shipment_is_refunded_at_once_and_nothing_is_shipped() {
    let shop = shop().await;
    let (order, sku) = shop.buy("pm_card_ok").await;
    let id = order["id"].as_str().expect("an id");
    let body = json!({"lines": [{"sku": sku, "quantity": 2}], "reason": "changed my mind"});
    let _ = shop
        .shopper
        .post(&format!("/v1/orders/{id}/returns"), body)
        .await
        .expect(202);
    // This must fail both before and after the refund is completed.
    let shipment = format!("/v1/orders/{id}/shipments");
    let _ = shop.admin.post(&shipment, json!({})).await.problem(409);
    let returned = shop
        .shopper
        .wait_until(id, |order| order["status"] == "returned")
        .await;
    assert_eq!(
        (&returned["payment_status"], &returned["fulfilment_status"]),
        (&json!("refunded"), &json!("cancelled")),
        "{returned:#}"
    );
    let _ = shop.admin.post(&shipment, json!({})).await.problem(409);
    assert_eq!(shop.admin.stock(&sku).await["available"], 5);
}

#[tokio::test]
async fn partial_refunds_cannot_exceed_the_payment() {
    let shop = shop().await;
    let (order, _) = shop.buy("pm_card_ok").await;
    let path = format!(
        "/v1/payments/{}/refunds",
        order["payment"]["id"].as_str().expect("a payment")
    );
    let part = json!({"amount": {"amount": 1000, "currency": "EUR"}, "reason": "a scratch"});
    assert!(shop.admin.post(&path, part).await.status.is_success());
    let id = order["id"].as_str().expect("an id");
    shop.shopper
        .wait_until(id, |order| order["payment_status"] == "partially_refunded")
        .await;
    let too_much = json!({"amount": {"amount": 1501, "currency": "EUR"}, "reason": "too much"});
    let response = shop.admin.post(&path, too_much).await;
    assert!(
        [409, 422].contains(&response.status.as_u16()),
        "{:#}",
        response.body
    );
    assert!(
        shop.admin
            .post(&path, json!({"reason": "the rest"}))
            .await
            .status
            .is_success()
    );
    let order = shop
        .shopper
        .wait_until(id, |order| order["payment_status"] == "refunded")
        .await;
    assert_eq!(order["payment"]["refunded"]["amount"], 2500, "{order:#}");
}

#[tokio::test]
async fn requests_with_the_same_idempotency_key_create_one_order() {
    let shop = shop().await;
    let sku = shop.admin.product(5).await;
    let body = client::order_body(&sku, 1, "pm_card_ok");
    let key = uuid::Uuid::new_v4().to_string();
    let responses =
        join_all((0..8).map(|_| shop.shopper.post_with_key("/v1/orders", body.clone(), &key))).await;
    let accepted: Vec<_> = responses
        .iter()
        .filter(|response| response.status == 202)
        .collect();
    assert!(
        !accepted.is_empty()
            && responses
                .iter()
                .all(|response| [202, 409].contains(&response.status.as_u16()))
    );
    let retry = shop
        .shopper
        .post_with_key("/v1/orders", body, &key)
        .await
        .expect(202);
    assert!(
        accepted.iter().all(|response| response.bytes == retry.bytes),
        "the responses differ"
    );
    let other = client::order_body(&sku, 2, "pm_card_ok");
    let _ = shop
        .shopper
        .post_with_key("/v1/orders", other, &key)
        .await
        .problem(422);
    let orders = shop.shopper.get("/v1/orders").await.expect(200).body;
    assert_eq!(orders["items"].as_array().map(Vec::len), Some(1), "{orders:#}");
}

#[tokio::test]
async fn all_services_log_the_trace_id_of_the_order() {
    let shop = shop().await;
    let (order, _) = shop.buy("pm_card_ok").await;
    let trace = order["trace_id"].as_str().expect("a trace id");
    assert_eq!(order["saga"]["trace_id"], json!(trace));
    for name in ["orders", "inventory", "payments", "psp"] {
        assert!(
            shop.stack.has_logged(name, trace),
            "no log line of {name} has the trace {trace}"
        );
    }
}
