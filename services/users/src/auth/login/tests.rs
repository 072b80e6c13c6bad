//! Logins over HTTP, from many addresses and devices.

use reqwest::Method;
use serde_json::json;

use crate::{
    account,
    email::Email,
    testing::{Answer, PASSWORD, Users},
};

const WRONG: &str = "not the password";

#[tokio::test]
async fn gives_tokens_that_any_service_accepts() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let answer = users.login("ADA@souk.test", PASSWORD).await;
    assert_eq!(
        (
            answer.status,
            &answer.body["token_type"],
            &answer.body["expires_in"]
        ),
        (200, &json!("Bearer"), &json!(600))
    );
    assert!(answer.body["refresh_token"].is_string());
    let claims = users
        .verifier()
        .verify(answer.body["access_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(claims.exp - claims.iat, 600);
    assert!(claims.sid.is_some() && !claims.is_admin());
}

#[tokio::test]
async fn an_unknown_user_looks_like_a_wrong_password() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let wrong = users.login("ada@souk.test", WRONG).await;
    let unknown = users.login("eve@souk.test", WRONG).await;
    assert_eq!((wrong.status, &wrong.body), (401, &unknown.body));
    assert_eq!(wrong.status, unknown.status);
}

/// A login as the gateway passes it on.
async fn login_from(users: &Users, address: &str, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    let request = users.request(Method::POST, "/v1/auth/login");
    users
        .send(request.header("x-internal-client-address", address).json(&body))
        .await
}

/// Lets the time pass for which sources are blocked.
async fn wait(users: &Users) {
    users
        .sql("UPDATE login_sources SET blocked_until = least(blocked_until, now())")
        .await;
}

fn retry_after(answer: &Answer) -> u64 {
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn five_failures_make_the_address_wait_whether_or_not_the_account_exists() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    for email in ["ada@souk.test", "nobody@souk.test"] {
        for attempt in 1..=5 {
            let answer = login_from(&users, "192.0.2.1", email, WRONG).await;
            assert_eq!(answer.status, 401, "{email} {attempt}");
        }
        let sixth = login_from(&users, "192.0.2.1", email, WRONG).await;
        assert_eq!(
            (sixth.status, sixth.body["title"].as_str()),
            (429, Some("Too many failed logins"))
        );
        assert!((55..=61).contains(&retry_after(&sixth)));
    }
    let blocked = login_from(&users, "192.0.2.1", "ada@souk.test", PASSWORD).await;
    assert_eq!(blocked.status, 429, "a right password does not show");
    wait(&users).await;
    let waited = login_from(&users, "192.0.2.1", "ada@souk.test", PASSWORD).await;
    assert_eq!(waited.status, 200);
    let forgotten = login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
    assert_eq!(forgotten.status, 401, "the count starts again");
}

#[tokio::test]
async fn guesses_from_many_addresses_must_wait_too() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    for email in ["ada@souk.test", "nobody@souk.test"] {
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
        "what was not checked does not count"
    );
}

#[tokio::test]
async fn one_bad_login_every_15_minutes_does_not_keep_the_owner_out() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    for _ in 0..100 {
        wait(&users).await;
        login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
    }
    let first = login_from(&users, "198.51.100.7", "ada@souk.test", PASSWORD).await;
    assert_eq!((first.status, retry_after(&first)), (429, 901));
    wait(&users).await;
    // The next bad login comes first.
    let bad = login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
    assert_eq!(bad.status, 401);
    let owner = login_from(&users, "198.51.100.7", "ada@souk.test", PASSWORD).await;
    assert_eq!(owner.status, 200);
}

#[tokio::test]
async fn a_known_device_gets_through_while_others_guess() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    users.register("eve@souk.test").await;
    let ada = device(&users, "ada@souk.test").await;
    let eve = device(&users, "eve@souk.test").await;
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
    assert_eq!(from_browser(eve, PASSWORD).await.status, 429, "another's device");
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
    assert_eq!(elsewhere.status, 429, "the guesses are not forgotten");
    // A device that was copied guesses no faster.
    for _ in 0..5 {
        assert_eq!(from_browser(ada.clone(), WRONG).await.status, 401);
    }
    assert_eq!(from_browser(ada, PASSWORD).await.status, 429);
}

async fn device(users: &Users, email: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD, "session": "cookie"});
    device_cookie(&users.post("/v1/auth/login", &body).await)
}

fn device_cookie(answer: &Answer) -> String {
    let cookies = answer.headers.get_all("set-cookie").iter();
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
async fn a_burst_of_guesses_is_throttled_too() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let guesses = (0..40).map(async |number| {
        let address = format!("192.0.2.{}", number % 20);
        login_from(&users, &address, "ada@souk.test", WRONG).await
    });
    let answers = futures::future::join_all(guesses).await;
    let checked = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(checked, 5);
}

#[tokio::test]
async fn a_password_that_changes_during_a_login_starts_no_session() {
    let users = Users::start().await;
    users.register("ada@souk.test").await;
    let mut connection = users.database.pool.acquire().await.unwrap();
    let email = Email::parse("ada@souk.test").unwrap();
    let checked = account::find_by_email(&mut connection, &email)
        .await
        .unwrap()
        .unwrap();
    assert!(account::is_current(&mut connection, &checked).await.unwrap());
    users.sql("UPDATE users SET password_hash = 'another'").await;
    assert!(!account::is_current(&mut connection, &checked).await.unwrap());
}
