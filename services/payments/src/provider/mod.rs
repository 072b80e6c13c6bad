//! HTTP client for the external payment provider. Every call carries an idempotency key that follows from committed data,
//! so a call whose response was lost can be repeated safely. Callers must not hold a database transaction open during a
//! call.

mod wire;

use std::time::Duration;

use contracts::Money;
use rand::RngExt;
use souk_config::{ExposeSecret, SecretString};

use crate::payment::{Failure, Payment};
use wire::{ErrorDetail, Response};

/// Delays in milliseconds before the second, third and fourth attempt of a call. After that, the caller's own retries take
/// over.
const RETRY_DELAYS: [u64; 3] = [100, 200, 400];

/// An operation of the provider on a payment. Each takes effect at most once for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Reserve the amount on the card.
    Authorize,
    /// Charge the reserved amount.
    Capture,
    /// Release the reserved amount.
    Void,
}

impl Operation {
    /// The name in idempotency keys.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Void => "void",
        }
    }
}

/// The final outcome of an operation at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProviderOutcome {
    /// The operation was done, by this call or an earlier one; `id` is that of the payment intent or refund.
    Succeeded { id: String },
    /// The provider refused for a business reason; a retry would be refused as well.
    Refused(Failure),
}

/// The call had no final outcome. The operation may have been done, so it must be retried with the same key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error("the payment provider cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the payment provider responded with {0}: {1}")]
    Unexpected(u16, String),
    #[error("the payment has no payment intent at the provider")]
    NoIntent,
}

/// Client for the provider's API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Provider {
    client: reqwest::Client,
    url: String,
    api_key: SecretString,
}

impl Provider {
    /// Creates a client for the API at `url`; fails if the HTTP client cannot be set up.
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

    /// Executes `operation` for `payment`. The idempotency key depends only on these two, so a repetition has no further
    /// effect.
    pub(crate) async fn execute(
        &self,
        operation: Operation,
        payment: &Payment,
    ) -> Result<ProviderOutcome, ProviderError> {
        let key = &format!("{}:{}", operation.as_str(), payment.id);
        let intent = || payment.provider_id.as_deref().ok_or(ProviderError::NoIntent);
        let response = match operation {
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
        match response {
            Response::Object { id } => Ok(ProviderOutcome::Succeeded { id }),
            Response::Error(status, error) => interpret_error(operation, status, error),
        }
    }

    /// Refunds `amount` with the idempotency key `key`. The ids of order and refund are sent as metadata, which the
    /// provider's event repeats.
    pub(crate) async fn refund(
        &self,
        payment: &Payment,
        refund: uuid::Uuid,
        amount: Money,
        key: &str,
    ) -> Result<ProviderOutcome, ProviderError> {
        let intent = payment.provider_id.as_deref().ok_or(ProviderError::NoIntent)?;
        let body = wire::refund(intent, payment, refund, amount);
        match self.post("/v1/refunds", key, body).await? {
            Response::Object { id } => Ok(ProviderOutcome::Succeeded { id }),
            Response::Error(_, error) if error.code == "amount_too_large" => {
                Ok(ProviderOutcome::Refused(Failure {
                    code: "exceeds_captured".into(),
                    message: error.message,
                }))
            }
            Response::Error(status, error) => Err(ProviderError::Unexpected(status, error.code)),
        }
    }

    /// Sends a request, with a few quick retries for failures that are usually short.
    async fn post(&self, path: &str, key: &str, body: serde_json::Value) -> Result<Response, ProviderError> {
        let mut delays = RETRY_DELAYS.into_iter();
        loop {
            let error = match self.post_once(path, key, &body).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let Some(delay) = delays.next() else {
                return Err(error);
            };
            tracing::warn!(
                path,
                error = &error as &dyn std::error::Error,
                "a call to the payment provider failed; will retry in {delay} ms"
            );
            // Jitter keeps workers that failed together from retrying together.
            let jitter = rand::rng().random_range(0..=delay / 5);
            tokio::time::sleep(Duration::from_millis(delay + jitter)).await;
        }
    }

    async fn post_once(
        &self,
        path: &str,
        key: &str,
        body: &serde_json::Value,
    ) -> Result<Response, ProviderError> {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .bearer_auth(self.api_key.expose_secret())
            .header("idempotency-key", key)
            .json(body);
        let response = telemetry::http::send(&self.client, request)
            .await
            .map_err(ProviderError::Unreachable)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(ProviderError::Unreachable)?;
        wire::parse_response(status, &body)
    }
}

/// Interprets an error response: a refusal, a success of an earlier call, or no final outcome.
fn interpret_error(
    operation: Operation,
    status: u16,
    error: ErrorDetail,
) -> Result<ProviderOutcome, ProviderError> {
    let refused = |code: &str, message| {
        Ok(ProviderOutcome::Refused(Failure {
            code: code.into(),
            message,
        }))
    };
    let intent = error.payment_intent;
    let state = intent.as_ref().map_or("", |intent| intent.status.as_str());
    match (operation, status, error.code.as_str(), state) {
        (Operation::Authorize, 402, ..) if error.decline_code.as_deref() == Some("insufficient_funds") => {
            refused("insufficient_funds", error.message)
        }
        (Operation::Authorize, 402, ..) => refused("card_declined", error.message),
        (Operation::Authorize, 400, "resource_missing", _) => {
            refused("unknown_payment_method", error.message)
        }
        (Operation::Capture, 402, ..) => refused("capture_declined", error.message),
        // The intent already has the desired state: an earlier call or the provider itself put it there.
        (Operation::Capture, 400, "payment_intent_unexpected_state", "succeeded")
        | (Operation::Void, 400, "payment_intent_unexpected_state", "canceled") => {
            Ok(ProviderOutcome::Succeeded {
                id: intent.map(|intent| intent.id).unwrap_or_default(),
            })
        }
        (Operation::Capture, 400, "payment_intent_unexpected_state", "canceled") => {
            refused("not_authorized", error.message)
        }
        _ => Err(ProviderError::Unexpected(status, error.code)),
    }
}

#[cfg(test)]
mod tests;
