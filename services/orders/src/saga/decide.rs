//! Decides where a cause moves a saga, by the rules that are not in the table, such as who may still cancel, and what
//! an operator may decide. The functions are pure, like those of `plan.rs`, which completes the decision.

use contracts::{
    CommandId, UserId,
    saga::{Outcome, Reply},
};

use super::{
    engine::{self, At, Direction, Position, StepOutcome},
    log::LogOutcome,
    state::{Ending, SagaState},
    table::Rejection,
};
use crate::orders::OrderStatus;

/// Why a saga moves.
#[derive(Debug, Clone)]
pub enum Cause {
    /// A participant replied to a command.
    Reply(Reply),
    /// The deadline passed before the pivot.
    Timeout,
    /// The reply is overdue, or a place in flight is free for a checkout that waited for one.
    Resend,
    /// The shopper cancels the order, perhaps with a reason.
    Cancel(Option<String>),
    /// An operator decides about the saga.
    Operator {
        /// What the operator has decided.
        action: Action,
        /// The user id of the operator.
        actor: UserId,
        /// The operator's reason, for the log.
        reason: String,
    },
    /// A message of the saga could not be handled by its receiver.
    DeadLetter {
        /// The command, if the message is one; none for a reply.
        command: Option<CommandId>,
        /// What the receiver reported.
        reason: String,
    },
}

/// What an operator may decide about a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send the awaited command again, with a new deadline.
    Retry,
    /// Continue after a dead letter: the awaited command is sent again, and must be the dead one if that is given.
    Redrive(Option<CommandId>),
    /// Undo everything; possible before the pivot.
    Compensate,
    /// Continue a parked saga as if its step had been done.
    ResolveDone,
    /// Undo a parked saga as if its step had been refused; possible before the pivot.
    ResolveRefused,
}

/// Why a cause does not move a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impossible {
    /// There is no such saga.
    NotFound,
    /// The saga has completed or is compensated.
    Ended,
    /// The saga does not await the command: the reply is late or a duplicate, or the dead letter is obsolete.
    NotAwaited,
    /// The saga is past its pivot, or it is compensating already.
    TooLate,
    /// The order is being cancelled already.
    AlreadyCancelled,
    /// Only a parked saga can be resolved or continued after a redrive.
    NotParked,
    /// The step may still be performed and cannot be undone, so it cannot be resolved as refused.
    CannotBeUndone,
}

/// Where a cause leads, before local steps and the order are taken into account.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) from: Position,
    pub(super) to: At,
    /// The outcome of the awaited command, if the cause contains it.
    pub(super) step_outcome: Option<StepOutcome>,
    /// The outcome for the log; none for a resend.
    pub(super) outcome: Option<LogOutcome>,
    pub(super) reason: Option<String>,
    pub(super) detail: Option<String>,
    pub(super) actor: Option<UserId>,
    /// Why the saga is undone, if it is undone because of this cause.
    pub(super) ending: Option<Ending>,
    pub(super) restarts_deadline: bool,
    /// Whether the reason is a problem that operators should see.
    pub(super) is_problem: bool,
}

impl Decision {
    fn new(from: Position, to: At) -> Self {
        Self {
            from,
            to,
            step_outcome: None,
            outcome: None,
            reason: None,
            detail: None,
            actor: None,
            ending: None,
            restarts_deadline: false,
            is_problem: false,
        }
    }

    /// The decision to give up the saga, for example because of a timeout.
    fn given_up(from: Position, to: At, reason: &str, detail: Option<String>, ending: Ending) -> Self {
        Self {
            outcome: Some(LogOutcome::Silent),
            reason: Some(reason.to_owned()),
            detail,
            ending: Some(ending),
            ..Self::new(from, to)
        }
    }
}

/// Decides where `cause` takes the saga.
pub(super) fn decide(state: &SagaState, cause: &Cause) -> Result<Decision, Impossible> {
    let position = state.at.position();
    match cause {
        Cause::Reply(reply) => reply_decision(state, reply),
        Cause::Timeout => {
            let from = position.ok_or(Impossible::Ended)?;
            let to = give_up(state).ok_or(Impossible::TooLate)?;
            let detail = if state.is_waiting() {
                "its turn did not come in time"
            } else {
                "no answer in time"
            };
            let ending = Ending::rejected(Rejection::Timeout);
            Ok(Decision::given_up(
                from,
                to,
                "timeout",
                Some(detail.into()),
                ending,
            ))
        }
        Cause::Resend => {
            let At::Active(from) = state.at else {
                return Err(Impossible::Ended);
            };
            Ok(Decision {
                restarts_deadline: state.is_waiting(),
                ..Decision::new(from, state.at)
            })
        }
        Cause::Cancel(reason) => {
            let is_cancelled = |ending: &Ending| ending.status == OrderStatus::Cancelled;
            if position.is_some() && state.ending.as_ref().is_some_and(is_cancelled) {
                return Err(Impossible::AlreadyCancelled);
            }
            let (from, to) = position.zip(give_up(state)).ok_or(Impossible::TooLate)?;
            let ending = Ending::cancelled(reason.as_deref().unwrap_or("cancelled"));
            Ok(Decision::given_up(from, to, "cancelled", reason.clone(), ending))
        }
        Cause::Operator {
            action,
            actor,
            reason,
        } => Ok(Decision {
            reason: Some(reason.clone()),
            actor: Some(*actor),
            ..operator_decision(state, *action)?
        }),
        Cause::DeadLetter { command, reason } => {
            let from = awaiting(state, *command)?;
            Ok(Decision {
                outcome: Some(LogOutcome::Parked),
                reason: Some(reason.clone()),
                is_problem: true,
                ..Decision::new(from, At::Parked(from))
            })
        }
    }
}

fn reply_decision(state: &SagaState, reply: &Reply) -> Result<Decision, Impossible> {
    let from = awaiting(state, Some(reply.command_id))?;
    let to = |outcome| engine::advance(state.saga, state.at, outcome);
    match &reply.outcome {
        Outcome::Done => Ok(Decision {
            step_outcome: Some(StepOutcome::Done),
            outcome: Some(LogOutcome::Done),
            ..Decision::new(from, to(StepOutcome::Done))
        }),
        // A parked saga was refused again.
        Outcome::Refused { .. } if to(StepOutcome::Refused) == state.at => Err(Impossible::NotAwaited),
        Outcome::Refused { reason, detail } => Ok(Decision {
            step_outcome: Some(StepOutcome::Refused),
            outcome: Some(LogOutcome::Refused),
            reason: Some(reason.clone()),
            detail: Some(detail.clone()),
            ending: rejection(state, from, to(StepOutcome::Refused)),
            is_problem: true,
            ..Decision::new(from, to(StepOutcome::Refused))
        }),
    }
}

fn operator_decision(state: &SagaState, action: Action) -> Result<Decision, Impossible> {
    let parked = match state.at {
        At::Parked(position) => Ok(position),
        _ => Err(Impossible::NotParked),
    };
    let send_again = |from, outcome| Decision {
        outcome: Some(outcome),
        restarts_deadline: true,
        ..Decision::new(from, At::Active(from))
    };
    let resolve = |from, outcome, detail: &str| Decision {
        outcome: Some(LogOutcome::Resolved),
        detail: Some(detail.to_owned()),
        ..Decision::new(from, engine::advance(state.saga, state.at, outcome))
    };
    Ok(match action {
        Action::Retry => send_again(state.at.position().ok_or(Impossible::Ended)?, LogOutcome::Retried),
        Action::Redrive(Some(command)) => send_again(awaiting(state, Some(command))?, LogOutcome::Redriven),
        Action::Redrive(None) => send_again(parked?, LogOutcome::Redriven),
        Action::Compensate => {
            let (from, to) = state
                .at
                .position()
                .zip(give_up(state))
                .ok_or(Impossible::TooLate)?;
            Decision {
                outcome: Some(LogOutcome::Compensated),
                ending: Some(Ending::cancelled("cancelled_by_operator")),
                ..Decision::new(from, to)
            }
        }
        Action::ResolveDone => Decision {
            step_outcome: Some(StepOutcome::Done),
            ..resolve(parked?, StepOutcome::Done, "done")
        },
        // The participant has not refused the step itself and may yet perform it, so the step is undone as after a timeout.
        Action::ResolveRefused => {
            let decision = resolve(parked?, StepOutcome::TimedOut, "refused");
            if decision.to == state.at {
                return Err(Impossible::CannotBeUndone);
            }
            Decision {
                ending: rejection(state, decision.from, decision.to),
                ..decision
            }
        }
    })
}

/// The position at which the saga awaits `command`, or any command if none is given.
fn awaiting(state: &SagaState, command: Option<CommandId>) -> Result<Position, Impossible> {
    let position = state.at.position().ok_or(Impossible::Ended)?;
    let is_awaited = |command| engine::awaits(state.saga, state.id, state.at, command);
    command
        .is_none_or(is_awaited)
        .then_some(position)
        .ok_or(Impossible::NotAwaited)
}

/// Where the saga goes when it is given up. A saga that has sent nothing has nothing to undo.
fn give_up(state: &SagaState) -> Option<At> {
    if state.is_waiting() {
        return Some(At::Compensated);
    }
    engine::give_up(state.saga, state.at)
}

/// How the order ends if the refusal of the step at `from` takes the saga back.
fn rejection(state: &SagaState, from: Position, to: At) -> Option<Ending> {
    let goes_back = match to {
        At::Active(position) => position.direction == Direction::Undo,
        At::Compensated => true,
        At::Parked(_) | At::Completed => false,
    };
    goes_back.then(|| Ending::rejected(state.saga.steps[from.step].rejection))
}
