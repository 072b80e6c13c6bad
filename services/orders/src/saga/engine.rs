//! How a saga moves: pure functions of where it is and what was heard. No I/O, no clock, no randomness; everything that
//! a saga can meet is tested here without a broker.
//!
//! | reply | step before the pivot | the pivot | step after the pivot | an undo |
//! | --- | --- | --- | --- | --- |
//! | done | next step | next step | next step | previous step's undo |
//! | refused | undo from the step before | undo from the step before | parked | parked |
//! | silent | undo this step too | the same again | the same again | the same again |

use std::time::Duration;

use contracts::{CommandId, SagaId, saga::Command};

use super::table::{Facts, Kind, Saga};

/// Which of a step's two commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The step itself.
    Do,
    /// What undoes it.
    Undo,
}

impl Direction {
    /// As it is stored, shown, and part of command ids.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Do => "do",
            Self::Undo => "undo",
        }
    }
}

/// A step, and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Index into the saga's steps.
    pub step: usize,
    /// Whether it is done or undone.
    pub direction: Direction,
}

/// Where a saga is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// The command of this position is awaited.
    Active(Position),
    /// As active, but only an operator or a late answer moves it.
    Parked(Position),
    /// Every step is done.
    Completed,
    /// Every step that had, or may have, run is undone.
    Compensated,
}

/// What was heard of the awaited command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Heard {
    /// It is done.
    Done,
    /// A business no.
    Refused,
    /// Nothing, in all the time it had: whether it ran is unknown.
    Silent,
}

impl At {
    /// The start of every saga.
    pub const START: Self = Self::Active(Position {
        step: 0,
        direction: Direction::Do,
    });

    /// The position, while there is something to do.
    #[must_use]
    pub const fn position(self) -> Option<Position> {
        match self {
            Self::Active(position) | Self::Parked(position) => Some(position),
            Self::Completed | Self::Compensated => None,
        }
    }

    /// The stored word: `running`, `compensating`, `parked`, `completed` or `compensated`.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::Active(Position {
                direction: Direction::Do,
                ..
            }) => "running",
            Self::Active(Position {
                direction: Direction::Undo,
                ..
            }) => "compensating",
            Self::Parked(_) => "parked",
            Self::Completed => "completed",
            Self::Compensated => "compensated",
        }
    }
}

/// Where the saga goes when it is at `at` and this was heard of the awaited command. The same place again means: send
/// the same command again.
#[must_use]
pub fn advance(saga: &Saga, at: At, heard: Heard) -> At {
    let Some(position @ Position { step, direction }) = at.position() else {
        return at;
    };
    match (direction, heard, saga.steps[step].kind) {
        (Direction::Do, Heard::Done, _) => doing(saga, step + 1),
        (Direction::Do, Heard::Refused, Kind::Undoable | Kind::Pivot) | (Direction::Undo, Heard::Done, _) => {
            undoing_before(step)
        }
        (Direction::Do, Heard::Refused, Kind::Retriable) | (Direction::Undo, Heard::Refused, _) => {
            At::Parked(position)
        }
        (Direction::Do, Heard::Silent, Kind::Undoable) => undoing_before(step + 1),
        (Direction::Do, Heard::Silent, Kind::Pivot | Kind::Retriable)
        | (Direction::Undo, Heard::Silent, _) => at,
    }
}

/// Where the saga goes when it is told to give up: before the pivot is sent, back, the step in flight included, since it
/// may have run. None when it is too late, or it goes back already.
#[must_use]
pub fn give_up(saga: &Saga, at: At) -> Option<At> {
    let position = at.position()?;
    is_before_pivot(saga, position).then(|| undoing_before(position.step + 1))
}

/// Whether this is a step that may still be given up, which is also what has a deadline.
#[must_use]
pub fn is_before_pivot(saga: &Saga, position: Position) -> bool {
    position.direction == Direction::Do && saga.steps[position.step].kind == Kind::Undoable
}

/// Whether an answer to `command` concerns a saga at `at`. One that does not is late, or came twice.
#[must_use]
pub fn awaits(saga: &Saga, id: SagaId, at: At, command: CommandId) -> bool {
    at.position()
        .is_some_and(|position| command_id(saga, id, position) == command)
}

/// The id of a position's command: the same at every resend.
#[must_use]
pub fn command_id(saga: &Saga, id: SagaId, Position { step, direction }: Position) -> CommandId {
    CommandId::derive(id, saga.steps[step].name, direction.as_str())
}

/// What is to be sent at a position; nothing for a local step.
#[must_use]
pub fn command(saga: &Saga, Position { step, direction }: Position, facts: &Facts) -> Option<Command> {
    let make = saga.steps[step].command(direction == Direction::Undo)?;
    Some(make(facts))
}

/// How long to wait after the `sent`-th sending before the next: 1 s doubling to 100 s, by up to 20 % more or less as
/// `jitter` goes from -1 to 1, so that sagas that were stopped together do not come back together.
#[must_use]
pub fn resend_after(sent: u32, jitter: f64) -> Duration {
    let seconds = f64::from(1_u32 << sent.saturating_sub(1).min(7)).min(100.0);
    Duration::from_secs_f64((seconds * jitter.clamp(-1.0, 1.0).mul_add(0.2, 1.0)).min(100.0))
}

fn doing(saga: &Saga, step: usize) -> At {
    let direction = Direction::Do;
    if step < saga.steps.len() {
        At::Active(Position { step, direction })
    } else {
        At::Completed
    }
}

/// Undoing begins with the step before `step`. Every step up to the pivot is undoable, so there is none to skip.
fn undoing_before(step: usize) -> At {
    let direction = Direction::Undo;
    step.checked_sub(1)
        .map_or(At::Compensated, |step| At::Active(Position { step, direction }))
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
