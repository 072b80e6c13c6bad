//! All routes of the process on one screen, and what their handlers share.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::FromRef,
    routing::{get, patch, post, put},
};
use contracts::MailTokens;
use souk_http::{auth::Verifier, openapi::Bearer};
use sqlx::PgPool;
use utoipa::OpenApi;

use crate::{
    admin, auth,
    config::Settings,
    internal,
    keyring::Keyring,
    me::{self, address, api_key},
    password::Passwords,
};

/// What the handlers share. Cheap to clone.
#[derive(Clone, FromRef)]
pub struct State {
    /// The accounts' database.
    pub pool: PgPool,
    /// Hashes and checks passwords.
    pub(crate) passwords: Passwords,
    /// Signs access tokens.
    pub keyring: Keyring,
    /// Verifies access tokens, as every other service does.
    pub verifier: Verifier,
    /// Derives the tokens of mails.
    pub mail_tokens: MailTokens,
    pub(crate) policy: Policy,
}

/// What a deployment decides about logins.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// Accounts need no verification.
    pub(crate) demo: bool,
    /// Origins that may use the session cookie from elsewhere.
    pub(crate) allowed_origins: Arc<[String]>,
}

impl State {
    /// Of the settings; nothing is connected yet.
    pub fn new(settings: &Settings, pool: PgPool) -> anyhow::Result<Self> {
        Ok(Self {
            keyring: Keyring::new(pool.clone(), settings.key_encryption_secret()?),
            pool,
            passwords: Passwords::new()?,
            verifier: Verifier::new(settings.jwks_url()),
            mail_tokens: settings.mail_tokens()?,
            policy: Policy {
                demo: settings.demo,
                allowed_origins: settings.allowed_origins.clone().into(),
            },
        })
    }
}

/// Every route of users.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/v1/auth/register", post(auth::register::register_account))
        .route("/v1/auth/verify", post(auth::verify::verify_account))
        .route(
            "/v1/auth/verification-mail",
            post(auth::mails::request_verification_mail),
        )
        .route(
            "/v1/auth/password-reset",
            post(auth::mails::request_password_reset),
        )
        .route(
            "/v1/auth/password-reset/confirm",
            post(auth::reset::confirm_password_reset),
        )
        .route("/v1/auth/login", post(auth::login::log_in))
        .route("/v1/auth/refresh", post(auth::refresh::refresh_session))
        .route("/v1/auth/logout", post(auth::logout::log_out))
        .route("/.well-known/jwks.json", get(auth::jwks::get_jwks))
        .route(
            "/v1/users/me",
            get(me::profile::get_me).patch(me::profile::patch_me),
        )
        .route("/v1/users/me/password", put(me::password::put_password))
        .route(
            "/v1/users/me/addresses",
            get(address::list_addresses).post(address::post_address),
        )
        .route(
            "/v1/users/me/addresses/{id}",
            put(address::put_address).delete(address::delete_address),
        )
        .route(
            "/v1/users/me/api-keys",
            get(api_key::list_api_keys).post(api_key::create::post_api_key),
        )
        .route(
            "/v1/users/me/api-keys/{id}",
            axum::routing::delete(api_key::delete_api_key),
        )
        .route(
            "/v1/users/me/sessions",
            get(me::session::list_sessions).delete(me::session::delete_sessions),
        )
        .route("/v1/users", get(admin::list_users::list_users))
        .route("/v1/users/{id}", patch(admin::patch_user::patch_user))
        .route("/internal/v1/api-keys/exchange", post(internal::exchange_api_key))
        .route("/openapi.json", get(openapi))
        .with_state(state)
}

/// What the routes accept and answer.
#[derive(OpenApi)]
#[openapi(
    info(title = "Souk users", description = "Accounts, logins and access tokens."),
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
    modifiers(&Bearer)
)]
struct ApiDoc;

async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(ApiDoc::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_as_published() {
        insta::assert_json_snapshot!("openapi", ApiDoc::openapi());
    }
}
