//! `GET /v1/admin/audit`: checks the invariants and returns a report.

use axum::extract::State;
use souk_http::{Json, Problem, ProblemBody, auth::Admin};

use crate::{App, audit::Report};

/// Check the invariants
///
/// Reads every database and reports each invariant with its violations. A violation is part of the report, not an error.
/// A report is reused for 5 seconds. Orders that are in progress are left to a later audit. Responds with 503 if a
/// database is unavailable or the audit takes longer than 8 seconds.
#[utoipa::path(get, path = "/v1/admin/audit", tag = "audit", security(("bearer" = [])),
    responses((status = 200, description = "The report, with or without violations", body = Report),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 403, description = "The caller is not an administrator", body = ProblemBody),
        (status = 503, description = "A database is unavailable or too slow", body = ProblemBody)))]
pub(crate) async fn get_audit(State(app): State<App>, _admin: Admin) -> Result<Json<Report>, Problem> {
    Ok(Json(app.audit().await?))
}
