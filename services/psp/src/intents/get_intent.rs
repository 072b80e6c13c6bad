//! `GET /v1/payment_intents/{id}`: returns one payment intent.

use axum::{
    Json,
    extract::{Path, State},
};

use super::{Intent, store};
use crate::{
    App,
    error::{Error, ErrorBody},
};

/// Get a payment intent
///
/// Returns the current state of a payment intent.
#[utoipa::path(get, path = "/v1/payment_intents/{id}", tag = "payment intents",
    params(("id" = String, Path, description = "Id of the payment intent")),
    responses((status = 200, description = "The intent", body = Intent),
        (status = 401, description = "The API key is missing or wrong", body = ErrorBody),
        (status = 404, description = "There is no such payment intent", body = ErrorBody)))]
pub(crate) async fn get_intent(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Intent>, Error> {
    let mut conn = app.pool.acquire().await?;
    Ok(Json(store::find(&mut conn, &id).await?))
}
