//! Idempotency: each `Idempotency-Key` has one effect and one response. Both are committed in the same transaction, so a
//! crash leaves either both or neither.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::{App, error::Error, methods::Method};

/// A request with an `Idempotency-Key`. Its hash covers the path and the body, so that a key that is reused for another
/// object, operation or body is detected.
#[derive(Debug)]
pub(crate) struct KeyedRequest {
    key: String,
    hash: Vec<u8>,
    body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for KeyedRequest {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let key = request
            .headers()
            .get("idempotency-key")
            .and_then(|value| value.to_str().ok())
            .filter(|key| (1..=255).contains(&key.len()))
            .ok_or(Error::KeyRequired)?
            .to_owned();
        let mut hash = Sha256::new();
        hash.update(request.uri().path().as_bytes());
        hash.update([0]);
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|error| Error::Invalid(None, error.body_text()))?;
        hash.update(&body);
        Ok(Self {
            key,
            hash: hash.finalize().to_vec(),
            body,
        })
    }
}

impl KeyedRequest {
    /// Parses the JSON body; a mismatch is a 400.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Invalid(None, error.to_string()))
    }

    /// The value of the `Idempotency-Key` header.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Looks up the response recorded under this key. It is an error if the key was used for a different request.
    pub(crate) async fn recorded_response(
        &self,
        conn: &mut PgConnection,
    ) -> Result<Option<RecordedResponse>, Error> {
        let row = sqlx::query!(
            "SELECT request_hash, status, body FROM idempotency_keys WHERE key = $1",
            self.key
        )
        .fetch_optional(conn)
        .await?;
        match row {
            Some(row) if row.request_hash != self.hash => Err(Error::KeyReused),
            Some(row) => Ok(Some(RecordedResponse {
                status: row.status.unsigned_abs(),
                body: row.body,
                replayed: true,
            })),
            None => Ok(None),
        }
    }

    /// Runs `work` and records its result, or replays the response recorded before. Final errors are recorded, too;
    /// errors that may not occur on the next attempt are not. Finishes even if the client disconnects.
    pub(crate) async fn run<T, F>(self, app: &App, work: F) -> Result<RecordedResponse, Error>
    where
        T: Serialize + Send,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let pool = app.pool.clone();
        let response = souk_http::detached(async move {
            let mut tx = pool.begin().await?;
            let response = self.record(&mut tx, work).await;
            // End the transaction before responding, also after an error. Dropping it would release the key's lock a moment
            // later, and an immediate repetition could find the key still locked.
            match &response {
                Ok(_) => tx.commit().await?,
                Err(_) => tx.rollback().await?,
            }
            response
        })
        .await?;
        app.event_written.notify_one();
        Ok(response)
    }

    /// The part of [`KeyedRequest::run`] in the transaction.
    async fn record<T, F>(self, conn: &mut PgConnection, work: F) -> Result<RecordedResponse, Error>
    where
        T: Serialize + Send,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Error>> + Send,
    {
        // PostgreSQL releases the lock at the end of the transaction, even if this process dies.
        let acquired = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS "free!""#,
            self.key
        )
        .fetch_one(&mut *conn)
        .await?;
        if !acquired {
            return Err(Error::KeyInUse);
        }
        if let Some(response) = self.recorded_response(conn).await? {
            return Ok(response);
        }
        let (status, body) = match work(conn).await {
            Ok(object) => (200, serde_json::to_value(object)),
            Err(error) if error.is_final() => {
                let (status, body) = error.into_status_and_body();
                (status, serde_json::to_value(body))
            }
            Err(error) => return Err(error),
        };
        let response = RecordedResponse {
            status,
            body: body.map_err(|error| sqlx::Error::Encode(error.into()))?,
            replayed: false,
        };
        sqlx::query!(
            "INSERT INTO idempotency_keys (key, request_hash, status, body) VALUES ($1, $2, $3, $4)",
            self.key,
            self.hash,
            i16::try_from(response.status).unwrap_or(500),
            response.body
        )
        .execute(conn)
        .await?;
        Ok(response)
    }
}

/// The response to a request with an idempotency key, new or replayed.
#[derive(Debug)]
pub(crate) struct RecordedResponse {
    status: u16,
    body: serde_json::Value,
    /// Whether it was recorded by an earlier request.
    pub(crate) replayed: bool,
}

impl RecordedResponse {
    /// The payment method, if the body is a payment intent.
    pub(crate) fn method(&self) -> Option<Method> {
        Method::parse(self.body.get("payment_method")?.as_str()?).ok()
    }
}

impl IntoResponse for RecordedResponse {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.replayed {
            headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}
