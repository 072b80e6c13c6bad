//! The shopper's list of notifications.

use contracts::{OrderId, UserId};
use serde_json::{Value, json};

use crate::support::{Log, World};

async fn ids(world: &World, path: &str, token: &str) -> (Vec<String>, Option<String>, i64) {
    let (status, page) = world.get(path, token).await;
    assert_eq!(status, 200, "{page}");
    let items = page["items"].as_array().unwrap().iter();
    let ids = items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect();
    (
        ids,
        page["next_cursor"].as_str().map(str::to_owned),
        page["unread"].as_i64().unwrap(),
    )
}

#[tokio::test]
async fn a_list_is_in_the_readers_language() {
    let world = World::start().await;
    let mut log = Log::default();
    let user = UserId::generate();
    let order = OrderId::generate();
    let mut events = vec![log.registered(user, None)];
    events.extend(log.purchase(user, order));
    events.extend(log.rejected(user, OrderId::generate(), "payment_declined"));
    events.push(log.refunded(user, order));
    events.extend(log.changed_address(user, "ada@new.test"));
    world.consume(&events).await;
    let token = world.issuer.customer(user);
    for language in ["en", "de"] {
        let (status, list) = world.get_in(language, "/v1/notifications", &token).await;
        assert_eq!(status, 200);
        insta::assert_json_snapshot!(format!("list_{language}"), list, {
            ".items[].id" => "[id]", ".items[].order_id" => "[order]", ".items[].created_at" => "[time]",
        });
    }
}

#[tokio::test]
async fn a_list_is_paged_and_read_by_its_owner_only() {
    let world = World::start().await;
    let (mut log, user) = (Log::default(), UserId::generate());
    for _ in 0..5 {
        world
            .consume(&log.rejected(user, OrderId::generate(), "timeout"))
            .await;
    }
    world
        .consume(&log.rejected(UserId::generate(), OrderId::generate(), "timeout"))
        .await;
    // Give all notifications the same time, so that pages must use the id, too.
    sqlx::query("UPDATE notifications SET created_at = now()")
        .execute(world.pool())
        .await
        .unwrap();
    let token = world.issuer.customer(user);
    let (all, none, unread) = ids(&world, "/v1/notifications", &token).await;
    assert_eq!((all.len(), none, unread), (5, None, 5));
    let (mut seen, mut cursor) = (vec![], String::new());
    loop {
        let (page, next, unread) = ids(&world, &format!("/v1/notifications?limit=2{cursor}"), &token).await;
        assert_eq!(unread, 5, "the count covers the whole list, not only the page");
        seen.extend(page);
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, all);

    let read = format!("/v1/notifications/{}/read", all[1]);
    let stranger = world.issuer.customer(UserId::generate());
    assert_eq!(world.post(&read, &stranger).await, 404);
    assert_eq!(world.post(&read, &token).await, 204);
    let (_, list) = world.get("/v1/notifications", &token).await;
    let first_read = list["items"][1]["read_at"].clone();
    assert!(
        first_read.is_string() && list["items"][0].get("read_at").is_none(),
        "{list:#}"
    );
    assert_eq!(list["unread"], json!(4));
    assert_eq!(world.post(&read, &token).await, 204, "again");
    let (_, list) = world.get("/v1/notifications", &token).await;
    assert_eq!(
        (&list["items"][1]["read_at"], &list["unread"]),
        (&first_read, &json!(4))
    );
    assert_eq!(world.post("/v1/notifications/read", &token).await, 204);
    assert_eq!(ids(&world, "/v1/notifications", &token).await.2, 0);
    let others: Vec<i64> = sqlx::query_scalar("SELECT count(*) FROM read_marks WHERE user_id <> $1")
        .bind(user.0)
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert_eq!(others, [0]);
}

#[tokio::test]
async fn invalid_requests_are_rejected() {
    let world = World::start().await;
    let token = world.issuer.customer(UserId::generate());
    assert_eq!(
        world.get("/v1/notifications", &token).await.1,
        json!({"items": [], "next_cursor": Value::Null, "unread": 0})
    );
    // `["-200000-01-01T00:00:00Z", …]`: a well-formed cursor with a time that the database cannot represent.
    let long_ago =
        "cursor=WyItMjAwMDAwLTAxLTAxVDAwOjAwOjAwWiIsIjAxODkwMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMCJd";
    for bad in ["limit=0", "limit=101", "cursor=x", long_ago, "colour=red"] {
        assert_eq!(
            world.get(&format!("/v1/notifications?{bad}"), &token).await.0,
            422,
            "{bad}"
        );
    }
    assert_eq!(world.get("/v1/notifications", "no-token").await.0, 401);
    for path in [
        "/v1/notifications/none/read",
        "/v1/notifications/01890000-0000-7000-8000-000000000000/read",
    ] {
        assert_eq!(world.post(path, &token).await, 404);
        assert_eq!(world.post(path, "no-token").await, 401);
    }
    assert_eq!(world.post("/v1/notifications/read", "no-token").await, 401);
}
