//! The dashboard on the admin port: a page with the state of the gateway, and the JSON that it shows. It works without the
//! storefront and without an account, so the admin port must be reachable for operators only.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    response::{Html, IntoResponse},
    routing::get,
};
use serde_json::Value;

use super::{Gateway, report};
use crate::{
    report::{ConfigReport, RoutesReport},
    upstream,
};

/// The page `/` and the JSON of `/routes`, `/upstreams` and `/config`.
pub(crate) fn dashboard(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/routes", get(routes))
        .route("/upstreams", get(upstreams))
        .route("/config", get(config))
        .with_state(gateway)
}

async fn page() -> impl IntoResponse {
    let policy = "default-src 'none'; connect-src 'self'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
    (
        [("content-security-policy", policy)],
        Html(include_str!("../dashboard.html")),
    )
}

async fn routes(State(gateway): State<Arc<Gateway>>) -> Json<RoutesReport> {
    Json(report::routes(&gateway.snapshot()))
}

async fn upstreams(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    let snapshot = gateway.snapshot();
    Json(upstream::report(&snapshot.clusters, &snapshot.guards.breakers))
}

async fn config(State(gateway): State<Arc<Gateway>>) -> Json<ConfigReport> {
    Json(gateway.history.report())
}
