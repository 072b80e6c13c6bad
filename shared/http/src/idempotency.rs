//! `Idempotency-Key`: a request that is sent twice has one effect and gets one answer, byte for byte
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! Each service that uses it copies this into a migration:
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

/// The request's `Idempotency-Key`: 1 to 255 visible ASCII characters; 400 otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let refuse = |detail| Problem::new(StatusCode::BAD_REQUEST, "idempotency-key-required", detail);
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(refuse(
                "Send one Idempotency-Key header, the same at every repetition.",
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

/// The answer that is stored with the key.
#[derive(Debug, Clone)]
pub struct StoredResponse {
    /// The status.
    pub status: StatusCode,
    /// The `Location` header, if there is one.
    pub location: Option<String>,
    /// The JSON body.
    pub body: serde_json::Value,
}

impl StoredResponse {
    /// The HTTP response, marked with `idempotency-replayed: true` if it was `replayed`. For services that store it in
    /// another way than [`run`].
    #[must_use]
    pub fn respond(self, replayed: bool) -> Response {
        Answer::from(self).respond(replayed)
    }
}

/// 409: another request with the same key is still being worked on.
pub fn in_flight() -> Problem {
    let detail = "A request with this Idempotency-Key is still being worked on.";
    Problem::conflict("request-in-flight", detail).retry_after(1)
}

/// 422: the key came with another body before.
pub fn reused() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency-key-reused",
        "This Idempotency-Key came with another body before.",
    )
}

/// Does `work` at most once for this user, operation and key. The work, the key and the answer commit in one
/// transaction, which finishes even if the client disconnects. 409 while another request holds the key; 422 if the key
/// came with another body before; a repetition gets the stored answer with `idempotency-replayed: true`. Work that fails
/// leaves no key behind.
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
        if !lock(&mut transaction, user, operation, &key).await? {
            return Err(in_flight());
        }
        if let Some((sha256, answer)) = find(&mut transaction, user, operation, &key).await? {
            // Before the answer: whoever repeats it at once would otherwise find the key still locked.
            transaction.rollback().await?;
            if sha256 != body_hash {
                return Err(reused());
            }
            return Ok(answer.respond(true));
        }
        let stored = work(&mut transaction).await.map_err(Into::into)?;
        let answer = Answer::from(stored);
        insert(&mut transaction, user, operation, &key, body_hash, &answer).await?;
        transaction.commit().await?;
        Ok(answer.respond(false))
    })
    .await
}

/// How long a repetition gets the stored answer: far longer than any client goes on trying.
const KEPT_DAYS: i32 = 30;

/// Forgets old keys; for [`crate::hourly`].
pub async fn forget(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(days => $1)")
        .bind(KEPT_DAYS)
        .execute(pool)
        .await
        .map(drop)
}

struct Answer {
    status: StatusCode,
    location: Option<String>,
    body: String,
}

impl From<StoredResponse> for Answer {
    fn from(stored: StoredResponse) -> Self {
        Self {
            status: stored.status,
            location: stored.location,
            body: stored.body.to_string(),
        }
    }
}

impl Answer {
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

/// Takes the key for this transaction. An insert would wait for the other request instead of telling; an advisory lock
/// tells, and ends with the transaction whatever happens to the process.
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
) -> sqlx::Result<Option<(Vec<u8>, Answer)>> {
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
            Answer {
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
    answer: &Answer,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO idempotency_keys (user_id, operation, key, request_sha256, status, location, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(user.0)
    .bind(operation)
    .bind(key)
    .bind(&sha256[..])
    .bind(i32::from(answer.status.as_u16()))
    .bind(&answer.location)
    .bind(&answer.body)
    .execute(connection)
    .await
    .map(|_| ())
}
