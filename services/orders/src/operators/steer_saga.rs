//! `POST /v1/admin/sagas/{id}/{retry,compensate,resolve}`: what an operator may do to a saga. The engine decides whether
//! it is possible, as for everyone else.

use axum::{extract::State, http::StatusCode};
use contracts::{SagaId, UserId};
use serde::Deserialize;
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};
use utoipa::ToSchema;

use super::Why;
use crate::{
    App,
    error::Error,
    saga::{
        Move,
        effects::Ending,
        engine::{At, Heard, Position},
        proceed,
        store::{self, Live},
        timeline::{self, SagaView},
    },
    text,
};

/// How a parked step ended, as the operator has found out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// What came of the step; `done` when absent.
    outcome: Option<Resolution>,
    /// For the log, 1 to 500 characters.
    reason: String,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It is done: the saga goes on.
    Done,
    /// It was not done: the saga is undone from this step on, which is undone, too, in case it is performed later. Only
    /// before the pivot.
    Refused,
}

/// Send the awaited command again, now
///
/// Before the pivot, the saga's deadline starts again.
#[utoipa::path(post, path = "/v1/admin/sagas/{id}/retry", tag = "operators", security(("bearer" = [])),
    params(("id" = SagaId, Path)), request_body = Why,
    responses((status = 202, body = SagaView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn retry_saga(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<SagaId>,
    Json(why): Json<Why>,
) -> Result<(StatusCode, Json<SagaView>), Problem> {
    steer(app, id, claims.sub, &why.reason, |live| {
        let position = live.at.position().ok_or_else(|| at_its_end(live))?;
        Ok(Move::send(position, Some("retried")))
    })
    .await
}

/// Undo what was done
///
/// Only before the command that moves the money is sent.
#[utoipa::path(post, path = "/v1/admin/sagas/{id}/compensate", tag = "operators", security(("bearer" = [])),
    params(("id" = SagaId, Path)), request_body = Why,
    responses((status = 202, body = SagaView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn compensate_saga(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<SagaId>,
    Json(why): Json<Why>,
) -> Result<(StatusCode, Json<SagaView>), Problem> {
    steer(app, id, claims.sub, &why.reason, |live| {
        let to = live.give_up().ok_or_else(|| {
            Error::Conflict(
                "too-late",
                "The saga is past its pivot, or goes back already.".into(),
            )
        })?;
        Ok(Move {
            to,
            heard: Some(Heard::Silent),
            outcome: Some("compensated"),
            reason: None,
            detail: None,
            actor: None,
            ending: Some(Ending::cancelled("cancelled_by_operator")),
            restarts_deadline: false,
        })
    })
    .await
}

/// Say how a parked step ended
#[utoipa::path(post, path = "/v1/admin/sagas/{id}/resolve", tag = "operators", security(("bearer" = [])),
    params(("id" = SagaId, Path)), request_body = Resolve,
    responses((status = 202, body = SagaView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn resolve_saga(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<SagaId>,
    Json(resolve): Json<Resolve>,
) -> Result<(StatusCode, Json<SagaView>), Problem> {
    let outcome = resolve.outcome.unwrap_or(Resolution::Done);
    steer(app, id, claims.sub, &resolve.reason, move |live| {
        let At::Parked(position) = live.at else {
            return Err(Error::Conflict(
                "not-parked",
                "Only a parked saga can be resolved.".into(),
            ));
        };
        let cause = match outcome {
            Resolution::Done => Move::heard(live, Heard::Done, None, Some("done".into())),
            Resolution::Refused => refused(live, position)?,
        };
        Ok(Move {
            outcome: Some("resolved"),
            ..cause
        })
    })
    .await
}

/// What an operator's word that a step was refused leads to. The participant has not said so, and may yet perform the
/// step; so its undo is sent, too, as after a timeout. Where a timeout would only send the command again, an operator
/// cannot give the step up either.
fn refused(live: &Live, position: Position) -> Result<Move, Error> {
    let cause = Move::heard(live, Heard::Silent, None, Some("refused".into()));
    if cause.to == live.at {
        let detail =
            "This step may still be performed, and has no undo. Retry it: the answer says what came of it.";
        return Err(Error::Conflict("too-late", detail.into()));
    }
    Ok(Move {
        ending: Some(Ending::rejected(
            live.saga.steps[position.step].name,
            Heard::Refused,
        )),
        heard: Some(Heard::Silent),
        ..cause
    })
}

fn at_its_end(live: &Live) -> Error {
    Error::Conflict("at-its-end", format!("The saga is {}.", live.at.status()))
}

/// Makes the move that `choose` finds possible, in the operator's name.
async fn steer(
    app: App,
    id: SagaId,
    actor: UserId,
    reason: &str,
    choose: impl FnOnce(&Live) -> Result<Move, Error> + Send + 'static,
) -> Result<(StatusCode, Json<SagaView>), Problem> {
    let reason = text::checked("/reason", reason, 500)?;
    souk_http::detached(async move {
        let mut transaction = app.pool.begin().await?;
        let live = store::lock(&mut transaction, id)
            .await?
            .ok_or(Error::NotFound("saga"))?;
        let cause = Move {
            reason: Some(reason),
            actor: Some(actor),
            ..choose(&live)?
        };
        if !proceed(&mut transaction, &app.faults, &live, cause).await? {
            return Err(at_its_end(&live).into());
        }
        let saga = timeline::find(&mut transaction, id)
            .await?
            .ok_or(Error::NotFound("saga"))?;
        transaction.commit().await?;
        app.outbox.flush_soon();
        Ok((StatusCode::ACCEPTED, Json(saga)))
    })
    .await
}
