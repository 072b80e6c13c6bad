//! `GET /v1/admin/audit`: what must always hold, and whether it does.

use axum::extract::State;
use souk_http::{Json, Problem, ProblemBody, auth::Admin};

use crate::{App, audit::Report};

/// Check the invariants
///
/// Over all databases, at most every 5 seconds. An order that is under way is not judged.
#[utoipa::path(get, path = "/v1/admin/audit", tag = "audit", security(("bearer" = [])),
    responses((status = 200, body = Report), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn get_audit(State(app): State<App>, _admin: Admin) -> Result<Json<Report>, Problem> {
    Ok(Json(app.audit().await?))
}
