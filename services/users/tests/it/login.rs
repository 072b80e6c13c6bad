//! Tests of logins over HTTP, from several addresses and devices.

use reqwest::Method;
use serde_json::json;

use crate::support::{PASSWORD, TestResponse, Users};

const WRONG: &str = "not the password";

#[tokio::test]
async fn login_returns_tokens_that_every_service_accepts() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let response = users.login("ADA@souk.test", PASSWORD).await;
    assert_eq!(
        (
            response.status,
            &response.body["token_type"],
            &response.body["expires_in"]
        ),
        (200, &json!("Bearer"), &json!(600))
    );
    assert!(response.body["refresh_token"].is_string());
    let claims = users
        .verifier()
        .verify(response.body["access_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(claims.exp - claims.iat, 600);
    assert!(claims.sid.is_some() && !claims.is_admin());
}

#[tokio::test]
async fn unknown_accounts_and_wrong_passwords_get_the_same_response() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let wrong = users.login("ada@souk.test", WRONG).await;
    let unknown = users.login("eve@souk.test", WRONG).await;
    assert_eq!((wrong.status, &wrong.body), (401, &unknown.body));
    assert_eq!(wrong.status, unknown.status);
}

/// Logs in from a network address, as forwarded by the gateway.
async fn login_from(users: &Users, address: &str, email: &str, password: &str) -> TestResponse {
    let body = json!({"email": email, "password": password});
    let request = users.request(Method::POST, "/v1/auth/login");
    users
        .send(request.header("x-internal-client-address", address).json(&body))
        .await
}

/// Simulates that the waiting time of all sources has passed.
async fn skip_wait(users: &Users) {
    users
        .sql("UPDATE login_sources SET blocked_until = least(blocked_until, now())")
        .await;
}

fn retry_after(response: &TestResponse) -> u64 {
    response.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn five_failures_block_the_address_even_for_unknown_accounts() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    for email in ["ada@souk.test", "unknown@souk.test"] {
        for attempt in 1..=5 {
            let response = login_from(&users, "192.0.2.1", email, WRONG).await;
            assert_eq!(response.status, 401, "{email} {attempt}");
        }
        let sixth = login_from(&users, "192.0.2.1", email, WRONG).await;
        assert_eq!(
            (sixth.status, sixth.body["title"].as_str()),
            (429, Some("Too many failed logins"))
        );
        assert!((55..=61).contains(&retry_after(&sixth)));
    }
    let blocked = login_from(&users, "192.0.2.1", "ada@souk.test", PASSWORD).await;
    assert_eq!(blocked.status, 429, "a correct password gets the same response");
    skip_wait(&users).await;
    let waited = login_from(&users, "192.0.2.1", "ada@souk.test", PASSWORD).await;
    assert_eq!(waited.status, 200);
    let reset = login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
    assert_eq!(reset.status, 401, "the success has reset the count");
}

#[tokio::test]
async fn attempts_from_many_addresses_are_throttled() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    for email in ["ada@souk.test", "unknown@souk.test"] {
        for number in 1..=5 {
            let address = format!("192.0.2.{number}");
            assert_eq!(login_from(&users, &address, email, WRONG).await.status, 401);
        }
        for number in 6..=20 {
            let address = format!("192.0.2.{number}");
            let refused = login_from(&users, &address, email, PASSWORD).await;
            assert_eq!(refused.status, 429, "{email} {number}");
        }
    }
    assert_eq!(
        users
            .count("SELECT max(failures)::bigint FROM login_failures")
            .await,
        5,
        "refused attempts do not count"
    );
}

#[tokio::test]
async fn a_failure_every_15_minutes_does_not_lock_the_owner_out() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    for _ in 0..100 {
        skip_wait(&users).await;
        login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
    }
    let first = login_from(&users, "198.51.100.7", "ada@souk.test", PASSWORD).await;
    assert_eq!((first.status, retry_after(&first)), (429, 901));
    skip_wait(&users).await;
    // The attacker's next attempt precedes the owner's.
    let attacker = login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
    assert_eq!(attacker.status, 401);
    let owner = login_from(&users, "198.51.100.7", "ada@souk.test", PASSWORD).await;
    assert_eq!(owner.status, 200);
}

#[tokio::test]
async fn a_known_device_is_not_throttled_by_failures_of_others() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    users.register("eve@souk.test").await;
    let ada = log_in_from_browser(&users, "ada@souk.test").await;
    let eve = log_in_from_browser(&users, "eve@souk.test").await;
    for _ in 0..7 {
        login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
    }
    let from_browser = |cookie: String, password: &'static str| {
        let body = json!({"email": "ada@souk.test", "password": password, "session": "cookie"});
        let request = users.request(Method::POST, "/v1/auth/login");
        users.send(
            request
                .header("x-internal-client-address", "192.0.2.1")
                .header("cookie", cookie)
                .json(&body),
        )
    };
    assert_eq!(
        from_browser(eve, PASSWORD).await.status,
        429,
        "the device of another account does not count"
    );
    assert_eq!(
        from_browser("souk_device=souk_dt_x".into(), PASSWORD)
            .await
            .status,
        429
    );
    let known = from_browser(ada.clone(), PASSWORD).await;
    assert_eq!(known.status, 200);
    assert_eq!(device_cookie(&known), ada, "the browser keeps its token");
    let elsewhere = login_from(&users, "192.0.2.1", "ada@souk.test", PASSWORD).await;
    assert_eq!(elsewhere.status, 429, "the failures of the address remain");
    // The device is throttled by its own failures.
    for _ in 0..5 {
        assert_eq!(from_browser(ada.clone(), WRONG).await.status, 401);
    }
    assert_eq!(from_browser(ada, PASSWORD).await.status, 429);
}

/// Logs in from a browser and returns its device cookie.
async fn log_in_from_browser(users: &Users, email: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD, "session": "cookie"});
    device_cookie(&users.post("/v1/auth/login", &body).await)
}

fn device_cookie(response: &TestResponse) -> String {
    let cookies = response.headers.get_all("set-cookie").iter();
    let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap());
    let cookie = cookies
        .find(|cookie| cookie.starts_with("souk_device=souk_dt_"))
        .unwrap();
    for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/v1/auth/login"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn concurrent_attempts_are_throttled() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let guesses = (0..40).map(async |number| {
        let address = format!("192.0.2.{}", number % 20);
        login_from(&users, &address, "ada@souk.test", WRONG).await
    });
    let responses = futures::future::join_all(guesses).await;
    let verified = responses.iter().filter(|response| response.status == 401).count();
    assert_eq!(verified, 5);
}
