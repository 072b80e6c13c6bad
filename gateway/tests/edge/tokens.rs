//! Authentication, and the identity headers that upstreams get.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use testkit::auth::Issuer;

use crate::harness::{assert_problem, edge};

#[tokio::test]
async fn identity_headers_of_a_client_are_removed() {
    let edge = edge().await;
    let claimed = [
        ("x-user-id", "1"),
        ("X-User-Roles", "admin"),
        ("x_user_id", "1"),
        ("x-internal-y", "1"),
        ("X-Internal-Client-Address", "198.51.100.7"),
        ("x_internal_client_address", "198.51.100.7"),
        ("x-forwarded-for", "198.51.100.7"),
    ];
    let (status, sent) = edge.get_with("/echo", &claimed).await;
    assert_eq!(status, 200);
    for name in ["x-user-id", "x-user-roles", "x_user_id", "x-internal-y"] {
        assert_eq!(sent["headers"][name], Value::Null, "{sent:#}");
    }
    assert_eq!(
        sent["headers"]["x-internal-client-address"], "127.0.0.1",
        "{sent:#}"
    );
    assert_eq!(
        sent["headers"]["x_internal_client_address"],
        Value::Null,
        "{sent:#}"
    );
    assert!(
        sent["headers"]["traceparent"].is_string() && sent["headers"]["x-request-id"].is_string(),
        "{sent:#}"
    );
}

#[tokio::test]
async fn only_valid_tokens_are_accepted_and_roles_are_enforced() {
    let edge = edge().await;
    let user = contracts::UserId::generate();
    let bearer = |token: String| format!("Bearer {token}");
    assert_problem(edge.get("/user").await, 401);
    let good = bearer(edge.issuer.customer(user));
    assert_eq!(edge.get_with("/user", &[("authorization", &good)]).await.0, 200);
    assert_problem(edge.get_with("/admin", &[("authorization", &good)]).await, 403);
    let admin = bearer(edge.issuer.admin());
    assert_eq!(edge.get_with("/admin", &[("authorization", &admin)]).await.0, 200);
    let mut wrong_audience = Issuer::claims(user, &["admin"]);
    wrong_audience["aud"] = json!(["another"]);
    let mut other_key = edge.issuer.header();
    other_key.kid = Some("unknown".into());
    let mut other_type = edge.issuer.header();
    other_type.typ = Some("JWT".into());
    let claims = Issuer::claims(user, &["admin"]);
    // A public key must not be accepted as an HMAC secret.
    let keys: Value = reqwest::get(edge.issuer.jwks_url())
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let public = keys["keys"][0]["x"].as_str().unwrap();
    let mut symmetric = edge.issuer.header();
    symmetric.alg = Algorithm::HS256;
    let forged =
        |secret: &[u8]| jsonwebtoken::encode(&symmetric, &claims, &EncodingKey::from_secret(secret)).unwrap();
    let mut brings_keys = edge.issuer.header();
    brings_keys.jku = Some(edge.issuer.jwks_url());
    let mut critical = edge.issuer.header();
    critical.crit = Some(vec!["exp".into()]);
    let mut other_issuer = claims.clone();
    other_issuer["iss"] = json!("https://elsewhere.test");
    let mut without_expiry = claims.clone();
    without_expiry.as_object_mut().unwrap().remove("exp");
    let mut not_yet_valid = claims.clone();
    not_yet_valid["nbf"] = json!(not_yet_valid["nbf"].as_i64().unwrap() + 600);
    let good_token = edge.issuer.token(user, &["admin"]);
    for token in [
        forged(public.as_bytes()),
        forged(&URL_SAFE_NO_PAD.decode(public).unwrap()),
        edge.issuer.sign(&brings_keys, &claims),
        edge.issuer.sign(&critical, &claims),
        edge.issuer.sign(&edge.issuer.header(), &other_issuer),
        edge.issuer.sign(&edge.issuer.header(), &without_expiry),
        edge.issuer.sign(&edge.issuer.header(), &not_yet_valid),
        good_token.rsplit_once('.').unwrap().0.to_owned() + ".",
        edge.issuer.expired_token(user),
        edge.issuer.sign(&edge.issuer.header(), &wrong_audience),
        edge.issuer.sign(&other_key, &claims),
        edge.issuer.sign(&other_type, &claims),
        "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.e30.".to_owned(),
    ] {
        assert_problem(
            edge.get_with("/admin", &[("authorization", &bearer(token))])
                .await,
            401,
        );
    }
}

#[tokio::test]
async fn upstreams_get_the_identity_of_the_token_and_no_api_key() {
    let edge = edge().await;
    let user = contracts::UserId::generate();
    let token = format!("Bearer {}", edge.issuer.customer(user));
    let headers = [
        ("authorization", token.as_str()),
        ("x-user-id", "1"),
        ("connection", "x-user-id"),
    ];
    let (_, sent) = edge.get_with("/known", &headers).await;
    assert_eq!(sent["headers"]["x-user-id"], json!(user), "{sent:#}");
    assert_eq!(sent["headers"]["x-user-roles"], "customer", "{sent:#}");

    let (status, sent) = edge.get_with("/known", &[("x-api-key", "a-key")]).await;
    assert_eq!(status, 200, "{sent:#}");
    assert!(
        sent["headers"]["authorization"]
            .as_str()
            .unwrap()
            .starts_with("Bearer "),
        "{sent:#}"
    );
    assert_eq!(sent["headers"]["x-api-key"], Value::Null, "{sent:#}");
    assert_problem(edge.get_with("/known", &[("x-api-key", "another")]).await, 401);
    let (_, sent) = edge.get_with("/echo", &[("x-api-key", "a-key")]).await;
    assert_eq!(
        sent["headers"]["x-api-key"],
        Value::Null,
        "also on a route without authentication: {sent:#}"
    );
}

#[tokio::test]
async fn an_api_key_does_what_its_scopes_allow() {
    let edge = edge().await;
    let session = format!("Bearer {}", edge.issuer.admin());
    let cases = [
        // Each path with GET, then with POST.
        (("x-api-key", "read"), [200, 403, 200, 403, 403, 403]),
        (("x-api-key", "order"), [200, 200, 200, 403, 403, 403]),
        (("x-api-key", "admin"), [200, 403, 200, 403, 200, 200]),
        (("x-api-key", "nothing"), [403; 6]),
        (("x-api-key", "a-key"), [403; 6]),
        (("authorization", session.as_str()), [200; 6]),
    ];
    for (credential, expected) in cases {
        let mut statuses = vec![];
        for path in ["/shopper", "/owner", "/operator"] {
            for method in [reqwest::Method::GET, reqwest::Method::POST] {
                let request = edge.client.request(method, format!("{}{path}", edge.url));
                let answer = request.header(credential.0, credential.1).send().await.unwrap();
                statuses.push(answer.status().as_u16());
            }
        }
        assert_eq!(statuses, expected, "{}", credential.1);
    }
    let refused = edge.get_with("/operator", &[("x-api-key", "read")]).await;
    assert!(
        refused.1["detail"].as_str().unwrap().contains("admin"),
        "{:#}",
        refused.1
    );
    assert_eq!(refused.1["type"], "https://souk.test/problems/insufficient-scope");
    assert_problem(refused, 403);
}

/// The issuer publishes a key before it signs with it, as users does. The gateway fetches the keys again for a key id that it
/// does not know, if its keys are more than 30 s old.
#[tokio::test]
async fn keys_are_rotated_under_load_without_a_rejected_token() {
    let edge = edge().await;
    let previous = edge.issuer.clone();
    let next = previous.with_next_key();
    let end = tokio::time::Instant::now() + Duration::from_secs(34);
    let rotation = end - Duration::from_secs(3);
    let client = async |number: u64| {
        let (mut requests, mut with_next_key) = (0, 0);
        while tokio::time::Instant::now() < end {
            // Verified tokens are cached, so each request has a new one.
            let signs_next = number.is_multiple_of(2) && tokio::time::Instant::now() >= rotation;
            let issuer = if signs_next { &next } else { &previous };
            let token = format!("Bearer {}", issuer.customer(contracts::UserId::generate()));
            let response = edge.get_with("/user", &[("authorization", &token)]).await;
            assert_eq!(response.0, 200, "after {requests} requests: {}", response.1);
            requests += 1;
            with_next_key += u32::from(signs_next);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        with_next_key
    };
    let with_next_key: u32 = futures::future::join_all((0..8).map(client))
        .await
        .into_iter()
        .sum();
    assert!(
        with_next_key > 20,
        "{with_next_key} requests had a token of the next key"
    );
}
