//! Missing replies: resends, the deadline, and when a saga is given up.

use serde_json::json;

use crate::support::{shop, steps};

#[tokio::test]
async fn a_command_without_a_reply_is_resent_with_the_same_id() {
    let shop = shop().await;
    let order = shop.place_order().await;
    assert_eq!(
        shop.orchestrator.tick().await.unwrap(),
        0,
        "nothing is due immediately"
    );
    for _ in 0..3 {
        assert_eq!(shop.tick_when_due(order.into()).await, 1);
    }
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT message_id FROM outbox")
        .fetch_all(shop.pool())
        .await
        .unwrap();
    assert_eq!(ids.len(), 4);
    assert!(ids.iter().all(|id| *id == ids[0]));
    let saga = shop.saga(order).await;
    assert_eq!(
        (&saga["steps"][0]["attempts"], &saga["steps"][0]["state"]),
        (&json!(4), &json!("running"))
    );
    let wait: f64 = sqlx::query_scalar("SELECT extract(epoch FROM next_at - now())::float8 FROM sagas")
        .fetch_one(shop.pool())
        .await
        .unwrap();
    assert!(
        (5.0..=9.7).contains(&wait),
        "the wait after the fourth attempt is about 8 s, not {wait}"
    );
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    assert_eq!(shop.saga(order).await["steps"][0]["state"], "done");
    let resent = "saga_progressed";
    assert_eq!(
        shop.events(order).await,
        ["order_placed", resent, resent, resent, "stock_reserved"]
    );
    let data: Vec<serde_json::Value> =
        sqlx::query_scalar("SELECT data FROM order_events WHERE data ? 'attempt' ORDER BY id")
            .fetch_all(shop.pool())
            .await
            .unwrap();
    let attempts: Vec<_> = data
        .iter()
        .map(|entry| (&entry["outcome"], &entry["attempt"]))
        .collect();
    let (sent, done) = (json!("sent"), json!("done"));
    let (two, three, four) = (json!(2), json!(3), json!(4));
    assert_eq!(
        attempts,
        [(&sent, &two), (&sent, &three), (&sent, &four), (&done, &four)]
    );
    assert_eq!(
        (
            &data[0]["step"],
            &data[3]["next"]["step"],
            &data[3]["saga_status"]
        ),
        (
            &json!("reserve_stock"),
            &json!("authorize_payment"),
            &json!("running")
        )
    );
}

#[tokio::test]
async fn before_the_pivot_a_step_without_a_reply_until_the_deadline_is_undone_too() {
    let shop = shop().await;
    let order = shop.place_order().await;
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    let seconds: f64 =
        sqlx::query_scalar("SELECT extract(epoch FROM deadline_at - created_at)::float8 FROM sagas")
            .fetch_one(shop.pool())
            .await
            .unwrap();
    assert!((seconds - 120.0).abs() < 0.01);
    shop.update_saga(order.into(), "deadline_at = now() - interval '1 ms'")
        .await;
    assert_eq!(shop.tick_when_due(order.into()).await, 1);
    // The reply arrives after all, but too late.
    shop.reply_done(order.into(), "authorize_payment", "do").await;
    shop.reply_done(order.into(), "authorize_payment", "undo").await;
    shop.reply_done(order.into(), "reserve_stock", "undo").await;
    let view = shop.get_order(order).await;
    assert_eq!(
        (&view["status"], &view["reason"]),
        (&json!("rejected"), &json!("timeout"))
    );
    let expected = [
        "do reserve_stock done",
        "do authorize_payment silent",
        "undo authorize_payment done",
        "undo reserve_stock done",
    ];
    assert_eq!(steps(&shop.saga(order).await), expected);
}

#[tokio::test]
async fn before_the_pivot_no_wait_is_longer_than_the_deadline() {
    let shop = shop().await;
    let order = shop.place_order().await;
    shop.update_saga(order.into(), "attempts = 7, deadline_at = now() + interval '5 s'")
        .await;
    shop.tick_when_due(order.into()).await;
    let due: bool = sqlx::query_scalar("SELECT next_at = deadline_at FROM sagas")
        .fetch_one(shop.pool())
        .await
        .unwrap();
    assert!(due, "a wait of 100 s would end after the deadline");
}

#[tokio::test]
async fn the_pivot_later_steps_and_undos_are_resent_after_the_deadline_too() {
    let shop = shop().await;
    let order = shop.place_order().await;
    for step in ["reserve_stock", "authorize_payment", "pin_stock"] {
        shop.reply_done(order.into(), step, "do").await;
    }
    shop.update_saga(order.into(), "deadline_at = now() - interval '1 hour'")
        .await;
    for step in ["capture_payment", "commit_stock"] {
        for _ in 0..10 {
            assert_eq!(shop.tick_when_due(order.into()).await, 1);
        }
        let saga = shop.saga(order).await;
        assert_eq!(saga["status"], "running");
        let view = saga["steps"]
            .as_array()
            .unwrap()
            .iter()
            .find(|view| view["name"] == step)
            .unwrap()
            .clone();
        assert_eq!(
            (&view["state"], &view["attempts"]),
            (&json!("running"), &json!(11))
        );
        shop.reply_done(order.into(), step, "do").await;
    }
    assert_eq!(shop.get_order(order).await["status"], "confirmed");
    let listed = shop
        .admin_get("/v1/admin/sagas?status=completed")
        .await
        .expect(200);
    assert_eq!(listed["items"][0]["last_error"], "no reply after 10 attempts");
    let other = shop.place_order().await;
    shop.reply_done(other.into(), "reserve_stock", "do").await;
    shop.reply_refused(other.into(), "authorize_payment", "do", "card_declined")
        .await;
    shop.update_saga(other.into(), "deadline_at = now() - interval '1 hour'")
        .await;
    for _ in 0..3 {
        shop.tick_when_due(other.into()).await;
    }
    shop.reply_done(other.into(), "reserve_stock", "undo").await;
    assert_eq!(shop.saga(other).await["status"], "compensated");
}
