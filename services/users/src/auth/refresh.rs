//! `POST /v1/auth/refresh`.

use axum::{extract::State, response::Response};
use chrono::Utc;
use souk_http::{Problem, ProblemBody, detached};
use sqlx::Connection;

use super::login::{Transport, respond};
use crate::{
    app,
    cookie::{Presented, RefreshRequest},
    session::{self, Refreshed},
};

/// Exchanges a refresh token, from the body or the cookie, for the next pair. A token that was used before ends its
/// whole session.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "auth", request_body = Option<RefreshRequest>, responses(
    (status = 200, body = session::TokenResponse),
    (status = 401, body = ProblemBody, content_type = "application/problem+json"),
    (status = 403, description = "By cookie from another origin", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn refresh_session(
    State(app): State<app::State>,
    presented: Presented,
) -> Result<Response, Problem> {
    let transport = if presented.by_cookie() {
        Transport::Cookie
    } else {
        Transport::Token
    };
    let tokens = detached(async move {
        let mut connection = app.pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        let refreshed = session::refresh(&mut transaction, presented.token(), Utc::now()).await?;
        transaction.commit().await?;
        match refreshed {
            Refreshed::Granted(grant) => grant.sign(&app.keyring).await,
            Refreshed::Refused => Err(refused()),
            Refreshed::Reused => {
                tracing::warn!("a used refresh token was shown again; its session is revoked");
                Err(refused())
            }
        }
    })
    .await?;
    respond(tokens, transport)
}

fn refused() -> Problem {
    Problem::unauthorized("The refresh token is not valid, or no longer. Log in again.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{PASSWORD, Users};

    #[tokio::test]
    async fn rotates_and_a_reuse_ends_the_session() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let first = users.login("ada@souk.test", PASSWORD).await.body["refresh_token"].clone();
        let answer = users
            .post("/v1/auth/refresh", &json!({"refresh_token": first}))
            .await;
        assert_eq!(answer.status, 200);
        let second = answer.body["refresh_token"].clone();
        assert_ne!(second, first);
        assert_eq!(
            users
                .post("/v1/auth/refresh", &json!({"refresh_token": first}))
                .await
                .status,
            401
        );
        assert_eq!(
            users
                .post("/v1/auth/refresh", &json!({"refresh_token": second}))
                .await
                .status,
            401,
            "revoked with it"
        );
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
    }

    #[tokio::test]
    async fn of_two_at_once_one_wins() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let body =
            json!({"refresh_token": users.login("ada@souk.test", PASSWORD).await.body["refresh_token"]});
        let answers = futures::future::join_all((0..8).map(|_| users.post("/v1/auth/refresh", &body))).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1);
    }

    #[tokio::test]
    async fn a_disabled_account_is_refused() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let token = users.login("ada@souk.test", PASSWORD).await.body["refresh_token"].clone();
        users.sql("UPDATE users SET disabled_at = now()").await;
        assert_eq!(
            users
                .post("/v1/auth/refresh", &json!({"refresh_token": token}))
                .await
                .status,
            401
        );
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
    }

    #[tokio::test]
    async fn a_browser_uses_a_cookie_from_its_own_origin_only() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let login = json!({"email": "ada@souk.test", "password": PASSWORD, "session": "cookie"});
        let answer = users.post("/v1/auth/login", &login).await;
        assert!(
            answer.body.get("refresh_token").is_none(),
            "no script may read it"
        );
        let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
        for attribute in [
            "souk_refresh=souk_rt_",
            "HttpOnly",
            "Secure",
            "SameSite=Strict",
            "Path=/v1/auth",
        ] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let pair = cookie.split(';').next().unwrap().to_owned();
        let refresh = |path: &'static str, origin: Option<String>| {
            let mut request = users.request(reqwest::Method::POST, path).header("cookie", &pair);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            users.send(request)
        };
        assert_eq!(refresh("/v1/auth/refresh", None).await.status, 403);
        assert_eq!(
            refresh("/v1/auth/logout", Some("https://evil.test".into()))
                .await
                .status,
            403
        );
        let answer = refresh("/v1/auth/refresh", Some(users.base.clone())).await;
        assert_eq!(answer.status, 200);
        assert!(
            answer.headers["set-cookie"]
                .to_str()
                .unwrap()
                .starts_with("souk_refresh=souk_rt_")
        );
        assert!(answer.body.get("refresh_token").is_none());
    }
}
