//! Replies to a checkout: how each refusal changes the order, and that replies which are not awaited change nothing.

use contracts::{SagaId, saga::Outcome};
use serde_json::json;

use crate::support::{shop, steps};

#[tokio::test]
async fn an_order_that_is_out_of_stock_is_rejected_and_not_charged() {
    let shop = shop().await;
    let order = shop.place_order().await;
    shop.reply_refused(order.into(), "reserve_stock", "do", "out_of_stock")
        .await;
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["reason"]),
        (&json!("rejected"), &json!("out_of_stock"))
    );
    assert_eq!(
        (&view["payment_status"], &view["fulfilment_status"]),
        (&json!("voided"), &json!("cancelled"))
    );
    let saga = shop.saga(order).await;
    assert_eq!(saga["status"], "compensated");
    assert_eq!(steps(&saga), ["do reserve_stock refused"]);
    assert_eq!(saga["steps"][0]["detail"], "because of out_of_stock");
    assert_eq!(saga["steps"][1]["state"], "skipped");
    assert_eq!(shop.sent().await, ["inventory.reserve_stock.v2"]);
}

#[tokio::test]
async fn every_reason_for_a_refused_payment_rejects_the_order_as_declined() {
    let shop = shop().await;
    for reason in ["card_declined", "insufficient_funds", "unknown_payment_method"] {
        let order = shop.place_order().await;
        shop.reply_done(order.into(), "reserve_stock", "do").await;
        shop.reply_refused(order.into(), "authorize_payment", "do", reason)
            .await;
        let view = shop.get_order(order).await;
        assert_eq!(
            (&view["status"], &view["payment_status"]),
            (&json!("pending"), &json!("failed"))
        );
        shop.reply_done(order.into(), "reserve_stock", "undo").await;
        let view = shop.get_order(order).await;
        assert_eq!(
            (&view["status"], &view["reason"]),
            (&json!("rejected"), &json!("payment_declined"))
        );
        assert_eq!(
            (&view["payment_status"], &view["fulfilment_status"]),
            (&json!("failed"), &json!("cancelled"))
        );
        let saga = shop.saga(order).await;
        assert_eq!(saga["steps"][1]["reason"], reason);
        let expected = [
            "do reserve_stock done",
            "do authorize_payment refused",
            "undo reserve_stock done",
        ];
        assert_eq!(steps(&saga), expected);
    }
}

#[tokio::test]
async fn an_expired_hold_rejects_the_order_with_timeout_and_voids_the_payment() {
    let shop = shop().await;
    let order = shop.place_order().await;
    for step in ["reserve_stock", "authorize_payment"] {
        shop.reply_done(order.into(), step, "do").await;
    }
    shop.reply_refused(order.into(), "pin_stock", "do", "hold_expired")
        .await;
    for step in ["authorize_payment", "reserve_stock"] {
        shop.reply_done(order.into(), step, "undo").await;
    }
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["reason"]),
        (&json!("rejected"), &json!("timeout"))
    );
    assert_eq!(view["payment_status"], "voided");
}

#[tokio::test]
async fn replies_that_are_not_awaited_change_nothing() {
    let shop = shop().await;
    let order = shop.place_order().await;
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    let before = (shop.saga(order).await, shop.sent().await);
    // Duplicates, a reply that is too early, a reply to an undo that was not sent, and one to a saga that does not exist.
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    shop.reply_refused(order.into(), "reserve_stock", "do", "out_of_stock")
        .await;
    shop.reply_done(order.into(), "capture_payment", "do").await;
    shop.reply_done(order.into(), "reserve_stock", "undo").await;
    shop.reply_done(SagaId::generate(), "reserve_stock", "do").await;
    assert_eq!((shop.saga(order).await, shop.sent().await), before);
}

#[tokio::test]
async fn ten_concurrent_copies_of_a_reply_move_the_saga_once() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let replies = (0..10).map(|_| shop.reply(order.into(), "reserve_stock", "do", Outcome::Done));
    futures::future::join_all(replies).await;
    assert_eq!(
        shop.sent().await,
        ["inventory.reserve_stock.v2", "payments.authorize_payment.v1"]
    );
    assert_eq!(shop.events(order).await, ["order_placed", "stock_reserved"]);
}

#[tokio::test]
async fn a_refusal_after_the_pivot_or_of_an_undo_parks_the_saga() {
    let shop = shop().await;
    let order = shop.place_order().await;
    for step in [
        "reserve_stock",
        "authorize_payment",
        "pin_stock",
        "capture_payment",
    ] {
        shop.reply_done(order.into(), step, "do").await;
    }
    shop.reply_refused(order.into(), "commit_stock", "do", "no_hold")
        .await;
    let saga = shop.saga(order).await;
    assert_eq!(
        (&saga["status"], &saga["parked_reason"]),
        (&json!("parked"), &json!("no_hold"))
    );
    assert_eq!(shop.get_order(order).await["status"], "pending");
    let other = shop.place_order().await;
    shop.reply_done(other.into(), "reserve_stock", "do").await;
    shop.reply_refused(other.into(), "authorize_payment", "do", "card_declined")
        .await;
    shop.reply_refused(other.into(), "reserve_stock", "undo", "no_hold")
        .await;
    assert_eq!(shop.saga(other).await["status"], "parked");
    // Timers do not move parked sagas.
    assert_eq!(shop.tick_when_due(other.into()).await, 0);
}
