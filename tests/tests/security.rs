//! What a careless or hostile client sends, through the public door: each gets its status, a problem with a trace id,
//! and changes nothing.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use e2e::{Client, Stack, client};
use reqwest::Method;
use serde_json::json;

fn gateway() -> String {
    Stack::running().status.gateway
}

#[tokio::test]
async fn what_needs_an_account_is_401_without_one() {
    let nobody = Client::anonymous(&gateway());
    for path in [
        "/v1/users/me",
        "/v1/orders",
        "/v1/cart",
        "/v1/account",
        "/v1/payments",
        "/v1/admin/sagas",
        "/v1/admin/audit",
        "/v1/admin/outboxes",
    ] {
        let _ = nobody.get(path).await.problem(401);
        let _ = nobody.with_token("not.a.token").get(path).await.problem(401);
    }
    // A token whose algorithm is "none".
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJ4In0.";
    let _ = nobody.with_token(unsigned).get("/v1/users/me").await.problem(401);
}

#[tokio::test]
async fn a_changed_token_is_401() {
    let shopper = Client::shopper(&gateway()).await;
    let mut token = shopper.token().to_owned();
    let middle = token.len() / 2;
    let other = if token.as_bytes()[middle] == b'A' {
        "B"
    } else {
        "A"
    };
    token.replace_range(middle..=middle, other);
    let _ = shopper.with_token(&token).get("/v1/users/me").await.problem(401);
}

#[tokio::test]
async fn operators_routes_are_403_for_shoppers() {
    let shopper = Client::shopper(&gateway()).await;
    for path in [
        "/v1/users",
        "/v1/admin/sagas",
        "/v1/admin/dead-letters",
        "/v1/admin/audit",
        "/v1/admin/outboxes",
    ] {
        let _ = shopper.get(path).await.problem(403);
    }
    let _ = shopper.post("/v1/products", json!({})).await.problem(403);
}

#[tokio::test]
async fn identity_headers_of_a_client_are_worth_nothing() {
    let gateway = gateway();
    let (shopper, admin) = tokio::join!(Client::shopper(&gateway), Client::admin(&gateway));
    let admin_id = admin.get("/v1/users/me").await.expect(200).body["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let request = shopper
        .request(Method::GET, "/v1/users/me")
        .header("x-user-id", &admin_id)
        .header("X-User-Roles", "admin")
        .header("x_user_id", &admin_id);
    let me = shopper.send(request).await.expect(200).body;
    assert_ne!(me["id"], json!(admin_id));
    let request = shopper
        .request(Method::GET, "/v1/admin/sagas")
        .header("x-user-roles", "admin");
    let _ = shopper.send(request).await.problem(403);
}

#[tokio::test]
async fn someone_elses_things_are_404() {
    let gateway = gateway();
    let admin = Client::admin(&gateway).await;
    let (owner, other) = tokio::join!(Client::shopper(&gateway), Client::shopper(&gateway));
    let sku = admin.product(5).await;
    let order = owner.settled(&owner.order(&sku, 1, "pm_card_ok").await).await;
    let (id, payment) = (
        order["id"].as_str().expect("an id"),
        order["payment"]["id"].as_str().expect("a payment"),
    );
    for path in [
        format!("/v1/orders/{id}"),
        format!("/v1/orders/{id}/saga"),
        format!("/v1/payments/{payment}"),
    ] {
        let _ = other.get(&path).await.problem(404);
    }
    let _ = other
        .post(&format!("/v1/orders/{id}/cancel"), json!({"reason": "mine now"}))
        .await
        .problem(404);
    assert_eq!(
        owner.get(&format!("/v1/orders/{id}")).await.body["status"],
        "confirmed"
    );
}

#[tokio::test]
async fn a_shopper_cannot_refund_their_own_payment() {
    let gateway = gateway();
    let admin = Client::admin(&gateway).await;
    let shopper = Client::shopper(&gateway).await;
    let sku = admin.product(5).await;
    let order = shopper.settled(&shopper.order(&sku, 1, "pm_card_ok").await).await;
    let payment = order["payment"]["id"].as_str().expect("a payment");
    let path = format!("/v1/payments/{payment}/refunds");
    let _ = shopper
        .post(&path, json!({"reason": "I keep the tea"}))
        .await
        .problem(403);
    let id = order["id"].as_str().expect("an id");
    let order = shopper.get(&format!("/v1/orders/{id}")).await.expect(200).body;
    assert_eq!(
        (&order["payment_status"], &order["payment"]["refunded"]["amount"]),
        (&json!("captured"), &json!(0)),
        "{order:#}"
    );
}

#[tokio::test]
async fn bad_orders_are_refused_and_leave_no_order() {
    let gateway = gateway();
    let admin = Client::admin(&gateway).await;
    let shopper = Client::shopper(&gateway).await;
    let sku = admin.product(5).await;
    let good = client::order_body(&sku, 1, "pm_card_ok");
    let mut bad = vec![];
    for quantity in [
        json!(0),
        json!(-1),
        json!(100),
        json!(1.5),
        json!("1"),
        json!(null),
    ] {
        let mut body = good.clone();
        body["items"][0]["quantity"] = quantity;
        bad.push(body);
    }
    for (pointer, value) in [
        ("/items", json!([])),
        ("/items/0/sku", json!("no such sku")),
        ("/items/0/sku", json!("NO-SUCH-SKU")),
        ("/shipping_address/country", json!("Germany")),
        ("/shipping_address/name", json!("")),
        ("/payment_method", json!("4111 1111 1111 1111")),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(pointer).expect("a field") = value;
        bad.push(body);
    }
    for field in ["shipping_address", "payment_method"] {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(field);
        bad.push(body);
    }
    let mut unknown = good.clone();
    unknown["total"] = json!({"amount": 1, "currency": "EUR"});
    bad.push(unknown);
    for body in bad {
        let answer = shopper.post("/v1/orders", body.clone()).await;
        assert_eq!(answer.status, 422, "{body:#} gave {:#}", answer.body);
        let answer = answer.problem(422);
        assert!(
            answer.body["errors"][0]["pointer"].is_string(),
            "{body:#} gave {:#}",
            answer.body
        );
    }
    let request = shopper.request(Method::POST, "/v1/orders").json(&good);
    let _ = shopper.send(request).await.problem(400);
    assert_eq!(
        shopper.get("/v1/orders").await.expect(200).body["items"],
        json!([])
    );
}

#[tokio::test]
async fn bodies_that_are_no_json_have_their_own_statuses() {
    let shopper = Client::shopper(&gateway()).await;
    let post = |body: Vec<u8>, kind: &str| {
        let request = shopper
            .request(Method::POST, "/v1/orders")
            .header("idempotency-key", "a-key");
        shopper.send(request.header("content-type", kind).body(body))
    };
    let _ = post(b"{not json".to_vec(), "application/json").await.problem(400);
    let _ = post(b"a=b".to_vec(), "application/x-www-form-urlencoded")
        .await
        .problem(415);
    let _ = post(vec![b' '; 65 * 1024], "application/json").await.problem(413);
}

#[tokio::test]
async fn unknown_places_and_methods_are_problems_too() {
    let gateway = gateway();
    let nobody = Client::anonymous(&gateway);
    let _ = nobody.get("/v1/nothing-here").await.problem(404);
    let _ = nobody.get("/internal/v1/api-keys/exchange").await.problem(404);
    let _ = nobody.get("/v1/products/NO-SUCH-SKU").await.problem(404);
    let _ = nobody
        .send(nobody.request(Method::DELETE, "/v1/categories"))
        .await
        .problem(405);
    let _ = nobody
        .send(nobody.request(Method::TRACE, "/v1/products"))
        .await
        .problem(405);
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "cursor=nonsense",
        "sort=cheapest",
        "min_price=-1",
    ] {
        let _ = nobody.get(&format!("/v1/products?{query}")).await.problem(422);
    }
}

#[tokio::test]
async fn a_request_with_two_lengths_is_400() {
    let answer = raw(
        "POST /v1/auth/login HTTP/1.1\r\nHost: souk\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

async fn throttled_account() -> String {
    let email = format!("throttled-{}@souk.test", uuid::Uuid::new_v4().simple());
    let account = json!({"email": email, "password": client::PASSWORD, "name": "T"});
    let nobody = Client::anonymous(&gateway());
    let _ = nobody.post("/v1/auth/register", account).await.expect(202);
    email
}

/// A browser's login, from that address of this machine.
async fn login(email: &str, from: &str, password: &str, cookie: Option<&str>) -> client::Answer {
    let client = Client::from_address(&gateway(), from.parse().expect("an address"));
    let body = json!({"email": email, "password": password, "session": "cookie"});
    // What a client says about its address counts for nothing.
    let pretended = std::net::Ipv6Addr::from_bits(uuid::Uuid::new_v4().as_u128()).to_string();
    let mut request = client
        .request(Method::POST, "/v1/auth/login")
        .header("x-internal-client-address", &pretended)
        .header("x-forwarded-for", &pretended)
        .json(&body);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    client.send(request).await
}

const WRONG: &str = "not the right passphrase";

#[tokio::test]
async fn five_wrong_passwords_close_the_door_for_a_while_and_a_known_device_gets_in() {
    let email = throttled_account().await;
    let first = login(&email, "127.0.0.1", client::PASSWORD, None)
        .await
        .expect(200);
    let cookies = first.headers.get_all("set-cookie").iter();
    let cookies: Vec<_> = cookies.filter_map(|cookie| cookie.to_str().ok()).collect();
    let device = cookies.iter().find(|cookie| cookie.starts_with("souk_device="));
    let device = device
        .and_then(|cookie| cookie.split(';').next())
        .expect("a device");
    for _ in 0..5 {
        let _ = login(&email, "127.0.0.1", WRONG, None).await.problem(401);
    }
    let answer = login(&email, "127.0.0.1", client::PASSWORD, None)
        .await
        .problem(429);
    assert!(answer.headers.contains_key("retry-after"));
    let _ = login(&email, "127.0.0.1", client::PASSWORD, Some(device))
        .await
        .expect(200);
}

#[tokio::test]
async fn guesses_from_many_addresses_make_every_unknown_address_wait() {
    let email = throttled_account().await;
    for number in 1..=5 {
        let from = format!("127.0.1.{number}");
        let _ = login(&email, &from, WRONG, None).await.problem(401);
    }
    let answer = login(&email, "127.0.1.6", client::PASSWORD, None)
        .await
        .problem(429);
    let wait = answer.headers["retry-after"].to_str().ok();
    let wait: u64 = wait.and_then(|text| text.parse().ok()).expect("seconds");
    assert!(
        (55..=61).contains(&wait),
        "a minute after five failures, not {wait} s"
    );
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_session() {
    let gateway = gateway();
    let nobody = Client::anonymous(&gateway);
    let email = format!("refresh-{}@souk.test", uuid::Uuid::new_v4().simple());
    let account = json!({"email": email, "password": client::PASSWORD, "name": "R"});
    let _ = nobody.post("/v1/auth/register", account).await.expect(202);
    let login = json!({"email": email, "password": client::PASSWORD});
    let first = nobody.post("/v1/auth/login", login).await.expect(200).body["refresh_token"].clone();
    let refresh =
        |token: &serde_json::Value| nobody.post("/v1/auth/refresh", json!({"refresh_token": token}));
    let second = refresh(&first).await.expect(200).body["refresh_token"].clone();
    assert_ne!(first, second);
    let _ = refresh(&first).await.problem(401);
    let _ = refresh(&second).await.problem(401);
}

#[tokio::test]
async fn registering_a_known_address_looks_the_same() {
    let nobody = Client::anonymous(&gateway());
    let account = |email: &str| json!({"email": email, "password": client::PASSWORD, "name": "N"});
    let known = nobody
        .post("/v1/auth/register", account("demo@souk.test"))
        .await
        .expect(202);
    let fresh = format!("new-{}@souk.test", uuid::Uuid::new_v4().simple());
    let unknown = nobody
        .post("/v1/auth/register", account(&fresh))
        .await
        .expect(202);
    assert_eq!(known.body, unknown.body);
    let login = json!({"email": "demo@souk.test", "password": client::PASSWORD});
    let _ = nobody.post("/v1/auth/login", login).await.problem(401);
    for password in ["short", "passwordpassword", &"x".repeat(129)] {
        let body = json!({"email": fresh, "password": password, "name": "N"});
        let _ = nobody.post("/v1/auth/register", body).await.problem(422);
    }
}

#[tokio::test]
async fn asking_for_a_mail_says_nothing_about_an_address() {
    let nobody = Client::anonymous(&gateway());
    for path in ["/v1/auth/password-reset", "/v1/auth/verification-mail"] {
        let ask = |email: &str| nobody.post(path, json!({"email": email}));
        let known = ask("ada@souk.test").await.expect(202);
        let fresh = format!("unknown-{}@souk.test", uuid::Uuid::new_v4().simple());
        let unknown = ask(&fresh).await.expect(202);
        assert_eq!(known.body, unknown.body);
        let _ = ask("no address").await.problem(422);
    }
    for token in ["souk_pr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ""] {
        let body = json!({"token": token, "password": client::PASSWORD});
        let _ = nobody
            .post("/v1/auth/password-reset/confirm", body)
            .await
            .problem(422);
    }
}

/// A new key of an account.
async fn api_key(account: &Client, scopes: &[&str]) -> String {
    let body = json!({"name": "a test's key", "scopes": scopes});
    let made = account.post("/v1/users/me/api-keys", body).await.expect(201);
    made.body["key"].as_str().expect("a key").to_owned()
}

/// The status of a request with a key.
async fn by_key(key: &str, method: Method, path: &str, body: serde_json::Value) -> u16 {
    let nobody = Client::anonymous(&gateway());
    let request = nobody
        .request(method, path)
        .header("x-api-key", key)
        .header("idempotency-key", uuid::Uuid::new_v4().to_string());
    nobody.send(request.json(&body)).await.status.as_u16()
}

#[tokio::test]
async fn an_api_key_does_what_its_scopes_allow_and_never_more_than_its_owner() {
    let gateway = gateway();
    let (shopper, admin) = tokio::join!(Client::shopper(&gateway), Client::admin(&gateway));
    let sku = admin.product(5).await;
    let (line, stock) = (
        format!("/v1/cart/items/{sku}"),
        format!("/v1/products/{sku}/stock"),
    );
    for (key, read, fill, operate) in [
        (api_key(&shopper, &["read"]).await, 200, 403, 403),
        (api_key(&shopper, &["order"]).await, 200, 200, 403),
        (api_key(&admin, &["read", "order"]).await, 200, 200, 403),
        (api_key(&admin, &["admin"]).await, 200, 403, 200),
    ] {
        let none = || json!({});
        assert_eq!(by_key(&key, Method::GET, "/v1/orders", none()).await, read);
        let one = json!({"quantity": 1});
        assert_eq!(by_key(&key, Method::PUT, &line, one).await, fill);
        assert_eq!(by_key(&key, Method::GET, &stock, none()).await, operate);
        let child = json!({"name": "child"});
        assert_eq!(
            by_key(&key, Method::POST, "/v1/users/me/api-keys", child).await,
            403
        );
        let password =
            json!({"current_password": client::PASSWORD, "new_password": "a password of the thief"});
        assert_eq!(
            by_key(&key, Method::PUT, "/v1/users/me/password", password).await,
            403
        );
        let everywhere = "/v1/users/me/sessions";
        assert_eq!(by_key(&key, Method::DELETE, everywhere, none()).await, 403);
    }
    let body = json!({"name": "k", "scopes": ["admin"]});
    let _ = shopper.post("/v1/users/me/api-keys", body).await.problem(403);
    let _ = admin.delete("/v1/cart").await;
}

#[tokio::test]
async fn api_keys_end_with_a_new_password_unless_they_are_kept() {
    let shopper = Client::shopper(&gateway()).await;
    let key = api_key(&shopper, &["read"]).await;
    let change = async |current: &str, new: &str, keep: bool| {
        let body = json!({"current_password": current, "new_password": new, "keep_api_keys": keep});
        let _ = shopper.put("/v1/users/me/password", body).await.expect(204);
    };
    change(client::PASSWORD, "another passphrase", true).await;
    let me = "/v1/users/me";
    assert_eq!(by_key(&key, Method::GET, me, json!({})).await, 200);
    let other = api_key(&shopper, &["read"]).await;
    change("another passphrase", "a third passphrase", false).await;
    assert_eq!(by_key(&other, Method::GET, me, json!({})).await, 401);
    // The gateway may remember the key that it has seen for 5 s.
    let ended = testkit::eventually("the key ends", Duration::from_secs(10), async || {
        (by_key(&key, Method::GET, me, json!({})).await == 401).then_some(())
    });
    ended.await;
}

#[tokio::test]
async fn a_forged_webhook_is_refused() {
    let nobody = Client::anonymous(&gateway());
    let request = nobody
        .request(Method::POST, "/v1/webhooks/psp")
        .header("souk-signature", "t=1,v1=00")
        .json(&json!({"id": "evt_forged", "type": "payment_intent.captured"}));
    let answer = nobody.send(request).await;
    assert!([400, 401].contains(&answer.status.as_u16()), "{:#}", answer.body);
}

/// Sends bytes as they are and reads what comes back.
fn raw(request: &str) -> String {
    let gateway = gateway();
    let mut stream =
        TcpStream::connect(gateway.trim_start_matches("http://").trim_end_matches('/')).expect("connect");
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a timeout");
    stream.write_all(request.as_bytes()).expect("send");
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}
