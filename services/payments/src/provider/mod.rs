//! The outside payment provider, over HTTP. Every call carries a key that was saved before, so that a call whose answer
//! is lost is simply made again. No database transaction may be open while one of these is awaited.

mod wire;

use std::time::Duration;

use contracts::Money;
use rand::RngExt;
use souk_config::{ExposeSecret, SecretString};

use crate::payment::{Failure, Payment};
use wire::{ErrorDetail, Reply};

/// Pauses before the second, third and fourth try of a call; after that the message's own retries take over.
const PAUSES: [u64; 3] = [100, 200, 400];

/// What the provider is asked to do with a payment, once each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Authorize,
    Capture,
    Void,
}

impl Operation {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Void => "void",
        }
    }
}

/// The provider's final answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Done, now or when it was first asked; the id of the intent or the refund.
    Yes { id: String },
    /// A business no.
    No(Failure),
}

/// No final answer: whether it is done is unknown, and the same must be asked again under the same key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error("the provider cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the provider answered {0}: {1}")]
    Unexpected(u16, String),
    #[error("the payment has no intent at the provider")]
    NoIntent,
}

/// The provider's API.
#[derive(Debug, Clone)]
pub struct Provider {
    client: reqwest::Client,
    url: String,
    api_key: SecretString,
}

impl Provider {
    /// At `url`, with our key.
    pub fn new(url: &str, api_key: SecretString) -> reqwest::Result<Self> {
        Ok(Self {
            client: reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(1))
                .timeout(Duration::from_secs(5))
                .build()?,
            url: url.trim_end_matches('/').to_owned(),
            api_key,
        })
    }

    /// Asks for `operation` on `payment`. The key is the same each time, so that repeating the question does nothing twice.
    pub(crate) async fn ask(&self, operation: Operation, payment: &Payment) -> Result<Said, ProviderError> {
        let key = &format!("{}:{}", operation.as_str(), payment.id);
        let intent = || payment.provider_id.as_deref().ok_or(ProviderError::NoIntent);
        let reply = match operation {
            Operation::Authorize => {
                let body = wire::authorization(payment);
                self.post("/v1/payment_intents", key, body).await?
            }
            Operation::Capture => {
                let path = format!("/v1/payment_intents/{}/capture", intent()?);
                self.post(&path, key, serde_json::json!({})).await?
            }
            Operation::Void => {
                let path = format!("/v1/payment_intents/{}/cancel", intent()?);
                self.post(&path, key, serde_json::json!({})).await?
            }
        };
        match reply {
            Reply::Object { id } => Ok(Said::Yes { id }),
            Reply::Error(status, error) => meaning(operation, status, error),
        }
    }

    /// Asks for a refund of `amount` under `key`; the metadata come back in the event.
    pub(crate) async fn refund(
        &self,
        payment: &Payment,
        refund: uuid::Uuid,
        amount: Money,
        key: &str,
    ) -> Result<Said, ProviderError> {
        let intent = payment.provider_id.as_deref().ok_or(ProviderError::NoIntent)?;
        let body = wire::refund(intent, payment, refund, amount);
        match self.post("/v1/refunds", key, body).await? {
            Reply::Object { id } => Ok(Said::Yes { id }),
            Reply::Error(_, error) if error.code == "amount_too_large" => Ok(Said::No(Failure {
                code: "exceeds_captured".into(),
                message: error.message,
            })),
            Reply::Error(status, error) => Err(ProviderError::Unexpected(status, error.code)),
        }
    }

    /// Tries a few times within the handler, for what passes quickly.
    async fn post(&self, path: &str, key: &str, body: serde_json::Value) -> Result<Reply, ProviderError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let error = match self.post_once(path, key, &body).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let Some(pause) = pauses.next() else {
                return Err(error);
            };
            tracing::warn!(
                path,
                error = &error as &dyn std::error::Error,
                "asking the provider again"
            );
            // So that workers that failed together do not come back together.
            let jitter = rand::rng().random_range(0..=pause / 5);
            tokio::time::sleep(Duration::from_millis(pause + jitter)).await;
        }
    }

    async fn post_once(
        &self,
        path: &str,
        key: &str,
        body: &serde_json::Value,
    ) -> Result<Reply, ProviderError> {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .bearer_auth(self.api_key.expose_secret())
            .header("idempotency-key", key)
            .json(body);
        let answer = telemetry::http::send(&self.client, request)
            .await
            .map_err(ProviderError::Unreachable)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(ProviderError::Unreachable)?;
        wire::read(status, &body)
    }
}

/// What an error answer means for an operation.
fn meaning(operation: Operation, status: u16, error: ErrorDetail) -> Result<Said, ProviderError> {
    let no = |code: &str, message| {
        Ok(Said::No(Failure {
            code: code.into(),
            message,
        }))
    };
    let intent = error.payment_intent;
    let state = intent.as_ref().map_or("", |intent| intent.status.as_str());
    match (operation, status, error.code.as_str(), state) {
        (Operation::Authorize, 402, ..) if error.decline_code.as_deref() == Some("insufficient_funds") => {
            no("insufficient_funds", error.message)
        }
        (Operation::Authorize, 402, ..) => no("card_declined", error.message),
        (Operation::Authorize, 400, "resource_missing", _) => no("unknown_payment_method", error.message),
        (Operation::Capture, 402, ..) => no("capture_declined", error.message),
        // It is what it was to become: an earlier call under another key, or the provider itself, did it.
        (Operation::Capture, 400, "payment_intent_unexpected_state", "succeeded")
        | (Operation::Void, 400, "payment_intent_unexpected_state", "canceled") => Ok(Said::Yes {
            id: intent.map(|intent| intent.id).unwrap_or_default(),
        }),
        (Operation::Capture, 400, "payment_intent_unexpected_state", "canceled") => {
            no("not_authorized", error.message)
        }
        _ => Err(ProviderError::Unexpected(status, error.code)),
    }
}

#[cfg(test)]
mod tests;
