//! `GET /v1/faults`: what is broken on purpose right now, for anyone whose order suffers from it. From memory, at most a
//! second old; who did it is nobody's business.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use souk_http::Json;
use utoipa::ToSchema;

use super::Fault;
use crate::App;

/// What is broken on purpose.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveFaults {
    /// Nothing, outside demo mode.
    pub items: Vec<ActiveFault>,
}

/// A fault that is switched on.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveFault {
    /// Its name.
    pub name: Fault,
    /// In a few words.
    #[schema(example = "Payments is unreachable")]
    pub title: &'static str,
    /// When it goes off by itself.
    pub until: DateTime<Utc>,
}

/// List what is broken on purpose
#[utoipa::path(get, path = "/v1/faults", tag = "faults", responses((status = 200, body = ActiveFaults)))]
pub async fn list_active_faults(State(app): State<App>) -> Json<ActiveFaults> {
    let view = |on: super::store::On| ActiveFault {
        name: on.fault,
        title: on.fault.title(),
        until: on.until,
    };
    Json(ActiveFaults {
        items: app.faults.active().into_iter().map(view).collect(),
    })
}
