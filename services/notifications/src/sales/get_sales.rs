//! `GET /v1/admin/sales`: the sales figures of a time span, for administrators.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::Money;
use serde::{Deserialize, Serialize};
use souk_http::{Json, Problem, ProblemBody, Query, auth::Admin};
use utoipa::{IntoParams, ToSchema};

use super::store::{self, Span};
use crate::{App, error::Error};

/// Maximum length of the time span, which limits the size of the response.
const MAX_DAYS: i64 = 92;
/// Length of the time span if `from` is not given.
const DEFAULT_DAYS: i64 = 7;

/// The time span of the sales figures, at most 92 days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SalesQuery {
    /// Start of the time span, inclusive. The default is seven days before `to`.
    from: Option<DateTime<Utc>>,
    /// End of the time span, exclusive. The default is the current time.
    to: Option<DateTime<Utc>>,
}

/// Sales figures of a time span. They are derived from events, so they lag a few seconds behind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sales {
    /// Start of the time span, inclusive (UTC).
    from: DateTime<Utc>,
    /// End of the time span, exclusive (UTC).
    to: DateTime<Utc>,
    /// One entry per hour and currency in which an order was confirmed or refunded, oldest first.
    hours: Vec<Hour>,
    /// The products with the highest number of units sold, best first.
    #[schema(max_items = 10)]
    best_sellers: Vec<BestSeller>,
    /// For each step of an order, the number of orders placed in the time span that reached it.
    funnel: Vec<Step>,
    /// Number of orders rejected in the time span by reason, most frequent first.
    rejections: Vec<Rejection>,
}

/// Sales of one hour in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hour {
    /// Start of the hour (UTC).
    pub(super) begins_at: DateTime<Utc>,
    /// Number of orders that were confirmed in this hour.
    #[schema(minimum = 0, example = 12)]
    pub(super) orders: i64,
    /// Total captured amount of those orders.
    pub(super) revenue: Money,
    /// Total amount that was refunded in this hour, for orders of any time.
    pub(super) refunded: Money,
}

/// Sales of one product in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BestSeller {
    /// SKU of the product.
    #[schema(example = "TEA-0001")]
    pub(super) sku: String,
    /// Current name of the product, or its name in the order if the catalog event is missing.
    #[schema(example = "Sencha Green Tea")]
    pub(super) name: String,
    /// Slug of the product's category; absent if the catalog event of the product is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tea")]
    pub(super) category: Option<String>,
    /// Number of units sold.
    #[schema(minimum = 1, example = 42)]
    pub(super) quantity: i64,
    /// Total price of those units.
    pub(super) revenue: Money,
}

/// One step of the order funnel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Step {
    /// Name of the step: `placed`, `reserved`, `authorized`, `captured`, `confirmed`, `shipped` or `delivered`, or one of the
    /// other ends of an order: `returned`, `rejected` or `cancelled`.
    #[schema(example = "captured")]
    pub(super) step: String,
    /// Number of orders placed in the time span that have reached the step.
    #[schema(minimum = 0, example = 12)]
    pub(super) orders: i64,
}

/// The number of orders that were rejected for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rejection {
    /// Machine-readable reason: `out_of_stock`, `payment_declined` or `timeout`. More reasons may be added.
    #[schema(example = "out_of_stock")]
    pub(super) reason: String,
    /// Number of orders that were rejected for this reason.
    #[schema(minimum = 1, example = 3)]
    pub(super) orders: i64,
}

impl SalesQuery {
    fn span(&self, now: DateTime<Utc>) -> Result<Span, Error> {
        let to = self.to.unwrap_or(now);
        let default = || to.checked_sub_signed(TimeDelta::days(DEFAULT_DAYS));
        let from = self.from.or_else(default).ok_or(Error::Range(MAX_DAYS))?;
        if from < to && to - from <= TimeDelta::days(MAX_DAYS) {
            Ok(Span { from, to })
        } else {
            Err(Error::Range(MAX_DAYS))
        }
    }
}

/// Get sales figures
///
/// Returns revenue by hour, best-selling products, how many orders reached each step, and why orders were rejected. Responds
/// with 422 if the time span is empty, longer than 92 days or malformed.
#[utoipa::path(get, path = "/v1/admin/sales", tag = "sales", params(SalesQuery), security(("bearer" = [])),
    responses((status = 200, description = "The sales figures", body = Sales),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 403, description = "The caller is not an administrator", body = ProblemBody),
        (status = 422, description = "The time span is invalid", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
pub(crate) async fn get_sales(
    State(app): State<App>,
    _: Admin,
    Query(query): Query<SalesQuery>,
) -> Result<Json<Sales>, Problem> {
    souk_http::detached(async move { Ok(Json(sales(&app, &query).await?)) }).await
}

async fn sales(app: &App, query: &SalesQuery) -> Result<Sales, Error> {
    // One snapshot, so that all figures are consistent.
    let mut transaction = app
        .pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let now = sqlx::query_scalar!(r#"SELECT now() AS "now!""#)
        .fetch_one(&mut *transaction)
        .await?;
    let span = query.span(now)?;
    let sales = Sales {
        from: span.from,
        to: span.to,
        hours: store::hours(&mut transaction, span).await?,
        best_sellers: store::best_sellers(&mut transaction, span).await?,
        funnel: store::funnel(&mut transaction, span).await?,
        rejections: store::rejections(&mut transaction, span).await?,
    };
    transaction.commit().await?;
    Ok(sales)
}
