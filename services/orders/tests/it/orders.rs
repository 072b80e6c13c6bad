//! Placing, reading, listing and cancelling orders.

use reqwest::Method;
use serde_json::json;

use crate::support::{Response, body, id, shop, steps};

#[tokio::test]
async fn a_placed_order_has_its_prices_and_can_be_read_at_its_location() {
    let shop = shop().await;
    let placed = shop
        .post("/v1/orders", &body(&[("TEA-1", 2), ("CUP-1", 1)]))
        .await;
    let location = placed.header("location").to_owned();
    let placed = placed.expect(202);
    assert_eq!(location, format!("/v1/orders/{}", id(&placed)));
    assert_eq!(shop.get(&location).await.expect(200), placed);
    insta::assert_json_snapshot!(placed, {
        ".id" => "[id]", ".user_id" => "[id]", ".payment_id" => "[id]", ".trace_id" => "[trace]",
        ".created_at" => "[time]", ".updated_at" => "[time]",
    });
    assert_eq!(shop.sent().await, ["inventory.reserve_stock.v2"]);
}

#[tokio::test]
async fn shoppers_list_their_own_orders_newest_first_by_status_and_page() {
    let shop = shop().await;
    let mut placed = vec![];
    for _ in 0..3 {
        placed.push(shop.place_order().await);
    }
    shop.reply_refused(placed[1].into(), "reserve_stock", "do", "out_of_stock")
        .await;
    let stranger = contracts::UserId::generate();
    let request = shop
        .as_user(stranger, Method::POST, "/v1/orders")
        .header("idempotency-key", "k");
    Response::of(request.json(&body(&[("POT-1", 1)])))
        .await
        .expect(202);
    let ids = |list: &serde_json::Value| {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(id)
            .collect::<Vec<_>>()
    };
    let first = shop.get("/v1/orders?limit=2").await.expect(200);
    assert_eq!(ids(&first), [placed[2], placed[1]]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let last = shop
        .get(&format!("/v1/orders?limit=2&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(
        (ids(&last), &last["next_cursor"]),
        (vec![placed[0]], &json!(null))
    );
    assert_eq!(
        ids(&shop.get("/v1/orders?status=rejected").await.expect(200)),
        [placed[1]]
    );
    assert_eq!(ids(&shop.admin_get("/v1/orders").await.expect(200)), []);
    assert_eq!(
        ids(&shop.admin_get("/v1/orders?all=true").await.expect(200)).len(),
        4
    );
    assert_eq!(
        ids(&shop
            .admin_get("/v1/orders?all=true&status=pending")
            .await
            .expect(200))
        .len(),
        3
    );
}

#[tokio::test]
async fn cancelling_an_order_undoes_the_step_in_flight_too() {
    let shop = shop().await;
    let order = shop.place_order().await;
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    let path = format!("/v1/orders/{order}/cancel");
    let cancelled = shop
        .post(&path, &json!({"reason": "changed my mind"}))
        .await
        .expect(202);
    assert_eq!(cancelled["status"], "pending");
    shop.post(&path, &json!({})).await.expect(202);
    // The authorization was in flight, so its reply is late.
    shop.reply_done(order.into(), "authorize_payment", "do").await;
    for step in ["authorize_payment", "reserve_stock"] {
        shop.reply_done(order.into(), step, "undo").await;
    }
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["reason"]),
        (&json!("cancelled"), &json!("changed my mind"))
    );
    assert_eq!(
        (&view["payment_status"], &view["fulfilment_status"]),
        (&json!("voided"), &json!("cancelled"))
    );
    let saga = shop.saga(order).await;
    let expected = [
        "do reserve_stock done",
        "do authorize_payment silent",
        "undo authorize_payment done",
        "undo reserve_stock done",
    ];
    assert_eq!(steps(&saga), expected);
    assert_eq!(
        (&saga["steps"][1]["reason"], &saga["status"]),
        (&json!("cancelled"), &json!("compensated"))
    );
    let _ = shop.post(&path, &json!({"reason": "again"})).await.problem(409);
}

#[tokio::test]
async fn an_order_cannot_be_cancelled_after_the_capture_is_sent() {
    let shop = shop().await;
    let order = shop.place_order().await;
    for step in ["reserve_stock", "authorize_payment", "pin_stock"] {
        shop.reply_done(order.into(), step, "do").await;
    }
    let path = format!("/v1/orders/{order}/cancel");
    let sent = shop.sent().await;
    let _ = shop.post(&path, &json!({})).await.problem(409);
    assert_eq!(shop.sent().await, sent);
    for step in ["capture_payment", "commit_stock"] {
        shop.reply_done(order.into(), step, "do").await;
    }
    let _ = shop.post(&path, &json!({})).await.problem(409);
    assert_eq!(shop.get_order(order).await["status"], "confirmed");
    let rejected = shop.place_order().await;
    shop.reply_done(rejected.into(), "reserve_stock", "do").await;
    shop.reply_refused(rejected.into(), "authorize_payment", "do", "card_declined")
        .await;
    let _ = shop
        .post(&format!("/v1/orders/{rejected}/cancel"), &json!({}))
        .await
        .problem(409);
}

#[tokio::test]
async fn the_database_rejects_a_transition_that_is_not_allowed() {
    let shop = shop().await;
    let order = shop.confirmed_order().await;
    for status in ["pending", "rejected", "cancelled", "delivered"] {
        let error = sqlx::query("UPDATE orders SET status = $2 WHERE id = $1")
            .bind(order.0)
            .bind(status)
            .execute(shop.pool())
            .await
            .unwrap_err();
        assert_eq!(
            error.as_database_error().unwrap().constraint(),
            Some("orders_status_edge"),
            "{status}"
        );
    }
}
