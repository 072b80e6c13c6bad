//! `POST /v1/admin/dead-letters/{id}/redrive`: to its queue once more, through the outbox, and its saga goes on.

use std::time::Duration;

use axum::{body::Bytes, extract::State, http::StatusCode};
use contracts::{CommandId, SagaId, UserId, saga::queues};
use messaging::{Outgoing, outbox};
use souk_http::{Path, Problem, ProblemBody, auth::Admin};
use sqlx::PgConnection;
use telemetry::TraceContext;
use uuid::Uuid;

use super::NO_REASON;
use crate::{
    App,
    error::Error,
    faults::{Faults, Sending},
    operators::Why,
    saga::{
        Move,
        engine::{self, At},
        proceed, store,
    },
    text,
};

/// Send a dead letter again
///
/// The body, with a reason for the log, may be left out.
#[utoipa::path(post, path = "/v1/admin/dead-letters/{id}/redrive", tag = "operators", security(("bearer" = [])),
    params(("id" = Uuid, Path)), request_body = Option<Why>,
    responses((status = 202), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn redrive_dead_letter(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(id): Path<Uuid>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let reason = reason(&body)?;
    souk_http::detached(async move {
        let mut transaction = app.pool.begin().await?;
        redrive(&mut transaction, &app.faults, id, claims.sub, &reason).await?;
        transaction.commit().await?;
        app.outbox.flush_soon();
        Ok(StatusCode::ACCEPTED)
    })
    .await
}

fn reason(body: &[u8]) -> Result<String, Error> {
    if body.is_empty() {
        return Ok(NO_REASON.to_owned());
    }
    let why: Why = serde_json::from_slice(body).map_err(|error| Error::field("", error.to_string()))?;
    text::checked("/reason", &why.reason, 500)
}

async fn redrive(
    conn: &mut PgConnection,
    faults: &Faults,
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
            "Its body is not JSON, so that no receiver would ever take it.".into(),
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
    let live = store::lock(conn, SagaId(letter.correlation_id)).await?;
    // A command that its saga no longer awaits may have been given up and undone; performing it now would last.
    let is_command = message.queue == queues::INVENTORY || message.queue == queues::PAYMENTS;
    if let Some(live) = live.as_ref().filter(|_| is_command)
        && !engine::awaits(live.saga, live.id, live.at, CommandId(message.id))
    {
        return Err(Error::Conflict(
            "superseded",
            "The saga has moved on and no longer awaits this command. Delete the dead letter.".into(),
        ));
    }
    let Sending { command, copies } = faults.on(message);
    outbox::insert(conn, &vec![command; copies.into()]).await?;
    // The saga goes on as well, which sends its awaited command again; whoever has done it already says so.
    if let Some(live) = live
        && let At::Parked(position) = live.at
    {
        let cause = Move {
            reason: Some(reason.to_owned()),
            actor: Some(actor),
            ..Move::send(position, Some("redriven"))
        };
        proceed(conn, faults, &live, cause).await?;
    }
    Ok(())
}
