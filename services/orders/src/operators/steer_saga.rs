//! `POST /v1/admin/sagas/{id}/{retry,compensate,resolve}`: the actions of an operator on a saga. `saga/decide.rs` decides
//! when each of them is possible.

use axum::{extract::State, http::StatusCode};
use contracts::{SagaId, UserId};
use serde::Deserialize;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::ActionReason;
use crate::{
    App,
    error::Error,
    saga::{
        self, Action, Cause, Impossible,
        timeline::{self, SagaView},
    },
    text,
};

/// An operator's decision about the step at which a saga is parked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// How the step ended, as the operator has found out; `done` if absent.
    outcome: Option<Resolution>,
    /// Reason for the log: 1 to 500 characters, not counting leading and trailing white space.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The provider confirmed the refund by phone."
    )]
    reason: String,
}

/// How a parked step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The step was performed; the saga continues with the next one.
    Done,
    /// The step was not performed. The saga is undone, including this step in case it is performed later. Only possible
    /// before the pivot.
    Refused,
}

/// Retry a saga's current step
///
/// Sends the awaited command again. Before the pivot, the saga's deadline starts again.
#[utoipa::path(post, path = "/v1/admin/sagas/{id}/retry", tag = "operators", security(("bearer" = [])),
    params(("id" = SagaId, Path, description = "Id of the saga")), request_body = ActionReason,
    responses((status = 202, description = "The saga after the action", body = SagaView),
        (status = 400, description = "The body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such saga", body = ProblemBody),
        (status = 409, description = "The saga has ended", body = ProblemBody),
        (status = 422, description = "A field is not valid", body = ProblemBody)))]
pub async fn retry_saga(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<SagaId>,
    Json(ActionReason { reason }): Json<ActionReason>,
) -> Result<(StatusCode, Json<SagaView>), Problem> {
    steer(app, id, claims.sub, &reason, Action::Retry).await
}

/// Undo a saga
///
/// Undoes every step that was, or may have been, performed; the order is then cancelled. Only possible before the command
/// that charges the card is sent (409 afterwards).
#[utoipa::path(post, path = "/v1/admin/sagas/{id}/compensate", tag = "operators", security(("bearer" = [])),
    params(("id" = SagaId, Path, description = "Id of the saga")), request_body = ActionReason,
    responses((status = 202, description = "The saga after the action", body = SagaView),
        (status = 400, description = "The body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such saga", body = ProblemBody),
        (status = 409, description = "The saga is past its pivot, is compensating already, or has ended", body = ProblemBody),
        (status = 422, description = "A field is not valid", body = ProblemBody)))]
pub async fn compensate_saga(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<SagaId>,
    Json(ActionReason { reason }): Json<ActionReason>,
) -> Result<(StatusCode, Json<SagaView>), Problem> {
    steer(app, id, claims.sub, &reason, Action::Compensate).await
}

/// Resolve a parked saga
///
/// Records how the parked step ended, as the operator has found out, and continues the saga accordingly. Fails with 409 if
/// the saga is not parked, or if the step cannot be undone and is resolved as `refused`.
#[utoipa::path(post, path = "/v1/admin/sagas/{id}/resolve", tag = "operators", security(("bearer" = [])),
    params(("id" = SagaId, Path, description = "Id of the saga")), request_body = Resolve,
    responses((status = 202, description = "The saga after the action", body = SagaView),
        (status = 400, description = "The body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such saga", body = ProblemBody),
        (status = 409, description = "The saga is not parked, or the step cannot be undone and is resolved as `refused`", body = ProblemBody),
        (status = 422, description = "A field is not valid", body = ProblemBody)))]
pub async fn resolve_saga(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<SagaId>,
    Json(resolve): Json<Resolve>,
) -> Result<(StatusCode, Json<SagaView>), Problem> {
    let action = match resolve.outcome.unwrap_or(Resolution::Done) {
        Resolution::Done => Action::ResolveDone,
        Resolution::Refused => Action::ResolveRefused,
    };
    steer(app, id, claims.sub, &resolve.reason, action).await
}

/// Performs an operator's action and returns the saga in its new state.
async fn steer(
    app: App,
    id: SagaId,
    actor: UserId,
    reason: &str,
    action: Action,
) -> Result<(StatusCode, Json<SagaView>), Problem> {
    let reason = text::checked("/reason", reason, 500)?;
    souk_http::detached(async move {
        let cause = Cause::Operator {
            action,
            actor,
            reason,
        };
        let mut transaction = app.pool.begin().await?;
        saga::advance(&mut transaction, &*app.dispatcher, id, &cause)
            .await?
            .map_err(|impossible| conflict(impossible, action))?;
        let saga = timeline::find(&mut transaction, id)
            .await?
            .ok_or(Error::NotFound("saga"))?;
        transaction.commit().await?;
        app.outbox.flush_soon();
        Ok((StatusCode::ACCEPTED, Json(saga)))
    })
    .await
}

/// Converts the reason why an action is impossible to an error for the operator.
fn conflict(impossible: Impossible, action: Action) -> Error {
    let (code, detail) = match (impossible, action) {
        (Impossible::NotFound, _) => return Error::NotFound("saga"),
        (Impossible::CannotBeUndone, _) => (
            "too-late",
            "This step cannot be undone, and may still be performed. Retry it; the reply will show how it ended.",
        ),
        (_, Action::Compensate) => (
            "too-late",
            "The saga is past its pivot, is compensating already, or has ended.",
        ),
        (_, Action::ResolveDone | Action::ResolveRefused) => {
            ("not-parked", "Only a parked saga can be resolved.")
        }
        (_, Action::Retry | Action::Redrive(_)) => ("at-its-end", "The saga has ended."),
    };
    Error::Conflict(code, detail.to_owned())
}
