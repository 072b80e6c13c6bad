//! `GET /v1/products/{sku}/stock`: the stock levels of a product, for administrators.

use axum::extract::State;
use contracts::Sku;
use serde::Serialize;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::{Levels, store};
use crate::{App, database};

/// The stock levels of one product, in units. Always `on_hand = available + held`.
#[derive(Debug, Serialize, ToSchema)]
pub struct StockLevels {
    /// SKU of the product.
    #[schema(example = "TEA-0001")]
    sku: String,
    /// Number of units in the warehouse.
    #[schema(minimum = 0, example = 42)]
    on_hand: i64,
    /// Number of units that can be ordered.
    #[schema(minimum = 0, example = 40)]
    available: i64,
    /// Number of units that are held for orders in progress.
    #[schema(minimum = 0, example = 2)]
    held: i64,
    /// Total number of units that were sold since the product was first added.
    #[schema(minimum = 0, example = 8)]
    committed: i64,
    /// Total number of units that were returned since the product was first added.
    #[schema(minimum = 0, example = 0)]
    restocked: i64,
}

impl StockLevels {
    /// Combines the levels with their SKU.
    pub(super) fn new(sku: &str, levels: Levels) -> Self {
        let Levels {
            on_hand,
            available,
            held,
            committed,
            restocked,
        } = levels;
        Self {
            sku: sku.to_owned(),
            on_hand,
            available,
            held,
            committed,
            restocked,
        }
    }
}

/// Get the stock of a product
///
/// Returns how many units are in the warehouse, available, and held for orders, and the totals sold and returned.
#[utoipa::path(get, path = "/v1/products/{sku}/stock", tag = "stock", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "SKU of the product")),
    responses((status = 200, description = "The stock levels", body = StockLevels),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 403, description = "The caller is not an administrator", body = ProblemBody),
        (status = 404, description = "No product has this SKU", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
pub async fn get_stock(
    State(app): State<App>,
    _: Admin,
    Path(sku): Path<Sku>,
) -> Result<Json<StockLevels>, Problem> {
    let stock = database::run(async move { store::find(&app.db, sku.as_str()).await }).await?;
    Ok(Json(StockLevels::new(&stock.sku, stock.levels())))
}
