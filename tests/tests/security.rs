//! Tests invalid and malicious requests through the public API. Each must get the right status, a problem with a trace id,
//! and must not change anything.

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
async fn routes_for_accounts_are_401_without_a_token() {
    let anonymous = Client::anonymous(&gateway());
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
        let _ = anonymous.get(path).await.problem(401);
        let _ = anonymous.with_token("not.a.token").get(path).await.problem(401);
    }
    // An unsigned token, with the algorithm "none".
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJ4In0.";
    let _ = anonymous
        .with_token(unsigned)
        .get("/v1/users/me")
        .await
        .problem(401);
}

#[tokio::test]
async fn services_refuse_callers_without_a_certificate() {
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .expect("a client");
    let mut refused = vec![];
    for process in Stack::running().status.processes {
        let Some(url) = process.url.filter(|url| url.starts_with("https://")) else {
            continue;
        };
        let answer = client.get(format!("{url}/openapi.json")).send().await;
        assert!(answer.is_err(), "{} answers: {answer:?}", process.name);
        refused.push(process.name);
    }
    refused.sort();
    let services = [
        "auditor",
        "inventory",
        "notifications",
        "orders",
        "payments",
        "users",
    ];
    assert_eq!(refused, services);
}

#[tokio::test]
async fn a_modified_token_is_401() {
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
async fn routes_for_operators_are_403_for_shoppers() {
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
async fn identity_headers_from_a_client_are_ignored() {
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
async fn resources_of_other_accounts_are_404() {
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
async fn invalid_orders_are_rejected_and_not_stored() {
    let gateway = gateway();
    let admin = Client::admin(&gateway).await;
    let shopper = Client::shopper(&gateway).await;
    let sku = admin.product(5).await;
    let good = client::order_body(&sku, 1, "pm_card_ok");
    let mut invalid = vec![];
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
        invalid.push(body);
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
        invalid.push(body);
    }
    for field in ["shipping_address", "payment_method"] {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(field);
        invalid.push(body);
    }
    let mut unknown = good.clone();
    unknown["total"] = json!({"amount": 1, "currency": "EUR"});
    invalid.push(unknown);
    for body in invalid {
        let response = shopper.post("/v1/orders", body.clone()).await;
        assert_eq!(response.status, 422, "{body:#} gave {:#}", response.body);
        let response = response.problem(422);
        assert!(
            response.body["errors"][0]["pointer"].is_string(),
            "{body:#} gave {:#}",
            response.body
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
async fn bodies_that_are_not_json_get_specific_statuses() {
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
async fn unknown_paths_methods_and_parameters_are_problems() {
    let gateway = gateway();
    let anonymous = Client::anonymous(&gateway);
    let _ = anonymous.get("/v1/nothing-here").await.problem(404);
    let _ = anonymous.get("/internal/v1/api-keys/exchange").await.problem(404);
    let _ = anonymous.get("/v1/products/NO-SUCH-SKU").await.problem(404);
    let _ = anonymous
        .send(anonymous.request(Method::DELETE, "/v1/categories"))
        .await
        .problem(405);
    let _ = anonymous
        .send(anonymous.request(Method::TRACE, "/v1/products"))
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
        let _ = anonymous.get(&format!("/v1/products?{query}")).await.problem(422);
    }
}

#[tokio::test]
async fn a_request_with_content_length_and_transfer_encoding_is_400() {
    let response = raw(
        "POST /v1/auth/login HTTP/1.1\r\nHost: souk\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    assert!(response.starts_with("HTTP/1.1 400"), "{response}");
}

async fn throttled_account() -> String {
    let email = format!("throttled-{}@souk.test", uuid::Uuid::new_v4().simple());
    let account = json!({"email": email, "password": client::PASSWORD, "name": "T"});
    let anonymous = Client::anonymous(&gateway());
    let _ = anonymous.post("/v1/auth/register", account).await.expect(202);
    email
}

/// Logs in like a browser, from this local address.
async fn login(email: &str, from: &str, password: &str, cookie: Option<&str>) -> client::Response {
    let client = Client::from_address(&gateway(), from.parse().expect("an address"));
    let body = json!({"email": email, "password": password, "session": "cookie"});
    // Headers in which a client claims another address must be ignored.
    let claimed = std::net::Ipv6Addr::from_bits(uuid::Uuid::new_v4().as_u128()).to_string();
    let mut request = client
        .request(Method::POST, "/v1/auth/login")
        .header("x-internal-client-address", &claimed)
        .header("x-forwarded-for", &claimed)
        .json(&body);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    client.send(request).await
}

const WRONG: &str = "not the right passphrase";

#[tokio::test]
async fn five_wrong_passwords_throttle_logins_except_from_a_known_device() {
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
    let response = login(&email, "127.0.0.1", client::PASSWORD, None)
        .await
        .problem(429);
    assert!(response.headers.contains_key("retry-after"));
    let _ = login(&email, "127.0.0.1", client::PASSWORD, Some(device))
        .await
        .expect(200);
}

#[tokio::test]
async fn wrong_passwords_from_many_addresses_throttle_every_unknown_address() {
    let email = throttled_account().await;
    for number in 1..=5 {
        let from = format!("127.0.1.{number}");
        let _ = login(&email, &from, WRONG, None).await.problem(401);
    }
    let response = login(&email, "127.0.1.6", client::PASSWORD, None)
        .await
        .problem(429);
    let wait = response.headers["retry-after"].to_str().ok();
    let wait: u64 = wait.and_then(|text| text.parse().ok()).expect("seconds");
    assert!(
        (55..=61).contains(&wait),
        "expected a minute after five failures, but got {wait} s"
    );
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_session() {
    let gateway = gateway();
    let anonymous = Client::anonymous(&gateway);
    let email = format!("refresh-{}@souk.test", uuid::Uuid::new_v4().simple());
    let account = json!({"email": email, "password": client::PASSWORD, "name": "R"});
    let _ = anonymous.post("/v1/auth/register", account).await.expect(202);
    let login = json!({"email": email, "password": client::PASSWORD});
    let first = anonymous.post("/v1/auth/login", login).await.expect(200).body["refresh_token"].clone();
    let refresh =
        |token: &serde_json::Value| anonymous.post("/v1/auth/refresh", json!({"refresh_token": token}));
    let second = refresh(&first).await.expect(200).body["refresh_token"].clone();
    assert_ne!(first, second);
    let _ = refresh(&first).await.problem(401);
    let _ = refresh(&second).await.problem(401);
}

#[tokio::test]
async fn registering_a_known_address_gets_the_same_response() {
    let anonymous = Client::anonymous(&gateway());
    let account = |email: &str| json!({"email": email, "password": client::PASSWORD, "name": "N"});
    let known = anonymous
        .post("/v1/auth/register", account("demo@souk.test"))
        .await
        .expect(202);
    let fresh = format!("new-{}@souk.test", uuid::Uuid::new_v4().simple());
    let unknown = anonymous
        .post("/v1/auth/register", account(&fresh))
        .await
        .expect(202);
    assert_eq!(known.body, unknown.body);
    let login = json!({"email": "demo@souk.test", "password": client::PASSWORD});
    let _ = anonymous.post("/v1/auth/login", login).await.problem(401);
    for password in ["short", "passwordpassword", &"x".repeat(129)] {
        let body = json!({"email": fresh, "password": password, "name": "N"});
        let _ = anonymous.post("/v1/auth/register", body).await.problem(422);
    }
}

#[tokio::test]
async fn requesting_an_email_does_not_reveal_whether_an_account_exists() {
    let anonymous = Client::anonymous(&gateway());
    for path in ["/v1/auth/password-reset", "/v1/auth/verification-mail"] {
        let request_email = |email: &str| anonymous.post(path, json!({"email": email}));
        let known = request_email("ada@souk.test").await.expect(202);
        let fresh = format!("unknown-{}@souk.test", uuid::Uuid::new_v4().simple());
        let unknown = request_email(&fresh).await.expect(202);
        assert_eq!(known.body, unknown.body);
        let _ = request_email("no address").await.problem(422);
    }
    for token in ["souk_pr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ""] {
        let body = json!({"token": token, "password": client::PASSWORD});
        let _ = anonymous
            .post("/v1/auth/password-reset/confirm", body)
            .await
            .problem(422);
    }
}

/// Creates an API key with these scopes and returns it.
async fn api_key(account: &Client, scopes: &[&str]) -> String {
    let body = json!({"name": "a test's key", "scopes": scopes});
    let made = account.post("/v1/users/me/api-keys", body).await.expect(201);
    made.body["key"].as_str().expect("a key").to_owned()
}

/// Sends a request with an API key and returns its status.
async fn status_with_key(key: &str, method: Method, path: &str, body: serde_json::Value) -> u16 {
    let anonymous = Client::anonymous(&gateway());
    let request = anonymous
        .request(method, path)
        .header("x-api-key", key)
        .header("idempotency-key", uuid::Uuid::new_v4().to_string());
    anonymous.send(request.json(&body)).await.status.as_u16()
}

#[tokio::test]
async fn an_api_key_allows_what_its_scopes_and_its_owner_allow() {
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
        assert_eq!(
            status_with_key(&key, Method::GET, "/v1/orders", none()).await,
            read
        );
        let one = json!({"quantity": 1});
        assert_eq!(status_with_key(&key, Method::PUT, &line, one).await, fill);
        assert_eq!(status_with_key(&key, Method::GET, &stock, none()).await, operate);
        let child = json!({"name": "child"});
        assert_eq!(
            status_with_key(&key, Method::POST, "/v1/users/me/api-keys", child).await,
            403
        );
        let password =
            json!({"current_password": client::PASSWORD, "new_password": "a password of the thief"});
        assert_eq!(
            status_with_key(&key, Method::PUT, "/v1/users/me/password", password).await,
            403
        );
        let sessions = "/v1/users/me/sessions";
        assert_eq!(status_with_key(&key, Method::DELETE, sessions, none()).await, 403);
    }
    let body = json!({"name": "k", "scopes": ["admin"]});
    let _ = shopper.post("/v1/users/me/api-keys", body).await.problem(403);
    let _ = admin.delete("/v1/cart").await;
}

#[tokio::test]
async fn changing_the_password_revokes_api_keys_unless_they_are_kept() {
    let shopper = Client::shopper(&gateway()).await;
    let key = api_key(&shopper, &["read"]).await;
    let change = async |current: &str, new: &str, keep: bool| {
        let body = json!({"current_password": current, "new_password": new, "keep_api_keys": keep});
        let _ = shopper.put("/v1/users/me/password", body).await.expect(204);
    };
    change(client::PASSWORD, "another passphrase", true).await;
    let me = "/v1/users/me";
    assert_eq!(status_with_key(&key, Method::GET, me, json!({})).await, 200);
    let other = api_key(&shopper, &["read"]).await;
    change("another passphrase", "a third passphrase", false).await;
    assert_eq!(status_with_key(&other, Method::GET, me, json!({})).await, 401);
    // The gateway caches a valid key for up to 5 s.
    let revoked = testkit::eventually("the key is revoked", Duration::from_secs(10), async || {
        (status_with_key(&key, Method::GET, me, json!({})).await == 401).then_some(())
    });
    revoked.await;
}

#[tokio::test]
async fn a_webhook_with_an_invalid_signature_is_rejected() {
    let anonymous = Client::anonymous(&gateway());
    let request = anonymous
        .request(Method::POST, "/v1/webhooks/psp")
        .header("souk-signature", "t=1,v1=00")
        .json(&json!({"id": "evt_forged", "type": "payment_intent.captured"}));
    let response = anonymous.send(request).await;
    assert!(
        [400, 401].contains(&response.status.as_u16()),
        "{:#}",
        response.body
    );
}

/// Sends a raw request and returns the start of the response.
fn raw(request: &str) -> String {
    let gateway = gateway();
    let mut stream =
        TcpStream::connect(gateway.trim_start_matches("http://").trim_end_matches('/')).expect("connect");
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a timeout");
    stream.write_all(request.as_bytes()).expect("send");
    let mut response = vec![0; 4096];
    let read = stream.read(&mut response).expect("an answer");
    String::from_utf8_lossy(&response[..read]).into_owned()
}
