//! `POST /v1/products/{sku}/stock-adjustments`: an administrator counts anew. Recorded with who and why.

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::Sku;
use serde::Deserialize;
use souk_http::{
    FieldError, HashedJson, Path, Problem, ProblemBody,
    auth::Admin,
    idempotency::{self, Key, StoredResponse},
};
use utoipa::ToSchema;

use super::{
    Movement, MovementKind,
    get_stock::StockLevels,
    store::{self, Adjusted},
};
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
///
/// The key belongs to one user and one product. A request that is repeated is counted once and gets the same response.
#[utoipa::path(post, path = "/v1/products/{sku}/stock-adjustments", tag = "stock", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "The product"),
        ("Idempotency-Key" = String, Header, description = "The same at every repetition")),
    request_body = StockAdjustment,
    responses((status = 200, body = StockLevels),
        (status = 400, description = "No Idempotency-Key, or no JSON", body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, description = "More than is available, or a request with the same key in flight", body = ProblemBody),
        (status = 422, description = "A wrong field, or the key came with another body before", body = ProblemBody)))]
pub async fn adjust_stock(
    State(app): State<App>,
    Admin(admin): Admin,
    Path(sku): Path<Sku>,
    Key(key): Key,
    HashedJson {
        value: adjustment,
        sha256,
    }: HashedJson<StockAdjustment>,
) -> Result<Response, Problem> {
    adjustment.validate()?;
    let id = format!("{}/{sku}/adjust/{key}", admin.sub);
    let entered = app.adjustments.enter(&id).ok_or_else(idempotency::in_flight)?;
    let mut movement = Movement::of_update(id, MovementKind::Adjust, adjustment.delta);
    movement.actor = Some(admin.sub.to_string());
    movement.reason = Some(adjustment.reason);
    movement.request_sha256 = Some(hex::encode(sha256));
    let (levels, is_replayed) = database::run(async move {
        // Until the work ends, which may be after its client was answered 503.
        let _entered = entered;
        let Adjusted { levels, stock } = store::adjust(&app.db, sku.as_str(), &movement).await?;
        // Here and not by the sweeper in a moment, so that the administrator finds the product in stock at once. The units
        // are in the books already: a failure here must not look as if they were not.
        if let Some(stock) = &stock
            && let Err(error) = sweeper::publish_availability_of(&app.db, stock).await
        {
            tracing::warn!(error = error.chain(), "the catalog learns of the stock later");
        }
        Ok((StockLevels::new(sku.as_str(), levels), stock.is_none()))
    })
    .await?;
    let body = serde_json::to_value(levels).map_err(|error| Problem::internal(error.to_string()))?;
    let response = StoredResponse {
        status: StatusCode::OK,
        location: None,
        body,
    };
    Ok(response.respond(is_replayed))
}
