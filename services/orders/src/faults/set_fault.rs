//! `PUT /v1/admin/faults`: switches a fault on for a limited time, or off.

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

/// Maximum duration of a fault in seconds.
const MAX_SECONDS: u32 = 15 * 60;

/// The new state of a fault switch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetFault {
    /// Name of the fault to switch on or off.
    name: Fault,
    /// Duration in seconds, 1 to 900; 0 switches the fault off.
    #[schema(minimum = 0, maximum = 900, example = 60)]
    seconds: u32,
    /// Reason for the log: 1 to 500 characters, not counting leading and trailing white space.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "Show how sagas survive lost commands."
    )]
    reason: String,
}

/// Set a fault switch
///
/// Switches a fault on, replacing its previous duration, or off. Every replica follows within a second, and the fault is
/// switched off automatically at its end. Exists in demo mode only; otherwise it fails with 404.
#[utoipa::path(put, path = "/v1/admin/faults", tag = "operators", security(("bearer" = [])), request_body = SetFault,
    responses((status = 200, description = "Every fault switch after the change", body = FaultList),
        (status = 400, description = "The body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "The service is not in demo mode", body = ProblemBody),
        (status = 422, description = "A field is not valid", body = ProblemBody)))]
pub async fn set_fault(
    State(app): State<App>,
    Admin(claims): Admin,
    Json(SetFault {
        name,
        seconds,
        reason,
    }): Json<SetFault>,
) -> Result<Json<FaultList>, Problem> {
    app.faults.require_demo_mode()?;
    if seconds > MAX_SECONDS {
        return Err(Error::field("/seconds", format!("must be 0 to {MAX_SECONDS}")).into());
    }
    let reason = text::checked("/reason", &reason, 500)?;
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        store::set(&mut conn, name, seconds, claims.sub, &reason).await?;
        tracing::warn!(fault = name.as_str(), seconds, actor = %claims.sub, reason, "an operator has set a fault switch");
        app.faults.refresh().await?;
        Ok(Json(list(&mut conn).await?))
    })
    .await
}
