//! `POST /v1/products/{sku}/stock-adjustments`: an administrator counts anew. Recorded with who and why.

use axum::extract::State;
use contracts::Sku;
use serde::Deserialize;
use souk_http::{FieldError, Json, Path, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::{Movement, MovementKind, get_stock::StockLevels, store};
use crate::{Error, app::App, database, holds::sweeper};

/// Units in one adjustment at most, either way.
const LIMIT: i64 = 1_000_000;

/// By how much and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockAdjustment {
    /// Units that came (positive) or went (negative).
    #[schema(minimum = -1_000_000, maximum = 1_000_000, example = 25)]
    delta: i64,
    /// Why, 1 to 200 characters.
    #[schema(example = "stocktaking")]
    reason: String,
}

impl StockAdjustment {
    fn validate(&self) -> Result<(), Error> {
        let mut errors = Vec::new();
        let mut wrong = |pointer: &str, detail: &str| {
            errors.push(FieldError::new(pointer, detail));
        };
        if self.delta == 0 || !(-LIMIT..=LIMIT).contains(&self.delta) {
            wrong(
                "/delta",
                "must be a whole number from -1000000 to 1000000 and not 0",
            );
        }
        if self.reason.trim().is_empty() || self.reason.chars().count() > 200 || self.reason.contains('\0') {
            wrong("/reason", "must have 1 to 200 characters");
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(errors))
        }
    }
}

/// Adds or removes units; 409 when more would go than are available.
#[utoipa::path(post, path = "/v1/products/{sku}/stock-adjustments", tag = "stock", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "The product")),
    request_body = StockAdjustment,
    responses((status = 200, body = StockLevels), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn adjust_stock(
    State(app): State<App>,
    Admin(admin): Admin,
    Path(sku): Path<Sku>,
    Json(adjustment): Json<StockAdjustment>,
) -> Result<Json<StockLevels>, Problem> {
    adjustment.validate()?;
    let stock = database::run(async move {
        let id = uuid::Uuid::now_v7().to_string();
        let mut movement = Movement::new(id, MovementKind::Adjust, adjustment.delta, app.db.now().await?);
        movement.actor = Some(admin.sub.to_string());
        movement.reason = Some(adjustment.reason);
        let stock = store::adjust(&app.db, sku.as_str(), &movement).await?;
        // Here and not by the sweeper in a moment, so that the administrator finds the product in stock at once. The units
        // are in the books already: a failure here must not look as if they were not.
        if let Err(error) = sweeper::publish_availability_of(&app.db, &stock).await {
            tracing::warn!(error = error.chain(), "the catalog learns of the stock later");
        }
        app.nudge.notify_one();
        Ok(stock)
    })
    .await?;
    Ok(Json(stock.into()))
}
