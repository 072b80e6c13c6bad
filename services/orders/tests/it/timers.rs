//! Silence: resends, the deadline, and who gives up what.

use serde_json::json;

use crate::support::{shop, steps};

#[tokio::test]
async fn a_command_without_an_answer_is_sent_again_under_its_id() {
    let shop = shop().await;
    let order = shop.order().await;
    assert_eq!(
        shop.orchestrator.tick().await.unwrap(),
        0,
        "nothing is due at once"
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
        "the fourth waits about 8 s, not {wait}"
    );
    shop.done(order.into(), "reserve_stock", "do").await;
    assert_eq!(shop.saga(order).await["steps"][0]["state"], "done");
    let resent = "saga_progressed";
    assert_eq!(
        shop.events(order).await,
        ["order_placed", resent, resent, resent, "stock_reserved"]
    );
    let told: Vec<serde_json::Value> =
        sqlx::query_scalar("SELECT data FROM order_events WHERE data ? 'attempt' ORDER BY id")
            .fetch_all(shop.pool())
            .await
            .unwrap();
    let attempts: Vec<_> = told
        .iter()
        .map(|data| (&data["outcome"], &data["attempt"]))
        .collect();
    let (sent, done) = (json!("sent"), json!("done"));
    let (two, three, four) = (json!(2), json!(3), json!(4));
    assert_eq!(
        attempts,
        [(&sent, &two), (&sent, &three), (&sent, &four), (&done, &four)]
    );
    assert_eq!(
        (
            &told[0]["step"],
            &told[3]["next"]["step"],
            &told[3]["saga_status"]
        ),
        (
            &json!("reserve_stock"),
            &json!("authorize_payment"),
            &json!("running")
        )
    );
}

#[tokio::test]
async fn before_the_pivot_silence_until_the_deadline_undoes_that_step_too() {
    let shop = shop().await;
    let order = shop.order().await;
    shop.done(order.into(), "reserve_stock", "do").await;
    let left: f64 =
        sqlx::query_scalar("SELECT extract(epoch FROM deadline_at - created_at)::float8 FROM sagas")
            .fetch_one(shop.pool())
            .await
            .unwrap();
    assert!((left - 120.0).abs() < 0.01);
    shop.set(order.into(), "deadline_at = now() - interval '1 ms'")
        .await;
    assert_eq!(shop.tick_when_due(order.into()).await, 1);
    // The answer comes after all, and too late.
    shop.done(order.into(), "authorize_payment", "do").await;
    shop.done(order.into(), "authorize_payment", "undo").await;
    shop.done(order.into(), "reserve_stock", "undo").await;
    let seen = shop.see(order).await;
    assert_eq!(
        (&seen["status"], &seen["reason"]),
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
async fn the_wait_before_the_pivot_ends_at_the_deadline() {
    let shop = shop().await;
    let order = shop.order().await;
    shop.set(order.into(), "attempts = 7, deadline_at = now() + interval '5 s'")
        .await;
    shop.tick_when_due(order.into()).await;
    let due: bool = sqlx::query_scalar("SELECT next_at = deadline_at FROM sagas")
        .fetch_one(shop.pool())
        .await
        .unwrap();
    assert!(due, "100 s would be past the deadline");
}

#[tokio::test]
async fn the_pivot_what_follows_and_undos_are_asked_for_whatever_the_time() {
    let shop = shop().await;
    let order = shop.order().await;
    for step in ["reserve_stock", "authorize_payment", "pin_stock"] {
        shop.done(order.into(), step, "do").await;
    }
    shop.set(order.into(), "deadline_at = now() - interval '1 hour'")
        .await;
    for step in ["capture_payment", "commit_stock"] {
        for _ in 0..10 {
            assert_eq!(shop.tick_when_due(order.into()).await, 1);
        }
        let saga = shop.saga(order).await;
        assert_eq!(saga["status"], "running");
        let asked = saga["steps"]
            .as_array()
            .unwrap()
            .iter()
            .find(|asked| asked["name"] == step)
            .unwrap()
            .clone();
        assert_eq!(
            (&asked["state"], &asked["attempts"]),
            (&json!("running"), &json!(11))
        );
        shop.done(order.into(), step, "do").await;
    }
    assert_eq!(shop.see(order).await["status"], "confirmed");
    let listed = shop
        .admin_get("/v1/admin/sagas?status=completed")
        .await
        .expect(200);
    assert_eq!(listed["items"][0]["last_error"], "no answer after 10 sendings");
    let other = shop.order().await;
    shop.done(other.into(), "reserve_stock", "do").await;
    shop.refuse(other.into(), "authorize_payment", "do", "card_declined")
        .await;
    shop.set(other.into(), "deadline_at = now() - interval '1 hour'")
        .await;
    for _ in 0..3 {
        shop.tick_when_due(other.into()).await;
    }
    shop.done(other.into(), "reserve_stock", "undo").await;
    assert_eq!(shop.saga(other).await["status"], "compensated");
}
