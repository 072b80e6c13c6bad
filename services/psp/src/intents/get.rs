//! `GET /v1/payment_intents/{id}`.

use axum::{
    Json,
    extract::{Path, State},
};

use super::{Intent, store};
use crate::{
    App,
    error::{Error, ErrorBody},
};

/// Read an intent
#[utoipa::path(get, path = "/v1/payment_intents/{id}", params(("id" = String, Path)),
    responses((status = 200, body = Intent), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn get_intent(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Intent>, Error> {
    let mut conn = app.pool.acquire().await?;
    Ok(Json(store::find(&mut conn, &id).await?))
}
