//! `PUT /v1/admin/faults`: breaks something for a while, or mends it before its time.

use axum::extract::State;
use serde::Deserialize;
use souk_http::{Json, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::{
    Fault,
    list_faults::{FaultList, list},
    store,
};
use crate::{App, error::Error, text};

/// The longest that a fault may last, in seconds.
const LONGEST: u32 = 15 * 60;

/// A switch to set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFault {
    /// Which.
    name: Fault,
    /// For how long, 1 to 900; 0 switches it off.
    #[schema(maximum = 900)]
    seconds: u32,
    /// For the log, 1 to 500 characters.
    reason: String,
}

/// Set a fault switch
///
/// In demo mode only. It goes off by itself, on every replica.
#[utoipa::path(put, path = "/v1/admin/faults", tag = "operators", security(("bearer" = [])), request_body = SetFault,
    responses((status = 200, body = FaultList), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn set_fault(
    State(app): State<App>,
    Admin(claims): Admin,
    Json(SetFault {
        name,
        seconds,
        reason,
    }): Json<SetFault>,
) -> Result<Json<FaultList>, Problem> {
    app.faults.in_demo_mode()?;
    if seconds > LONGEST {
        return Err(Error::field("/seconds", format!("must be 0 to {LONGEST}")).into());
    }
    let reason = text::checked("/reason", &reason, 500)?;
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        store::set(&mut conn, name, seconds, claims.sub, &reason).await?;
        tracing::warn!(fault = name.as_str(), seconds, actor = %claims.sub, reason, "a fault switch is set");
        app.faults.refresh().await?;
        Ok(Json(list(&mut conn).await?))
    })
    .await
}
