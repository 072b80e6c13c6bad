//! `POST /v1/notifications/{id}/read` and `POST /v1/notifications/read`.

use axum::extract::State;
use http::StatusCode;
use souk_http::{Path, Problem, ProblemBody, auth::User};
use uuid::Uuid;

use super::store;
use crate::{App, error::Error};

/// Mark a notification as read
///
/// Doing it again changes nothing.
#[utoipa::path(post, path = "/v1/notifications/{id}/read", tag = "notifications", params(("id" = Uuid, Path)),
    security(("bearer" = [])),
    responses((status = 204), (status = 401, body = ProblemBody),
        (status = 404, description = "No such notification, or someone else's", body = ProblemBody)))]
pub(crate) async fn read_notification(
    State(app): State<App>,
    User(claims): User,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await.map_err(Error::from)?;
        let found = store::mark(&mut conn, claims.sub, id)
            .await
            .map_err(Error::from)?;
        if found {
            Ok(StatusCode::NO_CONTENT)
        } else {
            Err(Error::NotFound.into())
        }
    })
    .await
}

/// Mark all notifications as read
#[utoipa::path(post, path = "/v1/notifications/read", tag = "notifications", security(("bearer" = [])),
    responses((status = 204), (status = 401, body = ProblemBody)))]
pub(crate) async fn read_all_notifications(
    State(app): State<App>,
    User(claims): User,
) -> Result<StatusCode, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await.map_err(Error::from)?;
        store::mark_all(&mut conn, claims.sub)
            .await
            .map_err(Error::from)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
