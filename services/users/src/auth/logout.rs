//! `POST /v1/auth/logout`.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::Utc;
use http::{StatusCode, header};
use souk_http::{Problem, ProblemBody};
use sqlx::PgPool;

use crate::{
    cookie::{self, Presented, RefreshRequest},
    session,
};

/// Ends the session of a refresh token, from the body or the cookie. An unknown one is ended already.
#[utoipa::path(post, path = "/v1/auth/logout", tag = "auth", request_body = Option<RefreshRequest>, responses(
    (status = 204),
    (status = 403, description = "By cookie from another origin", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn log_out(State(pool): State<PgPool>, presented: Presented) -> Result<Response, Problem> {
    let mut connection = pool.acquire().await?;
    session::end(&mut connection, presented.token(), Utc::now()).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if presented.by_cookie() {
        response.headers_mut().insert(header::SET_COOKIE, cookie::clear());
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{PASSWORD, Users};

    #[tokio::test]
    async fn ends_the_session() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let body =
            json!({"refresh_token": users.login("ada@souk.test", PASSWORD).await.body["refresh_token"]});
        assert_eq!(users.post("/v1/auth/logout", &body).await.status, 204);
        assert_eq!(users.post("/v1/auth/refresh", &body).await.status, 401);
        assert_eq!(
            users.post("/v1/auth/logout", &body).await.status,
            204,
            "twice is once"
        );
    }
}
