//! Errors in the provider's form: `{"error": {type, code, message, decline_code?}}`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use souk_http::database;
use utoipa::ToSchema;

use crate::intents::Intent;

/// The body of every error answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What went wrong.
    pub(crate) error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// `card_error`, `invalid_request_error`, `idempotency_error` or `api_error`.
    pub(crate) r#type: String,
    /// A word for programs.
    pub(crate) code: String,
    /// A sentence for people.
    pub(crate) message: String,
    /// Of a card error: why the card's bank said no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decline_code: Option<String>,
    /// The wrong field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) param: Option<String>,
    /// The intent in question, as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payment_intent: Option<Intent>,
}

/// Why a request is not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the API key is missing or wrong")]
    Unauthorized,
    #[error("{1}")]
    Invalid(Option<&'static str>, String),
    #[error("no such {0}")]
    Missing(&'static str),
    #[error("an Idempotency-Key header of 1 to 255 characters is required")]
    KeyRequired,
    #[error("another request with this key is being worked on")]
    KeyInUse,
    #[error("this key came with another request before")]
    KeyReused,
    /// `code`, `decline_code`, sentence.
    #[error("{2}")]
    Card(&'static str, &'static str, &'static str),
    #[error("the payment intent is {}", .0.status.as_str())]
    UnexpectedState(Box<Intent>),
    #[error("more than what is left to refund")]
    TooLarge,
    /// Asked for by a magic method.
    #[error("something went wrong on the provider's side")]
    Flaky,
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// Whether the same request gets the same answer for ever, so that it is kept under its key.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Card(..) | Self::UnexpectedState(_) | Self::TooLarge)
    }

    /// Status and body.
    pub(crate) fn answer(self) -> (u16, ErrorBody) {
        let message = self.to_string();
        let (status, kind, code) = match &self {
            Self::Unauthorized => (401, "invalid_request_error", "api_key_invalid"),
            Self::Invalid(..) => (400, "invalid_request_error", "parameter_invalid"),
            // Stripe answers 404 for a thing in the path and 400 for one in the body.
            Self::Missing("payment_method") => (400, "invalid_request_error", "resource_missing"),
            Self::Missing(_) => (404, "invalid_request_error", "resource_missing"),
            Self::KeyRequired => (400, "invalid_request_error", "idempotency_key_required"),
            Self::KeyInUse => (409, "idempotency_error", "idempotency_key_in_use"),
            Self::KeyReused => (400, "idempotency_error", "idempotency_key_reused"),
            Self::Card(code, ..) => (402, "card_error", *code),
            Self::UnexpectedState(_) => (400, "invalid_request_error", "payment_intent_unexpected_state"),
            Self::TooLarge => (400, "invalid_request_error", "amount_too_large"),
            Self::Flaky => (500, "api_error", "internal"),
            Self::Database(error) if database::is_away(error) => (503, "api_error", "unavailable"),
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
            Self::Missing(what) => detail.param = Some(what.into()),
            Self::UnexpectedState(intent) => detail.payment_intent = Some(*intent),
            _ => {}
        }
        (status, ErrorBody { error: detail })
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, body) = self.answer();
        let status =
            axum::http::StatusCode::from_u16(status).unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(body)).into_response()
    }
}
