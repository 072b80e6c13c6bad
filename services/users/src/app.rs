//! Wires the service together: shared state, all routes, and the background workers.

use std::sync::Arc;

use anyhow::Context as _;
use axum::{
    Router,
    extract::FromRef,
    routing::{delete, get, patch, post, put},
};
use contracts::{MailTokens, events::UserEvent};
use events::Relay;
use souk_config::ExposeSecret as _;
use souk_http::{Admin, auth::Verifier, database, health::Health};
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    admin, auth,
    config::Config,
    housekeeping, internal,
    keyring::Keyring,
    mail,
    me::{self, address, api_key},
    openapi,
    password::Passwords,
};

/// The state shared by all handlers.
#[derive(Clone, FromRef)]
pub struct App {
    /// Connections to the accounts' database.
    pub pool: PgPool,
    /// Hashes and verifies passwords, with limited concurrency.
    pub(crate) passwords: Passwords,
    /// Signs access tokens and publishes the keys.
    pub keyring: Keyring,
    /// Verifies access tokens, as every other service does.
    pub verifier: Verifier,
    /// Derives the tokens in emails from their ids.
    pub mail_tokens: MailTokens,
    pub(crate) policy: Policy,
}

/// Settings of the deployment that affect logins.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// Demo mode: accounts can be used without verifying their email address.
    pub(crate) demo: bool,
    /// Further origins whose pages may use the session cookie, besides the service's own.
    pub(crate) allowed_origins: Arc<[String]>,
}

impl App {
    /// Creates the state; does not connect to anything yet. Fails if a secret is missing or too short.
    pub fn new(config: &Config, pool: PgPool) -> anyhow::Result<Self> {
        Ok(Self {
            keyring: Keyring::new(pool.clone(), config.key_encryption_secret()?),
            pool,
            passwords: Passwords::new()?,
            verifier: Verifier::with_tls(config.jwks_url(), config.tls.as_ref())?,
            mail_tokens: config.mail_tokens()?,
            policy: Policy {
                demo: config.demo,
                allowed_origins: config.allowed_origins.clone().into(),
            },
        })
    }
}

/// Returns the router with all routes of the service.
pub fn router(app: App) -> Router {
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
        .route("/v1/users/me/api-keys/{id}", delete(api_key::delete_api_key))
        .route(
            "/v1/users/me/sessions",
            get(me::session::list_sessions).delete(me::session::delete_sessions),
        )
        .route("/v1/users", get(admin::list_users::list_users))
        .route("/v1/users/{id}", patch(admin::patch_user::patch_user))
        .route(
            "/internal/v1/api-keys/exchange",
            post(internal::exchange_api_key::exchange_api_key),
        )
        .route("/openapi.json", get(openapi::get_openapi))
        .with_state(app)
}

/// Creates the connection pool of the accounts' database.
pub fn pool(config: &Config) -> anyhow::Result<PgPool> {
    database::pool(config.database_url.expose_secret(), config.database_connections)
        .context("SOUK_DATABASE_URL is not a PostgreSQL URL")
}

/// Runs the API and the background workers until `shutdown` is cancelled. Requests in progress are completed first.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let pool = pool(&config)?;
    database::observe([("requests", &pool)]);
    let app = App::new(&config, pool.clone())?;
    let workers = TaskTracker::new();
    workers.spawn(app.keyring.clone().run(shutdown.clone()));
    let tokens = app.mail_tokens.clone();
    workers.spawn(mail::requests::run(pool.clone(), tokens, shutdown.clone()));
    let publishes_events = config.kafka_brokers.is_some();
    workers.spawn(housekeeping::run(
        pool.clone(),
        publishes_events,
        shutdown.clone(),
    ));
    // The relay publishes events that requests and workers record, so it stops after them.
    let (relays, stop_relays) = (TaskTracker::new(), CancellationToken::new());
    if let Some(brokers) = &config.kafka_brokers {
        let relay = Relay::new::<UserEvent>(pool.clone(), brokers, &events::Namespace::default());
        relays.spawn(relay.run(stop_relays.clone()));
    }
    let ready = app.keyring.clone();
    let health = Health::new().postgres(&pool).check("signing key", move || {
        let keyring = ready.clone();
        async move { keyring.ready().await }
    });
    let admin = Admin {
        addr: config.admin_addr,
        health,
    };
    let served = souk_http::serve(
        router(app),
        config.http_addr,
        config.tls.as_ref(),
        admin,
        shutdown.clone(),
    )
    .await;
    shutdown.cancel();
    workers.close();
    workers.wait().await;
    stop_relays.cancel();
    relays.close();
    relays.wait().await;
    pool.close().await;
    served
}
