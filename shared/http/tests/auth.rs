//! Tests which access tokens are accepted for which requests, and how rarely the keys of the issuer are fetched.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::FromRef, routing::get};
use contracts::UserId;
use futures::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};
use souk_http::auth::{Admin, AuthError, Session, User, Verifier};
use testkit::auth::Issuer;

#[derive(Clone, FromRef)]
struct State {
    verifier: Verifier,
}

async fn service(verifier: Verifier) -> String {
    let router = Router::new()
        .route(
            "/me",
            get(|User(claims): User| async move { claims.sub.to_string() }),
        )
        .route(
            "/admin",
            get(|_: Admin| async { "welcome" }).post(|_: Admin| async { "done" }),
        )
        .route(
            "/things",
            get(|_: User| async { "things" })
                .post(|_: User| async { "done" })
                .put(|_: User| async { "done" })
                .patch(|_: User| async { "done" })
                .delete(|_: User| async { "done" }),
        )
        .route(
            "/password",
            get(|_: Session| async { "yours" }).put(|_: Session| async { "done" }),
        )
        .with_state(State { verifier });
    testkit::spawn(souk_http::layers(router)).await
}

#[tokio::test]
async fn accepts_valid_tokens_and_checks_roles() {
    let issuer = Issuer::start().await;
    let base = service(Verifier::new(issuer.jwks_url())).await;
    let user = UserId::generate();
    let client = reqwest::Client::new();
    let get = |path: &'static str, token: String| {
        let request = client.get(format!("{base}{path}")).header("authorization", token);
        async move { request.send().await.unwrap() }
    };
    let bearer = format!("Bearer {}", issuer.token(user, &["customer", "a future role"]));
    let me = get("/me", bearer.clone()).await;
    assert_eq!(me.text().await.unwrap(), user.to_string());
    assert_eq!(get("/me", bearer.replace("Bearer", "bearer")).await.status(), 200);
    assert_eq!(get("/admin", bearer.clone()).await.status(), 403);
    assert_eq!(
        get("/admin", format!("Bearer {}", issuer.admin())).await.status(),
        200
    );
    for bad in ["", "Basic YTpi", "Bearer", "Bearer nonsense", "Bearer a.b.c"] {
        let response = get("/me", bad.to_owned()).await;
        assert_eq!(response.status(), 401, "{bad}");
        assert!(response.headers().contains_key("www-authenticate"), "{bad}");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json",
            "{bad}"
        );
    }
    let twice = client
        .get(format!("{base}/me"))
        .header("authorization", &bearer)
        .header("authorization", &bearer);
    assert_eq!(twice.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn an_api_key_token_allows_what_its_scopes_allow() {
    let issuer = Issuer::start().await;
    let base = service(Verifier::new(issuer.jwks_url())).await;
    let user = UserId::generate();
    let roles = ["customer", "admin"];
    let mut unusable = Issuer::claims(user, &roles);
    unusable.as_object_mut().unwrap().remove("sid");
    let unusable = issuer.sign(&issuer.header(), &unusable);
    let client = reqwest::Client::new();
    let key = |scope| issuer.api_key(user, &roles, scope);
    // The expected statuses of all five methods on /things, of GET and POST on /admin, and of GET and PUT on /password.
    let cases = [
        ("read", key("read"), [200, 403, 403, 403, 403, 403, 403, 403, 403]),
        (
            "order",
            key("order"),
            [200, 200, 200, 200, 200, 403, 403, 403, 403],
        ),
        (
            "admin",
            key("admin"),
            [200, 403, 403, 403, 403, 200, 200, 403, 403],
        ),
        (
            "all",
            key("read order admin future"),
            [200, 200, 200, 200, 200, 200, 200, 403, 403],
        ),
        ("future", key("future"), [403; 9]),
        ("none", key(""), [403; 9]),
        ("neither scope nor session", unusable, [403; 9]),
        ("session", issuer.admin(), [200; 9]),
    ];
    for (what, token, expected) in cases {
        let mut statuses = vec![];
        for (path, methods) in [
            ("/things", &["GET", "POST", "PUT", "PATCH", "DELETE"][..]),
            ("/admin", &["GET", "POST"]),
            ("/password", &["GET", "PUT"]),
        ] {
            for method in methods {
                let request = client.request(method.parse().unwrap(), format!("{base}{path}"));
                let response = request.bearer_auth(&token).send().await.unwrap();
                statuses.push(response.status().as_u16());
            }
        }
        assert_eq!(statuses, expected, "{what}");
    }
    let shopper = issuer.api_key(user, &["customer"], "admin");
    let response = client
        .get(format!("{base}/admin"))
        .bearer_auth(shopper)
        .send()
        .await;
    assert_eq!(response.unwrap().status(), 403, "a scope does not grant a role");
    let valid = Issuer::claims(user, &roles);
    for scope in [json!(["read"]), json!(1)] {
        let mut claims = valid.clone();
        claims["scope"] = scope;
        let token = issuer.sign(&issuer.header(), &claims);
        let response = client
            .get(format!("{base}/things"))
            .bearer_auth(token)
            .send()
            .await;
        assert_eq!(
            response.unwrap().status(),
            401,
            "the claim scope must be a string"
        );
    }
}

#[tokio::test]
async fn rejects_tokens_with_invalid_claims_headers_or_signatures() {
    let issuer = Issuer::start().await;
    let verifier = Verifier::new(issuer.jwks_url());
    let user = UserId::generate();
    let good = Issuer::claims(user, &["customer"]);
    let now = good["iat"].as_i64().unwrap();
    let mut invalid: Vec<(&str, String)> = Vec::new();
    for claim in ["iss", "aud", "sub", "jti", "iat", "nbf", "exp", "roles"] {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(claim);
        invalid.push((claim, issuer.sign(&issuer.header(), &claims)));
    }
    let wrong: [(&str, Value); 7] = [
        ("iss", json!("https://elsewhere.test")),
        ("aud", json!(["elsewhere"])),
        ("sub", json!("admin")),
        ("exp", json!(now - 31)),
        ("exp", json!("never")),
        ("nbf", json!(now + 60)),
        ("roles", json!("admin")),
    ];
    for (claim, value) in wrong {
        let mut claims = good.clone();
        claims[claim] = value;
        invalid.push((claim, issuer.sign(&issuer.header(), &claims)));
    }
    let header = |change: fn(&mut jsonwebtoken::Header)| {
        let mut header = issuer.header();
        change(&mut header);
        issuer.sign(&header, &good)
    };
    invalid.extend([
        ("typ JWT", header(|header| header.typ = Some("JWT".into()))),
        ("no typ", header(|header| header.typ = None)),
        ("no kid", header(|header| header.kid = None)),
        ("other kid", header(|header| header.kid = Some("mine".into()))),
        (
            "jku",
            header(|header| header.jku = Some("https://evil.test/jwks".into())),
        ),
        (
            "x5u",
            header(|header| header.x5u = Some("https://evil.test/cert".into())),
        ),
        ("crit", header(|header| header.crit = Some(vec!["exp".into()]))),
        (
            "other issuer's key",
            Issuer::start().await.token(user, &["admin"]),
        ),
        ("long", "x".repeat(5000)),
    ]);
    let token = issuer.sign(&issuer.header(), &good);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged = jsonwebtoken::encode(
        &jsonwebtoken::Header {
            alg: jsonwebtoken::Algorithm::HS256,
            ..issuer.header()
        },
        &good,
        &jsonwebtoken::EncodingKey::from_secret(b"public"),
    );
    invalid.extend([("HS256", forged.unwrap()), ("no signature", format!("{signed}."))]);
    let other = if signature.starts_with('A') { "B" } else { "A" };
    invalid.push(("other signature", format!("{signed}.{other}{}", &signature[1..])));
    for (what, token) in invalid {
        let error = verifier.verify(&token).await.expect_err(what);
        assert!(matches!(error, AuthError::Invalid(_)), "{what}: {error}");
    }
    assert_eq!(verifier.verify(&token).await.unwrap().sub, user);
    let mut late = good;
    late["exp"] = json!(now - 20);
    verifier
        .verify(&issuer.sign(&issuer.header(), &late))
        .await
        .expect("30 seconds of leeway");
}

#[tokio::test]
async fn concurrent_requests_and_unknown_key_ids_cause_one_fetch() {
    let issuer = Issuer::start().await;
    let document: Value = reqwest::get(issuer.jwks_url())
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let fetches = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&fetches);
    let jwks = get(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async move { axum::Json(document) }
    });
    let url = testkit::spawn(Router::new().route("/jwks", jwks)).await;
    let verifier = Verifier::new(format!("{url}/jwks"));
    let token = issuer.customer(UserId::generate());
    let results = join_all((0..50).map(|_| verifier.verify(&token))).await;
    assert!(results.iter().all(Result::is_ok));
    let foreign_token = Issuer::start().await.admin();
    for _ in 0..20 {
        assert!(verifier.verify(&foreign_token).await.is_err());
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn answers_503_while_the_keys_are_unavailable() {
    let broken =
        testkit::spawn(Router::new().route("/jwks", get(|| async { StatusCode::BAD_GATEWAY }))).await;
    let base = service(Verifier::new(format!("{broken}/jwks"))).await;
    let token = Issuer::start().await.admin();
    let response = reqwest::Client::new()
        .get(format!("{base}/me"))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
}
