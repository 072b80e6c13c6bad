//! `GET /v1/admin/sales`.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::Money;
use serde::{Deserialize, Serialize};
use souk_http::{Json, Problem, ProblemBody, Query, auth::Admin};
use utoipa::{IntoParams, ToSchema};

use super::store::{self, Span};
use crate::{App, error::Error};

/// As long as the hours make an answer of reasonable size.
const MOST_DAYS: i64 = 92;
const USUAL_DAYS: i64 = 7;

/// Of when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SalesQuery {
    /// From then on; seven days before `to` unless told.
    from: Option<DateTime<Utc>>,
    /// Until before then; now unless told.
    to: Option<DateTime<Utc>>,
}

/// How sales went. It follows the events, and so is some seconds behind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sales {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// Each hour in which something was sold or refunded, oldest first; one entry a currency.
    hours: Vec<Hour>,
    /// What sold most pieces, ten at most.
    best_sellers: Vec<BestSeller>,
    /// How many of the orders placed in that time came to each step.
    funnel: Vec<Step>,
    /// Why orders were rejected in that time, the most frequent reason first.
    rejections: Vec<Rejection>,
}

/// An hour.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hour {
    pub(super) begins_at: DateTime<Utc>,
    /// How many were confirmed.
    pub(super) orders: i64,
    /// What was paid for them.
    pub(super) revenue: Money,
    /// What was given back in that hour, of whatever order.
    pub(super) refunded: Money,
}

/// A product that sold.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BestSeller {
    pub(super) sku: String,
    /// As it is called now.
    pub(super) name: String,
    /// The category's key; absent if the catalogue has not told of the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) category: Option<String>,
    /// Pieces.
    pub(super) quantity: i64,
    /// What was paid for them.
    pub(super) revenue: Money,
}

/// A step of the funnel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Step {
    /// `placed`, `reserved`, `authorized`, `captured`, `confirmed`, `shipped`, `delivered`, and how an order can end
    /// otherwise: `returned`, `rejected`, `cancelled`.
    pub(super) step: String,
    /// How many came there.
    pub(super) orders: i64,
}

/// Why orders were rejected.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rejection {
    /// `out_of_stock`, `payment_declined`, `timeout`; words may be added.
    pub(super) reason: String,
    /// How many.
    pub(super) orders: i64,
}

impl SalesQuery {
    fn span(&self, now: DateTime<Utc>) -> Result<Span, Error> {
        let to = self.to.unwrap_or(now);
        let usual = || to.checked_sub_signed(TimeDelta::days(USUAL_DAYS));
        let from = self.from.or_else(usual).ok_or(Error::Range(MOST_DAYS))?;
        if from < to && to - from <= TimeDelta::days(MOST_DAYS) {
            Ok(Span { from, to })
        } else {
            Err(Error::Range(MOST_DAYS))
        }
    }
}

/// Read how sales went
///
/// Revenue by the hour, what sold best, how far orders came, and why they were rejected.
#[utoipa::path(get, path = "/v1/admin/sales", tag = "sales", params(SalesQuery), security(("bearer" = [])),
    responses((status = 200, body = Sales), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(crate) async fn get_sales(
    State(app): State<App>,
    _: Admin,
    Query(query): Query<SalesQuery>,
) -> Result<Json<Sales>, Problem> {
    souk_http::detached(async move { Ok(Json(sales(&app, &query).await?)) }).await
}

async fn sales(app: &App, query: &SalesQuery) -> Result<Sales, Error> {
    // All of one moment.
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
