//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that is sent twice with the same key takes
//! effect once, and both responses have the same bytes.
//!
//! Each service that uses it creates this table in a migration:
//!
//! ```sql
//! CREATE TABLE idempotency_keys (
//!     user_id        uuid        NOT NULL,
//!     operation      text        NOT NULL,
//!     key            text        NOT NULL,
//!     request_sha256 bytea       NOT NULL,
//!     status         integer     NOT NULL,
//!     location       text,
//!     body           text        NOT NULL,
//!     created_at     timestamptz NOT NULL DEFAULT now(),
//!     CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, operation, key)
//! );
//! CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
//! ```

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use contracts::UserId;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use sqlx::{Connection, PgConnection, PgPool};

use crate::{Problem, detached};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The request's `Idempotency-Key`: 1 to 255 visible ASCII characters. Requests without a valid key are rejected with 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let refuse = |detail| Problem::new(StatusCode::BAD_REQUEST, "idempotency-key-required", detail);
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(refuse(
                "Send exactly one Idempotency-Key header, and the same value with every retry.",
            ));
        };
        value
            .to_str()
            .ok()
            .filter(|text| {
                (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
            })
            .map(|text| Self(text.to_owned()))
            .ok_or_else(|| refuse("Idempotency-Key must have 1 to 255 visible ASCII characters."))
    }
}

/// The response that is stored with the key and returned to retries.
#[derive(Debug, Clone)]
pub struct StoredResponse {
    /// HTTP status of the response.
    pub status: StatusCode,
    /// Value of the `Location` header, if the response has one.
    pub location: Option<String>,
    /// JSON body of the response.
    pub body: serde_json::Value,
}

impl StoredResponse {
    /// Builds the HTTP response, with the header `idempotency-replayed: true` if `replayed`. For services that do not store
    /// responses through [`run`].
    #[must_use]
    pub fn respond(self, replayed: bool) -> Response {
        SerializedResponse::from(self).respond(replayed)
    }
}

/// The 409 problem for a request whose key belongs to a request that is still being processed.
pub fn in_flight() -> Problem {
    let detail = "A request with this Idempotency-Key is still being processed.";
    Problem::conflict("request-in-flight", detail).retry_after(1)
}

/// The 422 problem for a request whose key was already used with a different body.
pub fn reused() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency-key-reused",
        "This Idempotency-Key was already used with a different body.",
    )
}

/// Runs `work` at most once for this user, operation and key. The effects of `work`, the key and the response are committed
/// in one transaction, which completes even if the client disconnects. A retry gets the stored response with
/// `idempotency-replayed: true`. If `work` fails, the key is not stored and can be used again.
///
/// Fails with 409 while another request holds the key, and with 422 if the key was already used with a different body.
pub async fn run<F, E>(
    pool: &PgPool,
    user: UserId,
    operation: &'static str,
    key: &Key,
    body_hash: [u8; 32],
    work: F,
) -> Result<Response, Problem>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<StoredResponse, E>> + Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let (pool, key) = (pool.clone(), key.0.clone());
    detached(async move {
        let mut connection = pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        let response = locked(&mut transaction, user, operation, &key, body_hash, work).await;
        // End the transaction before responding, also after a failure. Dropping it would release the key's lock a moment
        // later, and an immediate retry could find the key still locked.
        match &response {
            Ok(_) => transaction.commit().await?,
            Err(_) => transaction.rollback().await?,
        }
        response
    })
    .await
}

/// The part of [`run`] in the transaction: returns the stored response, or does the work and stores its response.
async fn locked<F, E>(
    transaction: &mut PgConnection,
    user: UserId,
    operation: &str,
    key: &str,
    body_hash: [u8; 32],
    work: F,
) -> Result<Response, Problem>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<StoredResponse, E>>,
    E: Into<Problem>,
{
    if !lock(transaction, user, operation, key).await? {
        return Err(in_flight());
    }
    if let Some((sha256, response)) = find(transaction, user, operation, key).await? {
        if sha256 != body_hash {
            return Err(reused());
        }
        return Ok(response.respond(true));
    }
    let stored = work(transaction).await.map_err(Into::into)?;
    let response = SerializedResponse::from(stored);
    insert(transaction, user, operation, key, body_hash, &response).await?;
    Ok(response.respond(false))
}

/// How many days a retry gets the stored response, which is far longer than any client retries.
const RETENTION_DAYS: i32 = 30;

/// Deletes keys that are older than 30 days. To be run by [`crate::hourly`].
pub async fn delete_expired(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(days => $1)")
        .bind(RETENTION_DAYS)
        .execute(pool)
        .await
        .map(drop)
}

struct SerializedResponse {
    status: StatusCode,
    location: Option<String>,
    body: String,
}

impl From<StoredResponse> for SerializedResponse {
    fn from(stored: StoredResponse) -> Self {
        Self {
            status: stored.status,
            location: stored.location,
            body: stored.body.to_string(),
        }
    }
}

impl SerializedResponse {
    fn respond(self, replayed: bool) -> Response {
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(location) = self.location.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(header::LOCATION, location);
        }
        if replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Locks the key until the end of the transaction; returns false if another transaction holds it. Inserting the row first
/// would wait for the other transaction instead. An advisory lock fails at once, and is released even if the process dies.
async fn lock(connection: &mut PgConnection, user: UserId, operation: &str, key: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT pg_try_advisory_xact_lock(hashtextextended($1 || '/' || $2 || '/' || $3, 0))")
        .bind(user.to_string())
        .bind(operation)
        .bind(key)
        .fetch_one(connection)
        .await
}

async fn find(
    connection: &mut PgConnection,
    user: UserId,
    operation: &str,
    key: &str,
) -> sqlx::Result<Option<(Vec<u8>, SerializedResponse)>> {
    let row: Option<(Vec<u8>, i32, Option<String>, String)> = sqlx::query_as(
        "SELECT request_sha256, status, location, body FROM idempotency_keys
         WHERE user_id = $1 AND operation = $2 AND key = $3",
    )
    .bind(user.0)
    .bind(operation)
    .bind(key)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(sha256, status, location, body)| {
        let status = u16::try_from(status)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::OK);
        (
            sha256,
            SerializedResponse {
                status,
                location,
                body,
            },
        )
    }))
}

async fn insert(
    connection: &mut PgConnection,
    user: UserId,
    operation: &str,
    key: &str,
    sha256: [u8; 32],
    response: &SerializedResponse,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO idempotency_keys (user_id, operation, key, request_sha256, status, location, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(user.0)
    .bind(operation)
    .bind(key)
    .bind(&sha256[..])
    .bind(i32::from(response.status.as_u16()))
    .bind(&response.location)
    .bind(&response.body)
    .execute(connection)
    .await
    .map(|_| ())
}
