//! `GET /v1/admin/faults`: lists every fault switch and whether it is on.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::UserId;
use serde::Serialize;
use souk_http::{Json, Problem, ProblemBody, auth::Admin};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{Fault, store};
use crate::App;

/// Every fault switch, on or off.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaultList {
    /// One entry for each fault that can be switched on.
    pub items: Vec<FaultView>,
}

/// A fault switch and its current state.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaultView {
    /// Name of the fault.
    pub name: Fault,
    /// Short title of the fault, in English.
    #[schema(example = "Payments is unreachable")]
    pub title: &'static str,
    /// What the fault does, and what can be observed while it is on.
    pub description: &'static str,
    /// Time at which the switch turns off automatically. Null while it is off.
    pub until: Option<DateTime<Utc>>,
    /// Operator who switched it on. Null while it is off.
    pub set_by: Option<UserId>,
    /// Reason that the operator gave. Null while it is off.
    pub reason: Option<String>,
}

/// List the fault switches
///
/// Exists in demo mode only; otherwise it fails with 404.
#[utoipa::path(get, path = "/v1/admin/faults", tag = "operators", security(("bearer" = [])),
    responses((status = 200, description = "Every fault switch", body = FaultList),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "The service is not in demo mode", body = ProblemBody)))]
pub async fn list_faults(State(app): State<App>, _admin: Admin) -> Result<Json<FaultList>, Problem> {
    app.faults.require_demo_mode()?;
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        Ok(Json(list(&mut conn).await?))
    })
    .await
}

pub(super) async fn list(conn: &mut PgConnection) -> sqlx::Result<FaultList> {
    let active = store::active(conn).await?;
    let view = |fault: Fault| {
        let switch = active.iter().find(|switch| switch.fault == fault);
        FaultView {
            name: fault,
            title: fault.title(),
            description: fault.description(),
            until: switch.map(|switch| switch.until),
            set_by: switch.map(|switch| switch.set_by),
            reason: switch.map(|switch| switch.reason.clone()),
        }
    };
    Ok(FaultList {
        items: Fault::ALL.iter().copied().map(view).collect(),
    })
}
