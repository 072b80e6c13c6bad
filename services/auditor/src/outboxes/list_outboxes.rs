//! `GET /v1/admin/outboxes`: how many messages wait to be published, and for how long.

use axum::extract::State;
use serde::Serialize;
use souk_http::{Json, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use crate::App;

/// The message outboxes of all services that have one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outboxes {
    /// One entry per outbox, always in the same order.
    items: Vec<Outbox>,
}

/// The number and age of the messages in one service's outbox.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outbox {
    /// Name of the service that owns the outbox.
    #[schema(example = "orders")]
    service: &'static str,
    /// Number of messages that have not been published yet.
    #[schema(minimum = 0, example = 2)]
    pending: i64,
    /// Age of the oldest unpublished message in seconds; 0 if there is none.
    #[schema(minimum = 0, example = 0.8)]
    oldest_age_seconds: f64,
}

/// List the outboxes
///
/// Counts the messages in each outbox. An outbox is normally empty or holds messages that are a fraction of a second old;
/// a growing age means that the message broker is unavailable. Responds with 503 if a database is unavailable.
#[utoipa::path(get, path = "/v1/admin/outboxes", tag = "audit", security(("bearer" = [])),
    responses((status = 200, description = "Every outbox", body = Outboxes),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 403, description = "The caller is not an administrator", body = ProblemBody),
        (status = 503, description = "A database is unavailable or too slow", body = ProblemBody)))]
pub(crate) async fn list_outboxes(State(app): State<App>, _admin: Admin) -> Result<Json<Outboxes>, Problem> {
    souk_http::detached(async move {
        let mut items = vec![];
        for (service, pool) in [("orders", &app.databases.orders), ("payments", &app.databases.payments)] {
            let (pending, oldest_age_seconds) = sqlx::query_as(
                "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox",
            )
            .fetch_one(pool)
            .await?;
            items.push(Outbox {
                service,
                pending,
                oldest_age_seconds,
            });
        }
        Ok(Json(Outboxes { items }))
    })
    .await
}
