//! `GET /v1/products/{sku}/stock`: the units of a SKU, for administrators.

use axum::extract::State;
use contracts::Sku;
use serde::Serialize;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::{Levels, store};
use crate::{app::App, database};

/// The units of a SKU; `on_hand = available + held`.
#[derive(Debug, Serialize, ToSchema)]
pub struct StockLevels {
    /// Which.
    sku: String,
    /// In the warehouse.
    on_hand: i64,
    /// Can be reserved.
    available: i64,
    /// Held by orders.
    held: i64,
    /// Left for good, ever.
    committed: i64,
    /// Came back, ever.
    restocked: i64,
}

impl StockLevels {
    /// The levels of `sku`.
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

/// How many units of a product there are, and how many are promised.
#[utoipa::path(get, path = "/v1/products/{sku}/stock", tag = "stock", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "The product")),
    responses((status = 200, body = StockLevels), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn get_stock(
    State(app): State<App>,
    _: Admin,
    Path(sku): Path<Sku>,
) -> Result<Json<StockLevels>, Problem> {
    let stock = database::run(async move { store::find(&app.db, sku.as_str()).await }).await?;
    Ok(Json(StockLevels::new(&stock.sku, stock.levels())))
}
