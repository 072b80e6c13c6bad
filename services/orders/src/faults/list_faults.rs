//! `GET /v1/admin/faults`: every switch, and which are on.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::UserId;
use serde::Serialize;
use souk_http::{Json, Problem, ProblemBody, auth::Admin};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{Fault, store};
use crate::App;

/// The fault switches.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaultList {
    /// All of them.
    pub items: Vec<FaultView>,
}

/// A fault switch.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaultView {
    /// Its name.
    pub name: Fault,
    /// In a few words.
    #[schema(example = "Payments is unreachable")]
    pub title: &'static str,
    /// What it does, and what is to be seen of it.
    pub description: &'static str,
    /// When it goes off by itself; null while it is off, as the rest is.
    pub until: Option<DateTime<Utc>>,
    /// Who switched it on.
    pub set_by: Option<UserId>,
    /// Why.
    pub reason: Option<String>,
}

/// List the fault switches
///
/// In demo mode only.
#[utoipa::path(get, path = "/v1/admin/faults", tag = "operators", security(("bearer" = [])),
    responses((status = 200, body = FaultList), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn list_faults(State(app): State<App>, _admin: Admin) -> Result<Json<FaultList>, Problem> {
    app.faults.in_demo_mode()?;
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        Ok(Json(list(&mut conn).await?))
    })
    .await
}

pub(super) async fn list(conn: &mut PgConnection) -> sqlx::Result<FaultList> {
    let active = store::active(conn).await?;
    let view = |fault: Fault| {
        let on = active.iter().find(|on| on.fault == fault);
        FaultView {
            name: fault,
            title: fault.title(),
            description: fault.description(),
            until: on.map(|on| on.until),
            set_by: on.map(|on| on.set_by),
            reason: on.map(|on| on.reason.clone()),
        }
    };
    Ok(FaultList {
        items: Fault::ALL.into_iter().map(view).collect(),
    })
}
