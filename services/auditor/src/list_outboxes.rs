//! `GET /v1/admin/outboxes`: which messages still wait to be sent, and for how long.

use axum::extract::State;
use serde::Serialize;
use souk_http::{Json, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use crate::App;

/// The outboxes of all services that have one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outboxes {
    items: Vec<Outbox>,
}

/// One outbox.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outbox {
    /// Whose.
    #[schema(example = "orders")]
    service: &'static str,
    /// Messages that wait to be sent.
    pending: i64,
    /// How long the first of them has waited; 0 when none waits.
    oldest_age_seconds: f64,
}

/// List the outboxes
#[utoipa::path(get, path = "/v1/admin/outboxes", tag = "audit", security(("bearer" = [])),
    responses((status = 200, body = Outboxes), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
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
