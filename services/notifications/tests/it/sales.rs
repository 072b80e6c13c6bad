//! Sales figures for administrators.

use chrono::TimeDelta;
use contracts::{OrderId, UserId};
use serde_json::{Value, json};

use crate::support::{Log, World, now};

#[tokio::test]
async fn figures_are_totals_of_the_consumed_events() {
    let world = World::start().await;
    // Every event occurred in the same hour, two hours ago.
    let age = TimeDelta::hours(2);
    let mut log = Log {
        age,
        ..Log::default()
    };
    let (ada, bob, order) = (UserId::generate(), UserId::generate(), OrderId::generate());
    let mut events = log.purchase(ada, order);
    events.extend(log.purchase(bob, OrderId::generate()));
    events.truncate(8 + 5);
    events.extend(log.rejected(bob, OrderId::generate(), "timeout"));
    events.extend(log.rejected(bob, OrderId::generate(), "out_of_stock"));
    events.extend(log.rejected(ada, OrderId::generate(), "timeout"));
    events.push(log.refunded(ada, order));
    let at = (now() - age).format("%Y-%m-%dT%H:00:30Z").to_string();
    for event in &mut events {
        event.occurred_at = at.parse().unwrap();
    }
    events.extend(log.renamed());
    world.consume(&events).await;
    // An order outside the default time span.
    let mut old = Log {
        age: TimeDelta::days(100),
        ..Log::default()
    };
    world.consume(&old.purchase(ada, OrderId::generate())).await;

    let token = world.issuer.admin();
    let (status, sales) = world.get("/v1/admin/sales", &token).await;
    assert_eq!(status, 200, "{sales}");
    insta::assert_json_snapshot!(sales, {".from" => "[time]", ".to" => "[time]", ".hours[].begins_at" => "[hour]"});
    // The end of the time span is exclusive, and its start is inclusive.
    let hour = at.replace(":30Z", ":00Z");
    let (_, before) = world.get(&format!("/v1/admin/sales?to={hour}"), &token).await;
    assert_eq!(
        (&before["hours"], &before["rejections"]),
        (&json!([]), &json!([]))
    );
    let (_, since) = world.get(&format!("/v1/admin/sales?from={at}"), &token).await;
    assert_eq!(since["hours"], sales["hours"]);
    assert_eq!(since["hours"][0]["begins_at"], Value::from(hour));
}

#[tokio::test]
async fn figures_require_an_administrator_and_a_valid_time_span() {
    let world = World::start().await;
    let shopper = world.issuer.customer(UserId::generate());
    assert_eq!(world.get("/v1/admin/sales", &shopper).await.0, 403);
    assert_eq!(world.get("/v1/admin/sales", "no-token").await.0, 401);
    let admin = world.issuer.admin();
    for bad in [
        "from=yesterday",
        "from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=-200000-01-01T00:00:00Z&to=-200000-01-02T00:00:00Z",
        "colour=red",
    ] {
        let (status, problem) = world.get(&format!("/v1/admin/sales?{bad}"), &admin).await;
        assert_eq!(status, 422, "{bad}: {problem}");
    }
    let (status, empty) = world.get("/v1/admin/sales?to=2026-01-01T00:00:00Z", &admin).await;
    assert_eq!(status, 200);
    assert_eq!(empty["from"], json!("2025-12-25T00:00:00Z"));
    assert_eq!(empty["funnel"][0], json!({"step": "placed", "orders": 0}));
}
