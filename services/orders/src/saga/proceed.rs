//! One move of a saga: from a place the engine chose to rows, log, order and outgoing command. Local steps on the way are
//! done at once.

use contracts::{CommandId, UserId};
use messaging::Outgoing;
use sqlx::PgConnection;
use tracing::{error, info};

use super::{
    admission,
    checkout::RETURN,
    effects::{self, Change, Ending},
    engine::{self, At, Direction, Heard, Position},
    store::{self, Live, Next},
    table::{Facts, Saga},
};
use crate::{dead_letters, faults::Faults, gauges, returns};

/// Resends without an answer after which somebody should look.
const ALERT_AFTER: i32 = 8;

/// A line of the log.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) step: &'static str,
    pub(crate) direction: Direction,
    pub(crate) command: Option<CommandId>,
    /// A word that `saga_log` allows.
    pub(crate) outcome: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) actor: Option<UserId>,
}

/// Why a saga moves, and to where.
#[derive(Debug)]
pub(crate) struct Move {
    pub(crate) to: At,
    /// What was heard of the awaited command, unless the move has another cause.
    pub(crate) heard: Option<Heard>,
    /// The word for the log; none for a plain resend.
    pub(crate) outcome: Option<&'static str>,
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) actor: Option<UserId>,
    /// Why it is to be undone, if this is what decides it.
    pub(crate) ending: Option<Ending>,
    /// Whether the time until the pivot starts again.
    pub(crate) restarts_deadline: bool,
}

impl Move {
    /// What a reply, or the lack of one, leads to.
    pub(crate) fn heard(live: &Live, heard: Heard, reason: Option<String>, detail: Option<String>) -> Self {
        let to = engine::advance(live.saga, live.at, heard);
        let outcome = match heard {
            Heard::Done => Some("done"),
            Heard::Refused => Some("refused"),
            Heard::Silent => (to != live.at).then_some("silent"),
        };
        let name = live
            .at
            .position()
            .map_or("", |position| live.saga.steps[position.step].name);
        let goes_back = matches!(
            to,
            At::Compensated
                | At::Active(Position {
                    direction: Direction::Undo,
                    ..
                })
        );
        Self {
            to,
            heard: outcome.map(|_| heard),
            outcome,
            reason,
            detail,
            actor: None,
            ending: goes_back.then(|| Ending::rejected(name, heard)),
            restarts_deadline: false,
        }
    }

    /// Sends the command of `position` now. `why` is the word for the log; none for a plain resend.
    pub(crate) fn send(position: Position, why: Option<&'static str>) -> Self {
        Self {
            to: At::Active(position),
            heard: None,
            outcome: why,
            reason: None,
            detail: None,
            actor: None,
            ending: None,
            restarts_deadline: why.is_some(),
        }
    }
}

/// Starts a saga: its row, its log and its first command. A checkout waits while all places in flight are taken; a return
/// compensates an order, and needs none.
pub(crate) async fn start(
    conn: &mut PgConnection,
    faults: &Faults,
    saga: &'static Saga,
    facts: &Facts,
) -> sqlx::Result<()> {
    let Some((position, command)) = At::START
        .position()
        .and_then(|position| Some((position, engine::command(saga, position, facts)?)))
    else {
        return Ok(());
    };
    let id = engine::command_id(saga, facts.saga, position);
    let first = faults.on(Outgoing::command(command, id, facts.saga));
    let resend_after = engine::resend_after(1, jitter()).as_secs_f64();
    let capacity = if saga.name == RETURN.name {
        i64::MAX
    } else {
        admission::IN_FLIGHT
    };
    let is_sent = store::insert(conn, saga, facts, &first, resend_after, capacity).await?;
    info!(saga_id = %facts.saga, saga = saga.name, step = saga.steps[0].name, is_sent, "started");
    Ok(())
}

/// Whether a move of this saga is a single statement, which needs neither a lock nor a transaction: a checkout's is, unless
/// it leaves dead letters behind.
pub(crate) fn is_one_statement(live: &Live) -> bool {
    live.saga.name != RETURN.name && matches!(live.at, At::Active(_))
}

/// Makes the move, in the caller's transaction unless it [`is_one_statement`]. False, and nothing done, when the saga has
/// moved since it was read.
pub(crate) async fn proceed(
    conn: &mut PgConnection,
    faults: &Faults,
    live: &Live,
    cause: Move,
) -> sqlx::Result<bool> {
    let Some(from) = live.at.position() else {
        return Ok(false);
    };
    let entry = |position: Position, outcome| Entry {
        step: live.saga.steps[position.step].name,
        direction: position.direction,
        command: Some(engine::command_id(live.saga, live.id, position)),
        outcome,
        reason: None,
        detail: None,
        actor: None,
    };
    let mut log = Vec::with_capacity(3);
    if let Some(outcome) = cause.outcome {
        log.push(Entry {
            reason: cause.reason.clone(),
            detail: cause.detail.clone(),
            actor: cause.actor,
            ..entry(from, outcome)
        });
    }
    let mut happened = Vec::with_capacity(2);
    let heard = |heard| (live.saga.steps[from.step].name, from.direction, heard);
    happened.extend(cause.heard.map(heard));
    let (mut at, mut position) = (cause.to, from);
    while let At::Active(here) = at {
        position = here;
        let step = &live.saga.steps[here.step];
        if !step.is_local() {
            break;
        }
        happened.push((step.name, here.direction, Heard::Done));
        log.push(Entry {
            command: None,
            ..entry(here, "done")
        });
        at = engine::advance(live.saga, at, Heard::Done);
    }
    let ending = live.ending.clone().or(cause.ending);
    let mut change = happened
        .iter()
        .map(|(step, direction, heard)| effects::of(step, *direction, *heard))
        .fold(Change::NONE, Change::then);
    if live.saga.name == RETURN.name {
        change.event = returns::store::follow(conn, &live.facts, &happened).await?;
    } else if let (At::Compensated, Some(ending)) = (at, &ending) {
        change = change.then(ending.change());
    }
    let attempts = attempts_at(at, from, live.attempts);
    let sending = at_sending(at).and_then(|position| {
        let command = engine::command(live.saga, position, &live.facts)?;
        log.push(entry(position, "sent"));
        let id = engine::command_id(live.saga, live.id, position);
        Some(faults.on(Outgoing::command(command, id, live.id)))
    });
    let unanswered = (attempts > ALERT_AFTER).then(|| format!("no answer after {} sendings", attempts - 1));
    if let Some(unanswered) = &unanswered {
        error!(saga_id = %live.id, step = live.saga.steps[position.step].name, "{unanswered}");
    }
    let reason = cause.reason.as_deref();
    let parked_reason = matches!(at, At::Parked(_)).then(|| reason.unwrap_or("refused"));
    let next = Next {
        at,
        position,
        awaiting: at
            .position()
            .map(|position| engine::command_id(live.saga, live.id, position)),
        attempts,
        wait_seconds: engine::resend_after(attempts.unsigned_abs(), jitter()).as_secs_f64(),
        has_deadline: at
            .position()
            .is_some_and(|position| engine::is_before_pivot(live.saga, position)),
        restarts_deadline: cause.restarts_deadline,
        last_error: unanswered
            .as_deref()
            .or(reason.filter(|_| cause.heard == Some(Heard::Refused))),
        parked_reason,
        ending: ending.as_ref(),
        sending,
    };
    if !store::save(conn, live, &next, &log, change).await? {
        return Ok(false);
    }
    if let At::Parked(_) = live.at {
        dead_letters::supersede(conn, live.id).await?;
    }
    gauges::came_to(live.saga, at);
    info!(
        saga_id = %live.id, step = live.saga.steps[from.step].name, direction = from.direction.as_str(),
        outcome = cause.outcome.unwrap_or("resent"), reason, status = at.status(), attempts = live.attempts, "moved"
    );
    if let At::Parked(_) = at {
        error!(saga_id = %live.id, reason = parked_reason, "parked: an operator decides");
    }
    Ok(true)
}

/// How often the command of `at` will have been sent, when that of `from` was sent `before` times.
fn attempts_at(at: At, from: Position, before: i32) -> i32 {
    match at {
        At::Active(position) if position == from => before + 1,
        At::Active(_) => 1,
        At::Parked(_) => before,
        At::Completed | At::Compensated => 0,
    }
}

fn at_sending(at: At) -> Option<Position> {
    match at {
        At::Active(position) => Some(position),
        At::Parked(_) | At::Completed | At::Compensated => None,
    }
}

/// From -1 to 1.
fn jitter() -> f64 {
    rand::random::<f64>().mul_add(2.0, -1.0)
}
