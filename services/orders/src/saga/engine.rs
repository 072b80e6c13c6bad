//! How a saga moves from step to step: pure functions of its position and of the outcome of the awaited command. No I/O, no
//! clock and no randomness, so every case is tested here without a broker. `plan.rs` adds what a move means for the order.
//!
//! | outcome | step before the pivot | the pivot | step after the pivot | an undo |
//! | --- | --- | --- | --- | --- |
//! | done | next step | next step | next step | previous step's undo |
//! | refused | undo from the step before | undo from the step before | parked | parked |
//! | timed out | undo this step too | resend | resend | resend |

use std::time::Duration;

use contracts::{CommandId, SagaId, saga::Command};

use super::table::{Facts, Kind, Saga, StepId};
use crate::stored::stored_enum;

stored_enum! {
    /// Which of a step's two commands is meant.
    Direction {
        /// The command that performs the step.
        Do = "do",
        /// The command that undoes the step.
        Undo = "undo",
    }
}

stored_enum! {
    /// The status of a saga.
    SagaStatus {
        /// The steps are being performed.
        Running = "running",
        /// The steps are being undone.
        Compensating = "compensating",
        /// An operator must decide how the saga continues.
        Parked = "parked",
        /// Every step is done.
        Completed = "completed",
        /// Every step that was, or may have been, performed is undone.
        Compensated = "compensated",
    }
}

/// A step and whether it is performed or undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// The index of the step in the saga's table.
    pub step: usize,
    /// Whether the step is performed or undone.
    pub direction: Direction,
}

impl Position {
    /// The position where every saga starts.
    pub const FIRST: Self = Self {
        step: 0,
        direction: Direction::Do,
    };

    /// Identifies the step at this position.
    #[must_use]
    pub const fn step_id(self, saga: &Saga) -> StepId {
        saga.steps[self.step].id
    }
}

/// Where a saga is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// The saga awaits the reply to the command of this position.
    Active(Position),
    /// Like active, but only an operator or a late reply moves the saga.
    Parked(Position),
    /// Every step is done.
    Completed,
    /// Every step that was, or may have been, performed is undone.
    Compensated,
}

/// The outcome of the awaited command, as far as the orchestrator knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepOutcome {
    /// The participant has performed the command.
    Done,
    /// The participant refused the command for a business reason.
    Refused,
    /// No reply came in time: whether the command was performed is unknown.
    TimedOut,
}

impl At {
    /// Where every saga starts.
    pub const START: Self = Self::Active(Position::FIRST);

    /// The position, unless the saga has ended.
    #[must_use]
    pub const fn position(self) -> Option<Position> {
        match self {
            Self::Active(position) | Self::Parked(position) => Some(position),
            Self::Completed | Self::Compensated => None,
        }
    }

    /// The status under which the saga is stored and shown.
    #[must_use]
    pub const fn status(self) -> SagaStatus {
        match self {
            Self::Active(Position {
                direction: Direction::Do,
                ..
            }) => SagaStatus::Running,
            Self::Active(Position {
                direction: Direction::Undo,
                ..
            }) => SagaStatus::Compensating,
            Self::Parked(_) => SagaStatus::Parked,
            Self::Completed => SagaStatus::Completed,
            Self::Compensated => SagaStatus::Compensated,
        }
    }
}

/// The next place after this outcome of the awaited command. Returning the same place means: resend the same command.
#[must_use]
pub fn advance(saga: &Saga, at: At, outcome: StepOutcome) -> At {
    let Some(position @ Position { step, direction }) = at.position() else {
        return at;
    };
    match (direction, outcome, saga.steps[step].kind) {
        (Direction::Do, StepOutcome::Done, _) => performing(saga, step + 1),
        (Direction::Do, StepOutcome::Refused, Kind::Undoable | Kind::Pivot)
        | (Direction::Undo, StepOutcome::Done, _) => undoing_before(step),
        (Direction::Do, StepOutcome::Refused, Kind::Retriable)
        | (Direction::Undo, StepOutcome::Refused, _) => At::Parked(position),
        (Direction::Do, StepOutcome::TimedOut, Kind::Undoable) => undoing_before(step + 1),
        (Direction::Do, StepOutcome::TimedOut, Kind::Pivot | Kind::Retriable)
        | (Direction::Undo, StepOutcome::TimedOut, _) => at,
    }
}

/// Where the saga goes when it is given up. Before the pivot's command is sent, every step is undone, including the one in
/// flight, since it may have been performed. None when it is too late, or the saga is compensating already.
#[must_use]
pub fn give_up(saga: &Saga, at: At) -> Option<At> {
    let position = at.position()?;
    is_before_pivot(saga, position).then(|| undoing_before(position.step + 1))
}

/// Whether the saga can still be given up at this position. Only such positions have a deadline.
#[must_use]
pub fn is_before_pivot(saga: &Saga, position: Position) -> bool {
    position.direction == Direction::Do && saga.steps[position.step].kind == Kind::Undoable
}

/// Whether a saga at `at` awaits the reply to `command`. Late and duplicate replies are not awaited.
#[must_use]
pub fn awaits(saga: &Saga, id: SagaId, at: At, command: CommandId) -> bool {
    at.position()
        .is_some_and(|position| command_id(saga, id, position) == command)
}

/// The id of a position's command, which is the same for every resend.
#[must_use]
pub fn command_id(saga: &Saga, id: SagaId, position: Position) -> CommandId {
    CommandId::derive(id, position.step_id(saga).as_str(), position.direction.as_str())
}

/// The command to send at a position; none for a local step.
#[must_use]
pub fn command(saga: &Saga, Position { step, direction }: Position, facts: &Facts) -> Option<Command> {
    let make = match direction {
        Direction::Do => saga.steps[step].command,
        Direction::Undo => saga.steps[step].undo,
    };
    Some(make?(facts))
}

/// How long to wait for a reply before the command is resent: 1 s after the first time it was sent, doubling up to 100 s.
/// `jitter` from -1 to 1 changes the wait by up to 20 %, so that sagas that were interrupted together are not resumed together.
#[must_use]
pub fn resend_after(attempts: u32, jitter: f64) -> Duration {
    let seconds = f64::from(1_u32 << attempts.saturating_sub(1).min(7)).min(100.0);
    Duration::from_secs_f64((seconds * jitter.clamp(-1.0, 1.0).mul_add(0.2, 1.0)).min(100.0))
}

fn performing(saga: &Saga, step: usize) -> At {
    let direction = Direction::Do;
    if step < saga.steps.len() {
        At::Active(Position { step, direction })
    } else {
        At::Completed
    }
}

/// Undoing starts with the step before `step`. Every step up to the pivot can be undone, so none is skipped.
fn undoing_before(step: usize) -> At {
    let direction = Direction::Undo;
    step.checked_sub(1)
        .map_or(At::Compensated, |step| At::Active(Position { step, direction }))
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
