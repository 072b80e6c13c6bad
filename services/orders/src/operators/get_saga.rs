//! `GET /v1/admin/sagas/{id}`: returns the timeline of any saga.

use axum::extract::State;
use contracts::SagaId;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};

use crate::{
    App,
    error::Error,
    saga::timeline::{self, SagaView},
};

/// Get a saga by its id
///
/// Returns the steps of the saga with their outcomes, attempts and reasons. A checkout has the id of its order, the saga of a
/// return has the id of the return.
#[utoipa::path(get, path = "/v1/admin/sagas/{id}", tag = "operators", security(("bearer" = [])),
    params(("id" = SagaId, Path, description = "Id of the saga")),
    responses((status = 200, description = "The saga", body = SagaView),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such saga", body = ProblemBody)))]
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
