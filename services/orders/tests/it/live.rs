//! Live views of orders over Server-Sent Events.

use std::time::{Duration, Instant};

use contracts::{OrderId, UserId};
use orders::live::feed::Limits;
use reqwest::Method;
use serde_json::json;
use souk_http::{Admin, database, health::Health};
use testkit::{auth::Issuer, eventually};

use crate::{
    sse::{Events, database_proxy},
    support::{Response, Shop, shop, unused_url},
};

const STEPS: [&str; 5] = [
    "reserve_stock",
    "authorize_payment",
    "pin_stock",
    "capture_payment",
    "commit_stock",
];

/// The numbers and types of an order's events, in order.
async fn log(shop: &Shop, order: OrderId) -> Vec<(i64, String)> {
    sqlx::query_as("SELECT id, type FROM order_events WHERE order_id = $1 ORDER BY id")
        .bind(order.0)
        .fetch_all(shop.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_stream_has_a_snapshot_and_then_every_change_once_and_in_order() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let mut events = shop.follow(order, None).await;
    assert_eq!(events.headers["content-type"], "text/event-stream");
    assert_eq!(events.headers["cache-control"], "no-store");
    assert_eq!(events.headers["x-accel-buffering"], "no");
    assert_eq!(events.frame().await.unwrap().retry, "1000");
    let snapshot = events.event().await;
    assert_eq!(
        (snapshot.event.as_str(), snapshot.id),
        ("snapshot", log(&shop, order).await[0].0)
    );
    assert_eq!(snapshot.data["order"], shop.get_order(order).await);
    assert_eq!(snapshot.data["saga"], shop.saga(order).await);
    let other = shop.place_order().await;
    let buying = async {
        shop.tick_when_due(order.into()).await;
        for step in STEPS {
            shop.reply_done(other.into(), step, "do").await;
            shop.reply_done(order.into(), step, "do").await;
        }
    };
    let watching = async {
        let mut changes = vec![];
        loop {
            let change = events.event().await;
            assert_eq!(change.event, "change");
            let kind = change.data["type"].as_str().unwrap().to_owned();
            changes.push(change);
            if kind == "order_confirmed" {
                return changes;
            }
        }
    };
    let ((), changes) = tokio::join!(buying, watching);
    let received: Vec<_> = changes
        .iter()
        .map(|change| (change.id, change.data["type"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(received, log(&shop, order).await[1..]);
    assert_eq!(received[0].1, "saga_progressed");
    assert_eq!(
        (
            &changes[0].data["data"]["attempt"],
            &changes[0].data["data"]["outcome"]
        ),
        (&json!(2), &json!("sent"))
    );
    let last = &changes.last().unwrap().data;
    assert_eq!(last["order"], shop.get_order(order).await);
    assert_eq!(last["saga"], shop.saga(order).await);
    assert!(last["at"].is_string());
    assert_eq!(
        (&last["data"]["attempt"], &last["data"]["next"]),
        (&json!(1), &json!(null))
    );
}

#[tokio::test]
async fn another_replica_resumes_a_stream_after_its_last_event() {
    let mut shop = shop().await;
    let order = shop.place_order().await;
    let mut events = shop.follow(order, None).await;
    assert_eq!(events.event().await.event, "snapshot");
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    let last_id = events.event().await.id;
    drop(events);
    shop.reply_done(order.into(), "authorize_payment", "do").await;
    shop.reply_done(order.into(), "pin_stock", "do").await;
    shop.switch_feed(shop.pool().clone(), Limits::default()).await;
    let mut events = shop.follow(order, Some(&last_id.to_string())).await;
    let missed = [events.event().await, events.event().await];
    let log = log(&shop, order).await;
    assert_eq!(missed.each_ref().map(|frame| frame.id), [log[2].0, log[3].0]);
    // The events were read together, so only the last one carries the state of the order.
    assert_eq!(missed[0].data.get("order"), None);
    assert_eq!(missed[1].data["saga"]["steps"][2]["state"], "done");
    shop.reply_done(order.into(), "capture_payment", "do").await;
    assert_eq!(events.event().await.data["type"], "payment_captured");
    // A stream that resumes at the newest event waits for the next one.
    let newest = self::log(&shop, order).await.last().unwrap().0;
    let mut events = shop.follow(order, Some(&newest.to_string())).await;
    shop.reply_done(order.into(), "commit_stock", "do").await;
    assert_eq!(events.event().await.data["type"], "order_confirmed");
    for last in [
        "",
        "yesterday",
        "-1",
        "9223372036854775807",
        "99999999999999999999",
    ] {
        let first = shop.follow(order, Some(last)).await.event().await;
        assert_eq!(first.event, "snapshot", "{last}");
        assert_eq!(first.data["order"]["status"], "confirmed");
    }
}

#[tokio::test]
async fn many_missed_changes_are_received_in_order() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let mut events = shop.follow(order, None).await;
    let first = events.event().await.id;
    sqlx::query(
        "INSERT INTO order_events (order_id, type, data) SELECT $1, 'saga_progressed', '{}' FROM generate_series(1, 250)",
    )
    .bind(order.0)
    .execute(shop.pool())
    .await
    .unwrap();
    let expected: Vec<i64> = log(&shop, order).await.iter().map(|(id, _)| *id).collect();
    let mut received = vec![first];
    while received.len() < expected.len() {
        received.push(events.event().await.id);
    }
    assert_eq!(received, expected);
}

#[tokio::test]
async fn the_order_of_another_user_cannot_be_followed() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let path = format!("/v1/orders/{order}/events");
    let _ = Response::of(shop.as_user(UserId::generate(), Method::GET, &path))
        .await
        .problem(404);
    let _ = Response::of(shop.request(Method::GET, &path)).await.problem(401);
    let _ = shop
        .get(&format!("/v1/orders/{}/events", OrderId::generate()))
        .await
        .problem(404);
    let _ = shop.get("/v1/orders/first/events").await.problem(404);
    let mut events = Events::of(shop.as_admin(Method::GET, &path)).await;
    assert_eq!(events.event().await.data["order"]["id"], json!(order));
}

#[tokio::test]
async fn a_stream_sends_heartbeats_and_survives_a_database_outage() {
    let mut shop = shop().await;
    let order = shop.place_order().await;
    let (url, connected) = database_proxy(&shop.database.url).await;
    let limits = Limits {
        heartbeat: Duration::from_millis(200),
        ..Limits::default()
    };
    shop.switch_feed(database::pool(&url, 2).unwrap(), limits).await;
    let mut events = shop.follow(order, None).await;
    assert_eq!(events.event().await.event, "snapshot");
    connected.send_replace(false);
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    let disconnected = Instant::now();
    while disconnected.elapsed() < Duration::from_secs(1) {
        assert_eq!(events.frame().await.unwrap().event, "");
    }
    let _ = Response::of(shop.events_of(order, None)).await.problem(503);
    connected.send_replace(true);
    let change = events.event().await;
    assert_eq!(change.data["type"], "stock_reserved");
    assert_eq!(change.data["order"], shop.get_order(order).await);
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let issued = Instant::now();
    let mut claims = Issuer::claims(shop.user, &["customer"]);
    // `exp` has whole seconds, so the token is valid for 4 to 5 seconds.
    claims["exp"] = json!(claims["iat"].as_i64().unwrap() + 5);
    let token = shop.issuer.sign(&shop.issuer.header(), &claims);
    let request = shop.request(Method::GET, &format!("/v1/orders/{order}/events"));
    let mut events = Events::of(request.bearer_auth(token)).await;
    assert_eq!(events.event().await.event, "snapshot");
    assert!(events.frame().await.is_none());
    let lived = issued.elapsed();
    assert!(
        (Duration::from_secs(4)..Duration::from_secs(10)).contains(&lived),
        "{lived:?}"
    );
}

#[tokio::test]
async fn open_streams_do_not_delay_a_shutdown() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let address = |url: String| url.trim_start_matches("http://").parse().unwrap();
    let (http, admin) = (address(unused_url().await), address(unused_url().await));
    let admin = Admin {
        addr: admin,
        health: Health::new(),
    };
    let router = orders::app::router(shop.app.clone());
    let served = tokio::spawn(souk_http::serve(router, http, None, admin, shop.stop.clone()));
    let request = || {
        reqwest::Client::new()
            .get(format!("http://{http}/v1/orders/{order}/events"))
            .bearer_auth(shop.issuer.customer(shop.user))
    };
    eventually("the server listens", Duration::from_secs(5), async || {
        request().send().await.ok()
    })
    .await;
    let mut events = Events::of(request()).await;
    assert_eq!(events.event().await.event, "snapshot");
    shop.stop.cancel();
    assert!(events.frame().await.is_none());
    let ended = tokio::time::timeout(Duration::from_secs(1), served).await;
    ended
        .expect("the server does not wait for the stream")
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn the_number_of_streams_is_limited_and_a_closed_stream_is_not_counted() {
    let mut shop = shop().await;
    let order = shop.place_order().await;
    let limits = Limits {
        streams: 1,
        heartbeat: Duration::from_millis(100),
        ..Limits::default()
    };
    shop.switch_feed(shop.pool().clone(), limits).await;
    // A request that is rejected does not count as a stream.
    let _ = shop
        .get(&format!("/v1/orders/{}/events", OrderId::generate()))
        .await
        .problem(404);
    let mut events = shop.follow(order, None).await;
    assert_eq!(events.event().await.event, "snapshot");
    let refused = Response::of(shop.events_of(order, None)).await;
    assert!(!refused.header("retry-after").is_empty());
    assert!(
        refused.problem(503)["type"]
            .as_str()
            .unwrap()
            .ends_with("/too-many-streams")
    );
    drop(events);
    eventually("another stream is accepted", Duration::from_secs(5), async || {
        let response = shop.events_of(order, None).send().await.unwrap();
        (response.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_number_of_streams_of_one_user_is_limited() {
    let mut shop = shop().await;
    let order = shop.place_order().await;
    let limits = Limits {
        streams_per_user: 2,
        ..Limits::default()
    };
    shop.switch_feed(shop.pool().clone(), limits).await;
    let first = shop.follow(order, None).await;
    let _second = shop.follow(order, None).await;
    let refused = Response::of(shop.events_of(order, None)).await;
    assert!(!refused.header("retry-after").is_empty());
    let problem = refused.problem(429);
    assert!(
        problem["type"].as_str().unwrap().ends_with("/too-many-streams"),
        "{problem:#}"
    );
    let path = format!("/v1/orders/{order}/events");
    let mut other = Events::of(shop.as_admin(Method::GET, &path)).await;
    assert_eq!(other.event().await.event, "snapshot");
    drop(first);
    eventually("another stream is accepted", Duration::from_secs(5), async || {
        let response = shop.events_of(order, None).send().await.unwrap();
        (response.status() == 200).then_some(())
    })
    .await;
}
