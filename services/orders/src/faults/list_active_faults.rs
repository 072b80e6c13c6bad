//! `GET /v1/faults`: lists the faults that are switched on, for every user whose order may be affected. Served from memory,
//! so it may be up to a second old. The operator's id and reason are not published.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use souk_http::Json;
use utoipa::ToSchema;

use super::Fault;
use crate::App;

/// The faults that are switched on at the moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveFaults {
    /// One entry for each active fault. Always empty outside demo mode.
    pub items: Vec<ActiveFault>,
}

/// A fault that an operator has switched on.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveFault {
    /// Name of the fault.
    pub name: Fault,
    /// Short title of the fault, in English.
    #[schema(example = "Payments is unreachable")]
    pub title: &'static str,
    /// Time at which the fault is switched off automatically.
    pub until: DateTime<Utc>,
}

/// List the active faults
///
/// Returns the faults that an operator has switched on for a demonstration, so that users know why orders are slow or fail.
/// Needs no access token.
#[utoipa::path(get, path = "/v1/faults", tag = "faults",
    responses((status = 200, description = "The active faults", body = ActiveFaults)))]
pub async fn list_active_faults(State(app): State<App>) -> Json<ActiveFaults> {
    let view = |switch: super::store::ActiveSwitch| ActiveFault {
        name: switch.fault,
        title: switch.fault.title(),
        until: switch.until,
    };
    Json(ActiveFaults {
        items: app.faults.active().into_iter().map(view).collect(),
    })
}
