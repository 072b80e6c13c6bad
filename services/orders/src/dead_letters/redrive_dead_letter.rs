//! `POST /v1/admin/dead-letters/{id}/redrive`: sends a dead letter to its queue again and continues its saga.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use contracts::{CommandId, SagaId, UserId, saga::queues};
use messaging::{Outgoing, outbox};
use souk_http::{Json, Path, Problem, ProblemBody, auth::Admin};
use sqlx::PgConnection;
use telemetry::TraceContext;
use uuid::Uuid;

use super::NO_REASON;
use crate::{
    App,
    error::Error,
    operators::ActionReason,
    saga::{self, Action, Cause, Impossible, dispatch::Dispatcher},
    text,
};

/// Send a dead letter again
///
/// Sends the message to its queue again, and continues its saga if that is parked. The body, with a reason for the log, is
/// optional. Fails with 409 if the saga no longer awaits the command; delete the dead letter then.
#[utoipa::path(post, path = "/v1/admin/dead-letters/{id}/redrive", tag = "operators", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the dead letter")), request_body = Option<ActionReason>,
    responses((status = 202, description = "The message will be sent again"),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such dead letter, or it is settled already", body = ProblemBody),
        (status = 409, description = "The saga no longer awaits the command, or the message is not JSON", body = ProblemBody),
        (status = 422, description = "The body is not valid", body = ProblemBody)))]
pub async fn redrive_dead_letter(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<Uuid>,
    body: Option<Json<ActionReason>>,
) -> Result<StatusCode, Problem> {
    let reason = match body {
        Some(Json(body)) => text::checked("/reason", &body.reason, 500)?,
        None => NO_REASON.to_owned(),
    };
    souk_http::detached(async move {
        let mut transaction = app.pool.begin().await?;
        redrive(&mut transaction, &*app.dispatcher, id, claims.sub, &reason).await?;
        transaction.commit().await?;
        app.outbox.flush_soon();
        Ok(StatusCode::ACCEPTED)
    })
    .await
}

/// Settles the dead letter, sends its message again, and continues its saga.
async fn redrive(
    conn: &mut PgConnection,
    dispatcher: &dyn Dispatcher,
    id: Uuid,
    actor: UserId,
    reason: &str,
) -> Result<(), Error> {
    let letter = sqlx::query!(
        r#"UPDATE dead_letters SET settled_at = now(), settled_as = 'redriven', settled_by = $2, settled_reason = $3
         WHERE id = $1 AND settled_at IS NULL
         RETURNING message_id, kind, queue, correlation_id, reply_to, body, traceparent, tracestate,
             extract(epoch FROM now() - died_at)::float8 AS "age!""#,
        id,
        actor.0,
        reason
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or(Error::NotFound("dead letter"))?;
    let body = serde_json::from_slice(&letter.body).map_err(|_| {
        Error::Conflict(
            "not-json",
            "The body of the message is not JSON, so no receiver can handle it. Delete the dead letter."
                .into(),
        )
    })?;
    let trace = TraceContext {
        traceparent: letter.traceparent,
        tracestate: letter.tracestate,
    };
    let message = Outgoing {
        id: letter.message_id,
        kind: letter.kind,
        queue: letter.queue,
        correlation_id: letter.correlation_id,
        reply_to: letter.reply_to,
        body,
        trace: trace.continued(Duration::try_from_secs_f64(letter.age).unwrap_or_default()),
    };
    let is_command = message.queue == queues::INVENTORY || message.queue == queues::PAYMENTS;
    let cause = Cause::Operator {
        // The saga sends its awaited command itself. A command that it no longer awaits may have been undone, and must not
        // be performed after that.
        action: Action::Redrive(is_command.then_some(CommandId(message.id))),
        actor,
        reason: reason.to_owned(),
    };
    let moved = saga::advance(conn, dispatcher, SagaId(message.correlation_id), &cause).await?;
    if is_command && matches!(moved, Err(Impossible::NotAwaited | Impossible::Ended)) {
        return Err(Error::Conflict(
            "superseded",
            "The saga has moved on and no longer awaits this command. Delete the dead letter.".into(),
        ));
    }
    if !is_command || moved.is_err() {
        outbox::insert(conn, &[message]).await?;
    }
    Ok(())
}
