//! `GET /v1/admin/sagas/{id}`: any saga's timeline.

use axum::extract::State;
use contracts::SagaId;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};

use crate::{
    App,
    error::Error,
    saga::timeline::{self, SagaView},
};

/// Get a saga
#[utoipa::path(get, path = "/v1/admin/sagas/{id}", tag = "operators", security(("bearer" = [])),
    params(("id" = SagaId, Path)),
    responses((status = 200, body = SagaView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn get_any_saga(
    State(app): State<App>,
    _admin: Admin,
    Path(id): Path<SagaId>,
) -> Result<Json<SagaView>, Problem> {
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        Ok(Json(
            timeline::find(&mut conn, id)
                .await?
                .ok_or(Error::NotFound("saga"))?,
        ))
    })
    .await
}
