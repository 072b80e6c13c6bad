//! `GET /v1/admin/metrics-summary`: figures for the first page of the back office, from this service's database in one
//! snapshot.

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

/// Number of best-selling products in the summary.
const BEST_SELLERS: i64 = 5;
/// Number of latest orders in the summary.
const LATEST: i64 = 10;

/// Sales of the last 24 hours, and work in progress.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetricsSummary {
    /// Start of the hour 23 hours ago. The figures cover the orders placed since then, unless they say otherwise.
    pub since: DateTime<Utc>,
    /// Number of orders placed since then, by status.
    pub orders: OrderCounts,
    /// Revenue of each hour, in each currency that occurs. Empty if no order was paid.
    pub revenue: Vec<RevenueHour>,
    /// The five products that sold best in the last seven days.
    pub best_sellers: Vec<BestSeller>,
    /// How far the orders since then have come in the checkout.
    pub funnel: Funnel,
    /// Number of rejected orders for each reason, the most frequent reason first.
    pub rejected_by_reason: Vec<ReasonCount>,
    /// Number of sagas that have not ended, whenever they started.
    pub sagas: SagaFigures,
    /// Messages that are not published to the broker yet.
    pub outbox: OutboxFigures,
    /// Number of unsettled dead letters.
    pub dead_letters: i64,
    /// The ten newest orders, whenever they were placed.
    pub latest: Vec<OrderView>,
}

/// Number of orders in total and in each status.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderCounts {
    /// Number of orders in every status together.
    pub total: i64,
    /// Number of orders in each status; 0 if no order has it.
    pub by_status: BTreeMap<String, i64>,
}

/// Revenue of one hour in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevenueHour {
    /// Start of the hour.
    pub hour: DateTime<Utc>,
    /// Amount charged for orders placed in this hour, minus their refunds.
    pub amount: Money,
    /// Number of orders placed in this hour whose payment was captured.
    pub orders: i64,
}

/// A best-selling product and its sales in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct BestSeller {
    /// SKU of the product.
    pub sku: Sku,
    /// Product name in the newest of these orders; it may have been renamed since.
    pub name: String,
    /// Number of items sold in paid orders.
    pub quantity: i64,
    /// Total price of those items, without deducting refunds.
    pub revenue: Money,
}

/// Number of orders that have reached each stage of the checkout.
#[derive(Debug, Serialize, ToSchema)]
pub struct Funnel {
    /// Number of orders that were placed.
    pub placed: i64,
    /// Number of orders whose items were reserved.
    pub reserved: i64,
    /// Number of orders whose payment was authorized.
    pub authorized: i64,
    /// Number of orders whose payment was captured.
    pub captured: i64,
    /// Number of orders that were confirmed.
    pub confirmed: i64,
}

/// Number of orders that were rejected for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonCount {
    /// The reason: `out_of_stock`, `payment_declined` or `timeout`.
    #[schema(example = "out_of_stock")]
    pub reason: String,
    /// Number of orders rejected for this reason.
    pub count: i64,
}

/// Number of sagas that have not ended, by status.
#[derive(Debug, Serialize, ToSchema)]
pub struct SagaFigures {
    /// Number of sagas that are performing their steps.
    pub running: i64,
    /// Number of sagas that are undoing their steps.
    pub compensating: i64,
    /// Number of sagas that are waiting for an operator.
    pub parked: i64,
    /// Age of the oldest running or compensating saga, in seconds. Null if there is none.
    pub oldest_active_age_seconds: Option<f64>,
}

/// Messages that are not published to the broker yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutboxFigures {
    /// Number of messages in the outbox.
    pub pending: i64,
    /// Age of the oldest message, in seconds. Null if there is none.
    pub oldest_age_seconds: Option<f64>,
}

/// Get sales, funnel and latest orders
///
/// Returns the figures of the back office's first page, all from one snapshot of the database: sales of the last 24 hours,
/// best sellers of the last seven days, unfinished work, and the ten newest orders.
#[utoipa::path(get, path = "/v1/admin/metrics-summary", tag = "operators", security(("bearer" = [])),
    responses((status = 200, description = "The summary", body = MetricsSummary),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody)))]
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
        let any_order = Filter {
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
            latest: store::list(&mut snapshot, any_order, LATEST).await?,
        };
        snapshot.commit().await?;
        Ok(Json(summary))
    })
    .await
}
