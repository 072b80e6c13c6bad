//! One effect and one answer for each `Idempotency-Key`. Effect and answer commit in one transaction, so a crash leaves
//! either both or none.

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

/// A request under a key: which operation on which object (its path), with which body.
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
    /// The JSON body.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Invalid(None, error.to_string()))
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The answer that the key already has.
    pub(crate) async fn recorded(&self, conn: &mut PgConnection) -> Result<Option<Answer>, Error> {
        let row = sqlx::query!(
            "SELECT request_hash, status, body FROM idempotency_keys WHERE key = $1",
            self.key
        )
        .fetch_optional(conn)
        .await?;
        match row {
            Some(row) if row.request_hash != self.hash => Err(Error::KeyReused),
            Some(row) => Ok(Some(Answer {
                status: row.status.unsigned_abs(),
                body: row.body,
                replayed: true,
            })),
            None => Ok(None),
        }
    }

    /// Does `work` and records what it answers, or gives the recorded answer again. Final refusals are recorded too;
    /// what may go differently next time is not.
    pub(crate) async fn run<T, F>(self, app: &App, work: F) -> Result<Answer, Error>
    where
        T: Serialize + Send,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let pool = app.pool.clone();
        let answer = souk_http::detached(async move {
            let mut tx = pool.begin().await?;
            // Ends with the transaction, also when the process dies.
            let free = sqlx::query_scalar!(
                r#"SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS "free!""#,
                self.key
            )
            .fetch_one(&mut *tx)
            .await?;
            if !free {
                return Err(Error::KeyInUse);
            }
            if let Some(answer) = self.recorded(&mut tx).await? {
                // Before the answer: whoever repeats it at once would otherwise find the key still locked.
                tx.rollback().await?;
                return Ok(answer);
            }
            let (status, body) = match work(&mut tx).await {
                Ok(object) => (200, serde_json::to_value(object)),
                Err(error) if error.is_final() => {
                    let (status, body) = error.answer();
                    (status, serde_json::to_value(body))
                }
                Err(error) => return Err(error),
            };
            let answer = Answer {
                status,
                body: body.map_err(|error| sqlx::Error::Encode(error.into()))?,
                replayed: false,
            };
            sqlx::query!(
                "INSERT INTO idempotency_keys (key, request_hash, status, body) VALUES ($1, $2, $3, $4)",
                self.key,
                self.hash,
                i16::try_from(answer.status).unwrap_or(500),
                answer.body
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(answer)
        })
        .await?;
        app.event_written.notify_one();
        Ok(answer)
    }
}

/// What a key answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: serde_json::Value,
    pub(crate) replayed: bool,
}

impl Answer {
    /// The payment method, if this is an intent.
    pub(crate) fn method(&self) -> Option<Method> {
        Method::parse(self.body.get("payment_method")?.as_str()?).ok()
    }
}

impl IntoResponse for Answer {
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
