//! Errors in the provider's format: `{"error": {type, code, message, decline_code?}}`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use souk_http::database;
use utoipa::ToSchema;

use crate::intents::Intent;

/// The body of every error response.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// Details of the error.
    pub(crate) error: ErrorDetail,
}

/// Details of an error: its kind, a code for programs and a message for people.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// The kind of error: `card_error`, `invalid_request_error`, `idempotency_error` or `api_error`.
    #[schema(example = "card_error")]
    pub(crate) r#type: String,
    /// A code for programs.
    #[schema(example = "card_declined")]
    pub(crate) code: String,
    /// A sentence for people, which may change between versions.
    #[schema(example = "Your card was declined.")]
    pub(crate) message: String,
    /// Why the bank declined the card; present only for card errors.
    #[schema(example = "generic_decline")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decline_code: Option<String>,
    /// The request field that is invalid, if the error concerns a single field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) param: Option<String>,
    /// The payment intent in its current state, if that state rules out the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payment_intent: Option<Intent>,
}

/// Why a request failed. The texts are sent to the merchant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the API key is missing or wrong")]
    Unauthorized,
    #[error("{1}")]
    Invalid(Option<&'static str>, String),
    #[error("no such {0}")]
    NotFound(&'static str),
    #[error("an Idempotency-Key header of 1 to 255 characters is required")]
    KeyRequired,
    #[error("another request with this Idempotency-Key is still in progress")]
    KeyInUse,
    #[error("this Idempotency-Key was already used for a different request")]
    KeyReused,
    /// The bank declined: `code`, `decline_code` and message.
    #[error("{2}")]
    Card(&'static str, &'static str, &'static str),
    #[error("the payment intent is {}", .0.status.as_str())]
    UnexpectedState(Box<Intent>),
    #[error("the amount exceeds what can still be refunded")]
    AmountTooLarge,
    /// A deliberate failure, requested by a magic payment method.
    #[error("something went wrong on the provider's side")]
    Flaky,
    #[error("a database query failed")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// Whether repeating the request can only give the same error, so that the error is recorded under its key.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Card(..) | Self::UnexpectedState(_) | Self::AmountTooLarge
        )
    }

    /// Returns the HTTP status and the body. Logs errors of the database.
    pub(crate) fn into_status_and_body(self) -> (u16, ErrorBody) {
        let message = self.to_string();
        let (status, kind, code) = match &self {
            Self::Unauthorized => (401, "invalid_request_error", "api_key_invalid"),
            Self::Invalid(..) => (400, "invalid_request_error", "parameter_invalid"),
            // Like Stripe: 404 for an unknown object in the path, 400 for one in the body.
            Self::NotFound("payment_method") => (400, "invalid_request_error", "resource_missing"),
            Self::NotFound(_) => (404, "invalid_request_error", "resource_missing"),
            Self::KeyRequired => (400, "invalid_request_error", "idempotency_key_required"),
            Self::KeyInUse => (409, "idempotency_error", "idempotency_key_in_use"),
            Self::KeyReused => (400, "idempotency_error", "idempotency_key_reused"),
            Self::Card(code, ..) => (402, "card_error", *code),
            Self::UnexpectedState(_) => (400, "invalid_request_error", "payment_intent_unexpected_state"),
            Self::AmountTooLarge => (400, "invalid_request_error", "amount_too_large"),
            Self::Flaky => (500, "api_error", "internal"),
            Self::Database(error) if database::is_unavailable(error) => (503, "api_error", "unavailable"),
            Self::Database(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "request failed");
                (500, "api_error", "internal")
            }
        };
        let mut detail = ErrorDetail {
            r#type: kind.into(),
            code: code.into(),
            message,
            ..ErrorDetail::default()
        };
        match self {
            Self::Card(_, decline, _) => detail.decline_code = Some(decline.into()),
            Self::Invalid(param, _) => detail.param = param.map(Into::into),
            Self::NotFound(what) => detail.param = Some(what.into()),
            Self::UnexpectedState(intent) => detail.payment_intent = Some(*intent),
            _ => {}
        }
        (status, ErrorBody { error: detail })
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, body) = self.into_status_and_body();
        let status =
            axum::http::StatusCode::from_u16(status).unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(body)).into_response()
    }
}
