//! Replies to a checkout, one by one: what the order becomes by each refusal, and by answers that nobody awaits.

use contracts::{SagaId, saga::Outcome};
use serde_json::json;

use crate::support::{shop, steps};

#[tokio::test]
async fn what_is_out_of_stock_is_not_charged() {
    let shop = shop().await;
    let order = shop.order().await;
    shop.refuse(order.into(), "reserve_stock", "do", "out_of_stock")
        .await;
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["status"], &seen["reason"]),
        (&json!("rejected"), &json!("out_of_stock"))
    );
    assert_eq!(
        (&seen["payment_status"], &seen["fulfilment_status"]),
        (&json!("voided"), &json!("cancelled"))
    );
    let saga = shop.saga(order).await;
    assert_eq!(saga["status"], "compensated");
    assert_eq!(steps(&saga), ["do reserve_stock refused"]);
    assert_eq!(saga["steps"][0]["detail"], "because of out_of_stock");
    assert_eq!(saga["steps"][1]["state"], "skipped");
    assert_eq!(shop.sent().await, ["inventory.reserve_stock.v1"]);
}

#[tokio::test]
async fn every_word_of_a_payment_that_is_refused_means_declined() {
    let shop = shop().await;
    for word in ["card_declined", "insufficient_funds", "unknown_payment_method"] {
        let order = shop.order().await;
        shop.done(order.into(), "reserve_stock", "do").await;
        shop.refuse(order.into(), "authorize_payment", "do", word).await;
        let seen = shop.see(order).await;
        assert_eq!(
            (&seen["status"], &seen["payment_status"]),
            (&json!("pending"), &json!("failed"))
        );
        shop.done(order.into(), "reserve_stock", "undo").await;
        let seen = shop.see(order).await;
        assert_eq!(
            (&seen["status"], &seen["reason"]),
            (&json!("rejected"), &json!("payment_declined"))
        );
        assert_eq!(
            (&seen["payment_status"], &seen["fulfilment_status"]),
            (&json!("failed"), &json!("cancelled"))
        );
        let saga = shop.saga(order).await;
        assert_eq!(saga["steps"][1]["reason"], word);
        let expected = [
            "do reserve_stock done",
            "do authorize_payment refused",
            "undo reserve_stock done",
        ];
        assert_eq!(steps(&saga), expected);
    }
}

#[tokio::test]
async fn a_hold_that_expired_is_a_timeout_and_frees_the_money() {
    let shop = shop().await;
    let order = shop.order().await;
    for step in ["reserve_stock", "authorize_payment"] {
        shop.done(order.into(), step, "do").await;
    }
    shop.refuse(order.into(), "pin_stock", "do", "hold_expired").await;
    for step in ["authorize_payment", "reserve_stock"] {
        shop.done(order.into(), step, "undo").await;
    }
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["status"], &seen["reason"]),
        (&json!("rejected"), &json!("timeout"))
    );
    assert_eq!(seen["payment_status"], "voided");
}

#[tokio::test]
async fn answers_that_nobody_awaits_change_nothing() {
    let shop = shop().await;
    let order = shop.order().await;
    shop.done(order.into(), "reserve_stock", "do").await;
    let before = (shop.saga(order).await, shop.sent().await);
    // Twice, too early, of an undo that was not asked for, and of a saga that does not exist.
    shop.done(order.into(), "reserve_stock", "do").await;
    shop.refuse(order.into(), "reserve_stock", "do", "out_of_stock")
        .await;
    shop.done(order.into(), "capture_payment", "do").await;
    shop.done(order.into(), "reserve_stock", "undo").await;
    shop.done(SagaId::generate(), "reserve_stock", "do").await;
    assert_eq!((shop.saga(order).await, shop.sent().await), before);
}

#[tokio::test]
async fn one_answer_in_ten_copies_at_once_is_one_move() {
    let shop = shop().await;
    let order = shop.order().await;
    let answers = (0..10).map(|_| shop.answer(order.into(), "reserve_stock", "do", Outcome::Done));
    futures::future::join_all(answers).await;
    assert_eq!(
        shop.sent().await,
        ["inventory.reserve_stock.v1", "payments.authorize_payment.v1"]
    );
    assert_eq!(shop.events(order).await, ["order_placed", "stock_reserved"]);
}

#[tokio::test]
async fn a_refusal_after_the_pivot_or_of_an_undo_waits_for_an_operator() {
    let shop = shop().await;
    let order = shop.order().await;
    for step in [
        "reserve_stock",
        "authorize_payment",
        "pin_stock",
        "capture_payment",
    ] {
        shop.done(order.into(), step, "do").await;
    }
    shop.refuse(order.into(), "commit_stock", "do", "no_hold").await;
    let saga = shop.saga(order).await;
    assert_eq!(
        (&saga["status"], &saga["parked_reason"]),
        (&json!("parked"), &json!("no_hold"))
    );
    assert_eq!(shop.see(order).await["status"], "pending");
    let other = shop.order().await;
    shop.done(other.into(), "reserve_stock", "do").await;
    shop.refuse(other.into(), "authorize_payment", "do", "card_declined")
        .await;
    shop.refuse(other.into(), "reserve_stock", "undo", "no_hold")
        .await;
    assert_eq!(shop.saga(other).await["status"], "parked");
    // Timers leave parked sagas alone.
    assert_eq!(shop.tick_when_due(other.into()).await, 0);
}
