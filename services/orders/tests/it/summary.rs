//! The summary of sales and of work in progress.

use serde_json::{Value, json};

use crate::support::{Shop, body, id, shop};

async fn summary(shop: &Shop) -> Value {
    shop.admin_get("/v1/admin/metrics-summary").await.expect(200)
}

async fn sql(shop: &Shop, sql: &'static str) {
    sqlx::query(sql).execute(shop.pool()).await.unwrap();
}

#[tokio::test]
async fn it_counts_sales_and_work_in_progress() {
    let shop = shop().await;
    let confirmed = [shop.confirmed_order().await, shop.confirmed_order().await];
    let pots = shop.post("/v1/orders", &body(&[("POT-1", 3)])).await.expect(202);
    let pots = id(&pots);
    for step in [
        "reserve_stock",
        "authorize_payment",
        "pin_stock",
        "capture_payment",
    ] {
        shop.reply_done(pots.into(), step, "do").await;
    }
    shop.reply_refused(pots.into(), "commit_stock", "do", "no_hold")
        .await;
    let declined = shop.place_order().await;
    shop.reply_done(declined.into(), "reserve_stock", "do").await;
    shop.reply_refused(declined.into(), "authorize_payment", "do", "card_declined")
        .await;
    shop.reply_done(declined.into(), "reserve_stock", "undo").await;
    for _ in 0..2 {
        let order = shop.place_order().await;
        shop.reply_refused(order.into(), "reserve_stock", "do", "out_of_stock")
            .await;
    }
    let request = json!({"lines": [{"sku": "TEA-1", "quantity": 1}], "reason": "too much"});
    let path = format!("/v1/orders/{}/returns", confirmed[0]);
    let return_id = id(&shop.post(&path, &request).await.expect(202));
    shop.reply_done(contracts::SagaId(return_id.0), "refund_payment", "do")
        .await;
    let latest = shop.place_order().await;
    sql(
        &shop,
        "UPDATE sagas SET created_at = now() - interval '90 s' WHERE status = 'running'",
    )
    .await;
    sql(&shop, "UPDATE outbox SET created_at = now() - interval '30 s'").await;

    let figures = summary(&shop).await;
    assert_eq!(figures["orders"]["total"], 7);
    let by_status = json!({"pending": 2, "confirmed": 2, "rejected": 3, "cancelled": 0, "shipped": 0, "delivered": 0,
        "returned": 0});
    assert_eq!(figures["orders"]["by_status"], by_status);
    let funnel = json!({"placed": 7, "reserved": 4, "authorized": 3, "captured": 3, "confirmed": 2});
    assert_eq!(figures["funnel"], funnel);
    let reasons = json!([{"reason": "out_of_stock", "count": 2}, {"reason": "payment_declined", "count": 1}]);
    assert_eq!(figures["rejected_by_reason"], reasons);
    let hours = figures["revenue"].as_array().unwrap();
    assert_eq!((hours.len(), &hours[0]["hour"]), (24, &figures["since"]));
    let now = &hours[23];
    let revenue = 2 * (2 * 450 + 1_200) + 3 * 3_999 - 450;
    assert_eq!(now["amount"], json!({"amount": revenue, "currency": "EUR"}));
    assert_eq!((&now["orders"], &hours[22]["orders"]), (&json!(3), &json!(0)));
    let best: Vec<_> = figures["best_sellers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|best| {
            (
                best["sku"].as_str().unwrap(),
                &best["quantity"],
                &best["revenue"]["amount"],
            )
        })
        .collect();
    let (two, three, four) = (json!(2), json!(3), json!(4));
    let (teas, pots, cups) = (json!(1_800), json!(11_997), json!(2_400));
    assert_eq!(
        best,
        [
            ("TEA-1", &four, &teas),
            ("POT-1", &three, &pots),
            ("CUP-1", &two, &cups)
        ]
    );
    assert_eq!(figures["best_sellers"][0]["name"], "A fine TEA-1");
    let sagas = &figures["sagas"];
    assert_eq!(
        (&sagas["running"], &sagas["compensating"], &sagas["parked"]),
        (&json!(2), &json!(0), &json!(1))
    );
    let age = |value: &Value| value.as_f64().unwrap();
    assert!((90.0..120.0).contains(&age(&sagas["oldest_active_age_seconds"])));
    assert_eq!(figures["outbox"]["pending"], shop.sent().await.len());
    assert!((30.0..60.0).contains(&age(&figures["outbox"]["oldest_age_seconds"])));
    assert_eq!(figures["dead_letters"], 0);
    assert_eq!(figures["latest"].as_array().unwrap().len(), 7);
    assert_eq!(figures["latest"][0], shop.get_order(latest).await);
}

#[tokio::test]
async fn old_orders_are_not_counted_and_without_orders_every_figure_is_zero() {
    let shop = shop().await;
    let empty = summary(&shop).await;
    assert_eq!(
        (
            &empty["orders"]["total"],
            &empty["orders"]["by_status"]["confirmed"]
        ),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        (&empty["revenue"], &empty["best_sellers"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(
        (
            &empty["sagas"]["oldest_active_age_seconds"],
            &empty["outbox"]["oldest_age_seconds"]
        ),
        (&json!(null), &json!(null))
    );
    for _ in 0..2 {
        shop.confirmed_order().await;
    }
    sql(&shop, "UPDATE orders SET created_at = now() - interval '2 days'").await;
    let figures = summary(&shop).await;
    assert_eq!(
        (&figures["orders"]["total"], &figures["funnel"]["placed"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(figures["revenue"], json!([]));
    assert_eq!(figures["best_sellers"][0]["quantity"], 4);
    sql(&shop, "UPDATE orders SET created_at = now() - interval '8 days'").await;
    let figures = summary(&shop).await;
    assert_eq!(figures["best_sellers"], json!([]));
    assert_eq!(figures["latest"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn only_operators_can_read_it() {
    let shop = shop().await;
    let _ = shop.get("/v1/admin/metrics-summary").await.problem(403);
}
