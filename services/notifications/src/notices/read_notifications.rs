//! `POST /v1/notifications/{id}/read` and `POST /v1/notifications/read`: mark one or all notifications as read.

use axum::extract::State;
use http::StatusCode;
use souk_http::{Path, Problem, ProblemBody, auth::User};
use uuid::Uuid;

use super::store;
use crate::{App, error::Error};

/// Mark a notification as read
///
/// Marks one of the caller's notifications as read. Repeating the request has no effect: the time of the first one is kept.
#[utoipa::path(post, path = "/v1/notifications/{id}/read", tag = "notifications",
    params(("id" = Uuid, Path, description = "Id of the notification")), security(("bearer" = [])),
    responses((status = 204, description = "The notification is marked as read"),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 404, description = "The notification does not exist or belongs to another user", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
pub(crate) async fn read_notification(
    State(app): State<App>,
    User(claims): User,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await.map_err(Error::from)?;
        let found = store::mark_read(&mut conn, claims.sub, id)
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
///
/// Marks every notification of the caller as read. Notifications that are already read keep their time.
#[utoipa::path(post, path = "/v1/notifications/read", tag = "notifications", security(("bearer" = [])),
    responses((status = 204, description = "Every notification is marked as read"),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
pub(crate) async fn read_all_notifications(
    State(app): State<App>,
    User(claims): User,
) -> Result<StatusCode, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await.map_err(Error::from)?;
        store::mark_all_read(&mut conn, claims.sub)
            .await
            .map_err(Error::from)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
