//! An order as it happens, over Server-Sent Events.

use std::time::{Duration, Instant};

use contracts::{OrderId, UserId};
use orders::live::feed::Limits;
use reqwest::Method;
use serde_json::json;
use souk_http::{Admin, database, health::Health};
use testkit::{auth::Issuer, eventually};

use crate::{
    sse::{Events, wire},
    support::{Answer, Shop, nowhere, shop},
};

const STEPS: [&str; 5] = [
    "reserve_stock",
    "authorize_payment",
    "pin_stock",
    "capture_payment",
    "commit_stock",
];

async fn log(shop: &Shop, order: OrderId) -> Vec<(i64, String)> {
    sqlx::query_as("SELECT id, type FROM order_events WHERE order_id = $1 ORDER BY id")
        .bind(order.0)
        .fetch_all(shop.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_snapshot_and_then_every_change_once_and_in_order() {
    let shop = shop().await;
    let order = shop.order().await;
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
    assert_eq!(snapshot.data["order"], shop.see(order).await);
    assert_eq!(snapshot.data["saga"], shop.saga(order).await);
    let other = shop.order().await;
    let buying = async {
        shop.tick_when_due(order.into()).await;
        for step in STEPS {
            shop.done(other.into(), step, "do").await;
            shop.done(order.into(), step, "do").await;
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
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change.id, change.data["type"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(told, log(&shop, order).await[1..]);
    assert_eq!(told[0].1, "saga_progressed");
    assert_eq!(
        (
            &changes[0].data["data"]["attempt"],
            &changes[0].data["data"]["outcome"]
        ),
        (&json!(2), &json!("sent"))
    );
    let last = &changes.last().unwrap().data;
    assert_eq!(last["order"], shop.see(order).await);
    assert_eq!(last["saga"], shop.saga(order).await);
    assert!(last["at"].is_string());
    assert_eq!(
        (&last["data"]["attempt"], &last["data"]["next"]),
        (&json!(1), &json!(null))
    );
}

#[tokio::test]
async fn another_replica_goes_on_where_one_stopped() {
    let mut shop = shop().await;
    let order = shop.order().await;
    let mut events = shop.follow(order, None).await;
    assert_eq!(events.event().await.event, "snapshot");
    shop.done(order.into(), "reserve_stock", "do").await;
    let seen = events.event().await.id;
    drop(events);
    shop.done(order.into(), "authorize_payment", "do").await;
    shop.done(order.into(), "pin_stock", "do").await;
    shop.feed_replica(shop.pool().clone(), Limits::default()).await;
    let mut events = shop.follow(order, Some(&seen.to_string())).await;
    let missed = [events.event().await, events.event().await];
    let log = log(&shop, order).await;
    assert_eq!(missed.each_ref().map(|frame| frame.id), [log[2].0, log[3].0]);
    // Read together: only the last says how things are.
    assert_eq!(missed[0].data.get("order"), None);
    assert_eq!(missed[1].data["saga"]["steps"][2]["state"], "done");
    shop.done(order.into(), "capture_payment", "do").await;
    assert_eq!(events.event().await.data["type"], "payment_captured");
    // Nothing is new, and then something is.
    let newest = self::log(&shop, order).await.last().unwrap().0;
    let mut events = shop.follow(order, Some(&newest.to_string())).await;
    shop.done(order.into(), "commit_stock", "do").await;
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
async fn many_missed_changes_come_in_order_too() {
    let shop = shop().await;
    let order = shop.order().await;
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
    let mut told = vec![first];
    while told.len() < expected.len() {
        told.push(events.event().await.id);
    }
    assert_eq!(told, expected);
}

#[tokio::test]
async fn someone_elses_order_is_not_there() {
    let shop = shop().await;
    let order = shop.order().await;
    let path = format!("/v1/orders/{order}/events");
    let _ = Answer::of(shop.as_user(UserId::generate(), Method::GET, &path))
        .await
        .problem(404);
    let _ = Answer::of(shop.request(Method::GET, &path)).await.problem(401);
    let _ = shop
        .get(&format!("/v1/orders/{}/events", OrderId::generate()))
        .await
        .problem(404);
    let _ = shop.get("/v1/orders/first/events").await.problem(404);
    let mut events = Events::of(shop.as_admin(Method::GET, &path)).await;
    assert_eq!(events.event().await.data["order"]["id"], json!(order));
}

#[tokio::test]
async fn a_quiet_stream_shows_that_it_lives_and_outlasts_the_database() {
    let mut shop = shop().await;
    let order = shop.order().await;
    let (url, holds) = wire(&shop.database.url).await;
    let limits = Limits {
        heartbeat: Duration::from_millis(200),
        ..Limits::default()
    };
    shop.feed_replica(database::pool(&url, 2).unwrap(), limits).await;
    let mut events = shop.follow(order, None).await;
    assert_eq!(events.event().await.event, "snapshot");
    holds.send_replace(false);
    shop.done(order.into(), "reserve_stock", "do").await;
    let cut = Instant::now();
    while cut.elapsed() < Duration::from_secs(1) {
        assert_eq!(events.frame().await.unwrap().event, "");
    }
    let _ = Answer::of(shop.events_of(order, None)).await.problem(503);
    holds.send_replace(true);
    let change = events.event().await;
    assert_eq!(change.data["type"], "stock_reserved");
    assert_eq!(change.data["order"], shop.see(order).await);
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let shop = shop().await;
    let order = shop.order().await;
    let issued = Instant::now();
    let mut claims = Issuer::claims(shop.user, &["customer"]);
    // Whole seconds: it is valid for 4 to 5.
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
async fn streams_do_not_hold_up_a_shutdown() {
    let shop = shop().await;
    let order = shop.order().await;
    let address = |url: String| url.trim_start_matches("http://").parse().unwrap();
    let (http, admin) = (address(nowhere().await), address(nowhere().await));
    let admin = Admin {
        addr: admin,
        health: Health::new(),
    };
    let router = orders::app::router(shop.app.clone());
    let served = tokio::spawn(souk_http::serve(router, http, admin, shop.stop.clone()));
    let request = || {
        reqwest::Client::new()
            .get(format!("http://{http}/v1/orders/{order}/events"))
            .bearer_auth(shop.issuer.customer(shop.user))
    };
    eventually("it listens", Duration::from_secs(5), async || {
        request().send().await.ok()
    })
    .await;
    let mut events = Events::of(request()).await;
    assert_eq!(events.event().await.event, "snapshot");
    shop.stop.cancel();
    assert!(events.frame().await.is_none());
    let ended = tokio::time::timeout(Duration::from_secs(1), served).await;
    ended.expect("it waits for the stream").unwrap().unwrap();
}

#[tokio::test]
async fn streams_are_bounded_and_a_client_that_leaves_makes_room() {
    let mut shop = shop().await;
    let order = shop.order().await;
    let limits = Limits {
        streams: 1,
        heartbeat: Duration::from_millis(100),
        ..Limits::default()
    };
    shop.feed_replica(shop.pool().clone(), limits).await;
    // One that is refused takes no place.
    let _ = shop
        .get(&format!("/v1/orders/{}/events", OrderId::generate()))
        .await
        .problem(404);
    let mut events = shop.follow(order, None).await;
    assert_eq!(events.event().await.event, "snapshot");
    let refused = Answer::of(shop.events_of(order, None)).await;
    assert!(!refused.header("retry-after").is_empty());
    assert!(
        refused.problem(503)["type"]
            .as_str()
            .unwrap()
            .ends_with("/too-many-streams")
    );
    drop(events);
    eventually("there is room", Duration::from_secs(5), async || {
        let answer = shop.events_of(order, None).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_person_leaves_places_for_others() {
    let mut shop = shop().await;
    let order = shop.order().await;
    let limits = Limits {
        streams_each: 2,
        ..Limits::default()
    };
    shop.feed_replica(shop.pool().clone(), limits).await;
    let first = shop.follow(order, None).await;
    let _second = shop.follow(order, None).await;
    let refused = Answer::of(shop.events_of(order, None)).await;
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
    eventually("there is room", Duration::from_secs(5), async || {
        let answer = shop.events_of(order, None).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
}
