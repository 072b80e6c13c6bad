//! `POST /v1/products/{sku}/stock-adjustments`: an administrator adds or removes units. The adjustment is recorded with the
//! administrator's id and a reason.

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
use crate::{App, Error, database, holds::sweeper};

/// Maximum number of units that one adjustment adds or removes.
const LIMIT: i64 = 1_000_000;

/// A change of the number of units in stock.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"delta": 25, "reason": "stocktaking"}))]
pub struct StockAdjustment {
    /// Number of units to add (positive) or remove (negative). Must not be 0.
    #[schema(minimum = -1_000_000, maximum = 1_000_000, example = 25)]
    delta: i64,
    /// Reason for the adjustment, kept in the ledger. Must not consist only of spaces.
    #[schema(min_length = 1, max_length = 200, example = "stocktaking")]
    reason: String,
}

impl StockAdjustment {
    fn validate(&self) -> Result<(), Error> {
        let mut errors = Vec::new();
        let mut invalid = |pointer: &str, detail: &str| {
            errors.push(FieldError::new(pointer, detail));
        };
        if self.delta == 0 || !(-LIMIT..=LIMIT).contains(&self.delta) {
            invalid(
                "/delta",
                "must be a whole number from -1000000 to 1000000 and not 0",
            );
        }
        if self.reason.trim().is_empty() || self.reason.chars().count() > 200 || self.reason.contains('\0') {
            invalid("/reason", "must have 1 to 200 characters and not only spaces");
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(errors))
        }
    }
}

/// Adjust the stock of a product
///
/// Adds or removes units that are in the warehouse, and returns the new levels. Responds with 409 if more units would be
/// removed than are available. The `Idempotency-Key` is scoped to one user and one product: a repeated request takes effect
/// once and gets the same response, with the header `idempotency-replayed: true`.
#[utoipa::path(post, path = "/v1/products/{sku}/stock-adjustments", tag = "stock", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "SKU of the product"),
        ("Idempotency-Key" = String, Header, description = "Unique value for this adjustment; send the same value with every retry",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body = StockAdjustment,
    responses((status = 200, description = "The levels after the adjustment", body = StockLevels),
        (status = 400, description = "The Idempotency-Key is missing or malformed, or the body is not JSON", body = ProblemBody),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 403, description = "The caller is not an administrator", body = ProblemBody),
        (status = 404, description = "No product has this SKU", body = ProblemBody),
        (status = 409, description = "More units would be removed than are available, or a request with the same key is in progress", body = ProblemBody),
        (status = 422, description = "A field is invalid, or the key was used before with a different body", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
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
    let guard = app.adjustments.begin(&id).ok_or_else(idempotency::in_flight)?;
    let mut movement = Movement::of_update(id, MovementKind::Adjust, adjustment.delta);
    movement.actor = Some(admin.sub.to_string());
    movement.reason = Some(adjustment.reason);
    movement.request_sha256 = Some(hex::encode(sha256));
    let (levels, is_replayed) = database::run(async move {
        // The key stays in flight until the work ends, which may be after the client received 503.
        let _guard = guard;
        let Adjusted { levels, stock } = store::adjust(&app.db, sku.as_str(), &movement).await?;
        // Update the catalog now instead of waiting for the sweeper, so that the administrator sees the result at once. The
        // adjustment is already stored, so a failure here must not fail the request.
        if let Some(stock) = &stock
            && let Err(error) = sweeper::refresh_availability_of(&app.db, stock).await
        {
            tracing::warn!(
                error = error.chain(),
                "refreshing the product's availability failed; the sweeper will do it"
            );
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
