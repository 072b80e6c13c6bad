//! Links that authenticate clients without a token: names and passwords, and a service that decides.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde_json::{Value, json};

use crate::harness::{Front, assert_problem, front, front_error};

fn argon2_hash(password: &str) -> String {
    let params = Params::new(1024, 1, 1, None).unwrap();
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    hasher.hash_password(password.as_bytes()).unwrap().to_string()
}

/// Responds with the header fields of the request.
async fn fields(headers: HeaderMap) -> Json<Value> {
    let fields: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
        .collect();
    Json(fields.into())
}

fn rest(link: &str) -> String {
    format!(
        "policies: {{p: [{link}], limited: [{{rate: {{by: user, quota: 2, window: 10m}}}}], admin: [{{role: admin}}]}}
routes:
  all: {{match: {{path: \"/x/{{*rest}}\", methods: [GET, POST]}}, use: [p], to: backend}}
  limited: {{match: {{path: /limited, methods: [GET]}}, use: [p, limited], to: backend}}
  admin: {{match: {{path: /admin, methods: [GET]}}, use: [p, admin], to: backend}}
"
    )
}

async fn basic() -> Front {
    let link = format!(
        "{{basic: {{users: {{anna: \"{}\", bert: \"{}\"}}, realm: the shop, header: x-user-name}}}}",
        argon2_hash("anna's password"),
        bcrypt::hash("bert's: password", 4).unwrap(),
    );
    front(Router::new().fallback(any(fields)), &rest(&link)).await
}

async fn login(edge: &Front, path: &str, name: &str, password: &str) -> reqwest::Response {
    let request = edge.client.get(format!("{}{path}", edge.url));
    request.basic_auth(name, Some(password)).send().await.unwrap()
}

#[tokio::test]
async fn the_right_name_and_password_pass() {
    let edge = basic().await;
    for (name, password) in [("anna", "anna's password"), ("bert", "bert's: password")] {
        for _ in 0..2 {
            let answer = login(&edge, "/x/1", name, password).await;
            assert_eq!(answer.status(), 200, "{name}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let seen: Value = answer.json().await.unwrap();
            assert_eq!(
                seen["authorization"],
                Value::Null,
                "the password is not forwarded"
            );
            assert_eq!(seen["x-user-name"], name);
        }
    }
    let forged = [
        ("authorization", "Basic YW5uYTphbm5hJ3MgcGFzc3dvcmQ="),
        ("x_user_name", "bert"),
        ("x-user-name", "bert"),
    ];
    let (status, seen) = edge.json("/x/1", &forged).await;
    assert_eq!(
        (status, &seen["x-user-name"], &seen["x_user_name"]),
        (200, &json!("anna"), &Value::Null)
    );
}

#[tokio::test]
async fn anything_else_is_refused_with_a_challenge() {
    let edge = basic().await;
    for (name, password) in [
        ("anna", "bert's: password"),
        ("anna", ""),
        ("nobody", "anna's password"),
        ("", ""),
    ] {
        let answer = login(&edge, "/x/1", name, password).await;
        let challenge = answer
            .headers()
            .get_all("www-authenticate")
            .iter()
            .collect::<Vec<_>>();
        assert_eq!(challenge, ["Basic realm=\"the shop\", charset=\"UTF-8\""]);
        assert_problem((answer.status().as_u16(), answer.json().await.unwrap()), 401);
    }
    for value in [
        "Bearer abc",
        "Basic",
        "Basic !",
        "Basic YW5uYQ==",
        "Basic /////w==",
    ] {
        assert_problem(edge.json("/x/1", &[("authorization", value)]).await, 401);
    }
    assert_problem(edge.json("/x/1", &[]).await, 401);
}

#[tokio::test]
async fn users_have_quotas_of_their_own_and_no_roles() {
    let edge = basic().await;
    let status = async |path, name, password| login(&edge, path, name, password).await.status();
    for expected in [200, 200, 429] {
        assert_eq!(status("/limited", "anna", "anna's password").await, expected);
    }
    assert_eq!(status("/limited", "bert", "bert's: password").await, 200);
    assert_eq!(status("/admin", "anna", "anna's password").await, 403);
}

#[tokio::test]
async fn verifying_passwords_does_not_stop_other_requests() {
    let slow = Params::new(64 * 1024, 6, 1, None).unwrap();
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, slow);
    let hash = hasher.hash_password(b"right").unwrap();
    let link = format!("{{basic: {{users: {{anna: \"{hash}\"}}}}}}");
    let open = "  open: {match: {path: /open, methods: [GET]}, use: [open], to: backend}\n";
    let rest = rest(&link).replace("policies: {", "policies: {open: [anonymous], ") + open;
    let edge = front(Router::new().fallback(any(fields)), &rest).await;
    let guesses = futures::future::join_all((0..6).map(|number| {
        let password = format!("wrong {number}");
        let edge = &edge;
        async move { login(edge, "/x/1", "anna", &password).await.status() }
    }));
    let others = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let started = Instant::now();
            assert_eq!(edge.get("/open", &[]).await.status(), 200);
            slowest = slowest.max(started.elapsed());
        }
        slowest
    };
    let started = Instant::now();
    let (guesses, slowest) = tokio::join!(guesses, others);
    assert!(guesses.iter().all(|status| *status == 401), "{guesses:?}");
    assert!(
        slowest < started.elapsed() / 2,
        "{slowest:?} of {:?}",
        started.elapsed()
    );
    assert_eq!(login(&edge, "/x/1", "anna", "right").await.status(), 200);
    let started = Instant::now();
    for _ in 0..50 {
        assert_eq!(login(&edge, "/x/1", "anna", "right").await.status(), 200);
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "it is remembered: {:?}",
        started.elapsed()
    );
}

#[test]
fn invalid_users_are_refused_with_their_place() {
    for (link, message) in [
        (
            "{basic: {users: {anna: plain}}}",
            "must be a hash by Argon2 or bcrypt",
        ),
        (
            "{basic: {users: {\"a:b\": plain}}}",
            "`a:b` cannot be the name of a user",
        ),
        ("{basic: {users: {}, realm: 'a\"b'}}", "the realm contains"),
        (
            "{basic: {users: {}, header: via}}",
            "the gateway sets or removes `via` itself",
        ),
        (
            "{basic: {users: {}, header: \"a b\"}}",
            "`a b` is not a valid name",
        ),
        ("{basic: {realm: x}}", "missing field `users`"),
        (
            "{forward_auth: {to: nobody, path: /auth}}",
            "there is no upstream named `nobody`",
        ),
        (
            "{forward_auth: {to: backend, path: auth}}",
            "must begin with a slash",
        ),
        (
            "{forward_auth: {to: backend, path: /auth, copy: [connection]}}",
            "`connection`",
        ),
        (
            "{forward_auth: {to: backend, path: /auth, user: \"?\\n\"}}",
            "is not a valid name",
        ),
    ] {
        let error = front_error(&rest(link));
        assert!(
            error.starts_with("line 4, column") && error.contains(message),
            "{link}: {error}"
        );
    }
}

/// Lets `good` tokens pass, and describes the question in a header field.
async fn decide(uri: Uri, headers: HeaderMap) -> Response {
    let value = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    let fields = [
        ("x-user-id", "7".to_owned()),
        (
            "x-asked",
            format!(
                "{uri} {} {} {} {} {}",
                value("x-forwarded-method"),
                value("x-forwarded-uri"),
                value("x-forwarded-host"),
                value("x-forwarded-for"),
                value("content-length"),
            ),
        ),
        ("x-not-copied", "1".to_owned()),
    ];
    match value("authorization") {
        "good" => (StatusCode::NO_CONTENT, fields).into_response(),
        "slow" => {
            tokio::time::sleep(Duration::from_secs(5)).await;
            StatusCode::OK.into_response()
        }
        "moved" => (StatusCode::FOUND, [("location", "https://login.test/")]).into_response(),
        _ => (
            StatusCode::UNAUTHORIZED,
            [("www-authenticate", "Custom")],
            "who are you?",
        )
            .into_response(),
    }
}

async fn forward_auth(rules: &str) -> Front {
    let router = Router::new().route("/decide", get(decide)).fallback(any(fields));
    front(router, &rest(&format!("{{forward_auth: {rules}}}"))).await
}

#[tokio::test]
async fn a_service_lets_requests_pass_and_adds_fields() {
    let edge = forward_auth(
        "{to: backend, path: \"/decide?a=b\", copy: [x-user-id, X-Asked, x-absent], user: x-user-id}",
    )
    .await;
    let sent = [
        ("authorization", "good"),
        ("x-user-id", "forged"),
        ("x_asked", "forged"),
        ("x-absent", "forged"),
        ("x-kept", "1"),
        ("host", "shop.test"),
        ("if-none-match", "\"1\""),
    ];
    let mut request = edge.client.post(format!("{}/x/1?page=2", edge.url)).body("hello");
    for (name, value) in sent {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    assert_eq!(
        answer.headers()["cache-control"],
        "no-store",
        "it is a response for one client"
    );
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["x-user-id"], "7");
    assert_eq!(
        seen["x-asked"],
        "/decide?a=b POST /x/1?page=2 shop.test 127.0.0.1"
    );
    assert_eq!(seen["x_asked"], Value::Null);
    assert_eq!(seen["x-absent"], Value::Null);
    assert_eq!(seen["x-not-copied"], Value::Null);
    assert_eq!(
        (&seen["x-kept"], &seen["content-length"]),
        (&json!("1"), &json!("5"))
    );
    for expected in [200, 200, 429] {
        assert_eq!(
            edge.get("/limited", &[("authorization", "good")]).await.status(),
            expected
        );
    }
}

#[tokio::test]
async fn other_answers_of_the_service_are_sent_to_the_client() {
    let edge = forward_auth("{to: backend, path: /decide}").await;
    let answer = edge.get("/x/1", &[]).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.headers()["www-authenticate"], "Custom");
    assert_eq!(answer.text().await.unwrap(), "who are you?");
    let moved = edge.get("/x/1", &[("authorization", "moved")]).await;
    assert_eq!(moved.status(), 302);
    assert_eq!(moved.headers()["location"], "https://login.test/");
}

#[tokio::test]
async fn without_an_answer_nobody_passes() {
    let down = forward_auth("{to: down, path: /decide}").await;
    assert_problem(down.json("/x/1", &[("authorization", "good")]).await, 503);
    let slow = forward_auth("{to: backend, path: /decide, timeout: 200ms}").await;
    let started = Instant::now();
    assert_problem(slow.json("/x/1", &[("authorization", "slow")]).await, 503);
    assert!(started.elapsed() < Duration::from_secs(3));
}
