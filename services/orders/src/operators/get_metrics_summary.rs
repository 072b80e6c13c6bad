//! `GET /v1/admin/metrics-summary`: the back office's first page, from what orders itself knows, in one snapshot.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::{Money, Sku};
use serde::Serialize;
use souk_http::{Json, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::figures;
use crate::{
    App,
    orders::{
        OrderView,
        store::{self, Filter},
    },
};

const BEST_SELLERS: i64 = 5;
const LATEST: i64 = 10;

/// Sales of the last 24 hours, and what is in work.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetricsSummary {
    /// Orders placed from here on are counted: the start of the hour 23 hours ago.
    pub since: DateTime<Utc>,
    /// How they stand.
    pub orders: OrderCounts,
    /// What they brought in, each hour and each currency that any of them was paid in.
    pub revenue: Vec<RevenueHour>,
    /// The five products that sold best in the last seven days.
    pub best_sellers: Vec<BestSeller>,
    /// How far they got.
    pub funnel: Funnel,
    /// Why some of them were rejected, the most frequent reason first.
    pub rejected_by_reason: Vec<ReasonCount>,
    /// Those that are not at their end.
    pub sagas: SagaFigures,
    /// Messages that wait for the broker.
    pub outbox: OutboxFigures,
    /// Those that nobody has dealt with.
    pub dead_letters: i64,
    /// The ten newest orders.
    pub latest: Vec<OrderView>,
}

/// Orders by their status.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderCounts {
    /// All of them.
    pub total: i64,
    /// Every status, also those that none has.
    pub by_status: BTreeMap<String, i64>,
}

/// What an hour brought in.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevenueHour {
    /// Its start.
    pub hour: DateTime<Utc>,
    /// Taken for orders placed in it, less what went back.
    pub amount: Money,
    /// So many orders.
    pub orders: i64,
}

/// A product that sells.
#[derive(Debug, Serialize, ToSchema)]
pub struct BestSeller {
    /// Which.
    pub sku: Sku,
    /// As it was called last.
    pub name: String,
    /// So many were paid.
    pub quantity: i64,
    /// For so much.
    pub revenue: Money,
}

/// Orders that got so far.
#[derive(Debug, Serialize, ToSchema)]
pub struct Funnel {
    /// All.
    pub placed: i64,
    /// Goods were held.
    pub reserved: i64,
    /// Money was reserved.
    pub authorized: i64,
    /// Money was taken.
    pub captured: i64,
    /// Done.
    pub confirmed: i64,
}

/// Orders rejected for a reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonCount {
    /// `out_of_stock`, `payment_declined` or `timeout`.
    pub reason: String,
    /// So many.
    pub count: i64,
}

/// Sagas in work.
#[derive(Debug, Serialize, ToSchema)]
pub struct SagaFigures {
    /// Going forward.
    pub running: i64,
    /// Going back.
    pub compensating: i64,
    /// Waiting for an operator.
    pub parked: i64,
    /// Of the oldest that runs or compensates.
    pub oldest_active_age_seconds: Option<f64>,
}

/// Messages to be published.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutboxFigures {
    /// So many.
    pub pending: i64,
    /// Of the oldest.
    pub oldest_age_seconds: Option<f64>,
}

/// Get sales, funnel and latest orders
#[utoipa::path(get, path = "/v1/admin/metrics-summary", tag = "operators", security(("bearer" = [])),
    responses((status = 200, body = MetricsSummary), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn get_metrics_summary(
    State(app): State<App>,
    _admin: Admin,
) -> Result<Json<MetricsSummary>, Problem> {
    souk_http::detached(async move {
        let mut snapshot = app
            .pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let since = figures::since(&mut snapshot).await?;
        let everybodys = Filter {
            owner: None,
            status: None,
            before: None,
        };
        let summary = MetricsSummary {
            since,
            orders: figures::orders(&mut snapshot, since).await?,
            revenue: figures::revenue(&mut snapshot, since).await?,
            best_sellers: figures::best_sellers(&mut snapshot, BEST_SELLERS).await?,
            funnel: figures::funnel(&mut snapshot, since).await?,
            rejected_by_reason: figures::rejections(&mut snapshot, since).await?,
            sagas: figures::sagas(&mut snapshot).await?,
            outbox: figures::outbox(&mut snapshot).await?,
            dead_letters: figures::dead_letters(&mut snapshot).await?,
            latest: store::list(&mut snapshot, everybodys, LATEST).await?,
        };
        snapshot.commit().await?;
        Ok(Json(summary))
    })
    .await
}
