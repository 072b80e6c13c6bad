//! Writes planned moves, each in one statement. A move is saved only if the saga and its order are still the versions that it
//! was planned from; otherwise nothing is written, and the caller plans again. So no transaction and no lock is needed.

use contracts::{
    CommandId, SagaId,
    saga::{Message as _, Reply, queues},
};
use messaging::Outgoing;
use sqlx::{PgConnection, types::Json};
use telemetry::TraceContext;
use tracing::{Instrument as _, error, info, info_span, warn};

use super::{
    admission, checkout,
    decide::{Cause, Impossible},
    dispatch::Dispatcher,
    engine::{self, At, Position},
    log::LogOutcome,
    plan::{Deadline, Plan, plan},
    state::SagaState,
    table::{Facts, Saga},
};
use crate::{gauges, orders::ReturnStatus};

/// How long a checkout may take from its first command to its pivot, and how long it may wait for a free place before.
const DEADLINE_SECONDS: u32 = 120;
const _: () = assert!(
    DEADLINE_SECONDS < checkout::HOLD_SECONDS,
    "the items must be held until the checkout's deadline"
);

/// Moves a saga for `cause` and returns the state that it was moved from, or why it cannot be moved. Plans again when the saga
/// or its order changes in between.
pub(crate) async fn advance(
    conn: &mut PgConnection,
    dispatcher: &dyn Dispatcher,
    id: SagaId,
    cause: &Cause,
) -> sqlx::Result<Result<SagaState, Impossible>> {
    loop {
        let Some(state) = SagaState::find(conn, id).await? else {
            return Ok(Err(Impossible::NotFound));
        };
        let plan = match plan(&state, cause) {
            Ok(plan) => plan,
            Err(impossible) => return Ok(Err(impossible)),
        };
        let span = span(cause, &state, &plan);
        if apply(conn, dispatcher, &state, &plan).instrument(span).await? {
            return Ok(Ok(state));
        }
    }
}

/// The span of a move; its fields are those of the state before it.
pub(super) fn span(cause: &Cause, state: &SagaState, plan: &Plan) -> tracing::Span {
    let name = match cause {
        Cause::Reply(_) => "saga reply",
        Cause::Timeout | Cause::Resend => "saga timer",
        Cause::Cancel(_) | Cause::Operator { .. } | Cause::DeadLetter { .. } => "saga decision",
    };
    let position = state.at.position();
    info_span!(
        "saga",
        otel.name = name,
        saga.id = %state.id,
        saga.step = position.map(|position| position.step_id(state.saga).as_str()),
        saga.direction = position.map(|position| position.direction.as_str()),
        saga.attempt = state.attempts,
        saga.outcome = outcome(plan),
    )
}

/// The outcome of a move for logs and traces.
fn outcome(plan: &Plan) -> &'static str {
    match plan.log.first().map(|entry| entry.outcome) {
        Some(LogOutcome::Sent) | None => "resent",
        Some(outcome) => outcome.as_str(),
    }
}

/// Writes a planned move: the saga, its log, its order and return, the order's events, and the command. Returns false, with
/// nothing written, when the saga or its order has changed since `state` was read. The order's row is updated even if it
/// stays the same: that locks it, so that the numbers of its events rise in the order of the commits.
pub async fn apply(
    conn: &mut PgConnection,
    dispatcher: &dyn Dispatcher,
    state: &SagaState,
    plan: &Plan,
) -> sqlx::Result<bool> {
    let position = plan.position;
    let command_id = engine::command_id(state.saga, state.id, position);
    let send = plan
        .send
        .clone()
        .map(|command| Outgoing::command(command, command_id, state.id));
    let copies = send.as_ref().map_or(0, |command| dispatcher.copies(command));
    let order = &plan.order;
    let trace = TraceContext::current();
    let saved = sqlx::query_file_scalar!(
        "src/saga/save_move.sql",
        state.id.0,
        state.epoch,
        state.order_version,
        plan.at.status().as_str(),
        position.step_id(state.saga).as_str(),
        position.direction.as_str(),
        plan.at.position().map(|_| command_id.0),
        plan.attempts.cast_signed(),
        engine::resend_after(plan.attempts, jitter()).as_secs_f64(),
        plan.deadline == Deadline::Running,
        plan.deadline == Deadline::Restarted,
        f64::from(DEADLINE_SECONDS),
        plan.last_error,
        plan.parked_reason,
        plan.ending.as_ref().map(|ending| ending.status.as_str()),
        plan.ending.as_ref().map(|ending| ending.reason.as_str()),
        Json(&plan.log) as _,
        order.status.as_str(),
        order.reason,
        order.payment.as_str(),
        order.fulfilment.as_str(),
        order.refunded,
        *order != state.order || plan.return_status.is_some(),
        plan.return_status.map(ReturnStatus::as_str),
        Json(&plan.events) as _,
        send.as_ref().map(|command| &command.kind),
        send.as_ref().map(|command| &command.queue),
        send.as_ref().and_then(|command| command.reply_to.as_ref()),
        send.as_ref().map(|command| &command.body),
        i32::from(copies),
        // The dead letters of a saga that stays parked are still to be decided about.
        matches!(state.at, At::Parked(_)) && !matches!(plan.at, At::Parked(_)),
        &[queues::INVENTORY, queues::PAYMENTS] as _,
        Reply::KIND,
        trace.traceparent,
        trace.tracestate,
    )
    .fetch_one(conn)
    .await?;
    if saved == 1 {
        report(state, plan);
    }
    Ok(saved == 1)
}

/// Logs and counts a move that was saved.
fn report(state: &SagaState, plan: &Plan) {
    if let Some(problem) = &plan.last_error {
        warn!(saga_id = %state.id, step = plan.position.step_id(state.saga).as_str(), "{problem}");
    }
    gauges::record_transition(state.saga, plan.at);
    info!(
        saga_id = %state.id, saga = state.saga.name,
        step = state.at.position().map(|position| position.step_id(state.saga).as_str()),
        direction = state.at.position().map(|position| position.direction.as_str()),
        outcome = outcome(plan), status = plan.at.status().as_str(), attempts = state.attempts, "saga moved"
    );
    if let Some(reason) = &plan.parked_reason {
        error!(saga_id = %state.id, reason, "saga parked; an operator must decide how it continues");
    }
}

/// Starts a saga: its row, its log and its first command, which is sent at once if a place in flight is free.
pub(crate) async fn start(
    conn: &mut PgConnection,
    dispatcher: &dyn Dispatcher,
    saga: &'static Saga,
    facts: &Facts,
) -> sqlx::Result<()> {
    let Position { step, direction } = Position::FIRST;
    let Some(command) = engine::command(saga, Position::FIRST, facts) else {
        return Ok(());
    };
    let id: CommandId = engine::command_id(saga, facts.saga, Position::FIRST);
    let first = Outgoing::command(command, id, facts.saga);
    let copies = dispatcher.copies(&first);
    let capacity = if saga.waits_for_place {
        admission::IN_FLIGHT
    } else {
        i64::MAX
    };
    let is_sent = sqlx::query_file_scalar!(
        "src/saga/insert_saga.sql",
        facts.saga.0,
        facts.order.0,
        saga.name,
        saga.steps[step].id.as_str(),
        first.id,
        engine::resend_after(1, jitter()).as_secs_f64(),
        f64::from(DEADLINE_SECONDS),
        Json(facts) as _,
        first.trace.traceparent,
        first.trace.tracestate,
        capacity,
        admission::STUCK_AFTER,
        first.kind,
        first.queue,
        first.reply_to,
        first.body,
        i32::from(copies),
    )
    .fetch_one(conn)
    .await?;
    info!(
        saga_id = %facts.saga, saga = saga.name, step = saga.steps[step].id.as_str(),
        direction = direction.as_str(), is_sent, "saga started"
    );
    Ok(())
}

/// Postpones a due saga, with its command unsent. Returns false when the saga has moved since `state` was read.
pub(super) async fn postpone(conn: &mut PgConnection, state: &SagaState, seconds: f64) -> sqlx::Result<bool> {
    let postponed = sqlx::query!(
        "UPDATE sagas SET next_at = now() + make_interval(secs => $3), lease_until = NULL, epoch = epoch + 1
         WHERE id = $1 AND epoch = $2",
        state.id.0,
        state.epoch,
        seconds
    )
    .execute(conn)
    .await?;
    Ok(postponed.rows_affected() == 1)
}

/// A random number from -1 to 1.
fn jitter() -> f64 {
    rand::random::<f64>().mul_add(2.0, -1.0)
}
