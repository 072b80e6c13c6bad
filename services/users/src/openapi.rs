//! The OpenAPI document, generated from the handlers' annotations.

use axum::Json;
use souk_http::openapi::Common;
use utoipa::{
    Modify, OpenApi,
    openapi::{RefOr, Required},
};

use crate::{
    admin, auth,
    me::{self, address, api_key},
};

/// The OpenAPI document of the public routes; `/internal` is not part of it.
#[derive(OpenApi)]
#[openapi(
    info(title = "Souk users", description = "Accounts, authentication and access tokens."),
    paths(
        auth::register::register_account,
        auth::verify::verify_account,
        auth::mails::request_verification_mail,
        auth::mails::request_password_reset,
        auth::reset::confirm_password_reset,
        auth::login::log_in,
        auth::refresh::refresh_session,
        auth::logout::log_out,
        auth::jwks::get_jwks,
        me::profile::get_me,
        me::profile::patch_me,
        me::password::put_password,
        address::list_addresses,
        address::post_address,
        address::put_address,
        address::delete_address,
        api_key::list_api_keys,
        api_key::create::post_api_key,
        api_key::delete_api_key,
        me::session::list_sessions,
        me::session::delete_sessions,
        admin::list_users::list_users,
        admin::patch_user::patch_user,
    ),
    components(schemas(souk_http::ProblemBody)),
    modifiers(&Common, &OptionalRefreshToken)
)]
pub struct Document;

/// Makes the bodies of refresh and logout optional: browsers send the refresh token as a cookie instead. An
/// `Option<RefreshRequest>` would also document a `null` body, which is refused.
struct OptionalRefreshToken;

impl Modify for OptionalRefreshToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for path in ["/v1/auth/refresh", "/v1/auth/logout"] {
            let operation = document
                .paths
                .paths
                .get_mut(path)
                .and_then(|item| item.post.as_mut());
            if let Some(RefOr::T(body)) = operation.and_then(|operation| operation.request_body.as_mut()) {
                body.required = Some(Required::False);
            }
        }
    }
}

/// Serves the OpenAPI document at `GET /openapi.json`.
pub(crate) async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
