//! Plans a move of a saga. [`plan`] is pure: from the state of a saga and the cause of the move it derives everything that
//! will be written and sent. `apply.rs` writes it.

use contracts::{Money, saga::Command};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    decide::{Cause, Impossible, decide},
    engine::{self, At, Direction, Position, StepOutcome},
    log::{LogEntry, LogOutcome},
    state::{Ending, OrderState, SagaState},
    table::{Effect, Step},
};
use crate::orders::{FulfilmentStatus, OrderStatus, PaymentStatus, ReturnStatus};

/// Number of unanswered sends after which the saga reports an error.
const ALERT_AFTER: u32 = 8;
/// The type of an event that reports only the saga's progress.
const PROGRESS: &str = "saga_progressed";

/// An event of the order, for live views and for Kafka.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The type, such as `payment_captured`.
    pub r#type: &'static str,
    /// The JSON that readers receive.
    pub data: Value,
}

/// When a saga is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// Never: the saga is past its pivot, or it is being undone.
    None,
    /// At the deadline that was set before.
    Running,
    /// The time starts again with this move.
    Restarted,
}

/// Everything that one move writes and sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Where the saga is afterwards.
    pub at: At,
    /// The position that is stored: the current one, or the last one of a saga that has ended.
    pub position: Position,
    /// How many times the awaited command will have been sent; 0 once the saga has ended.
    pub attempts: u32,
    /// When the saga is given up.
    pub deadline: Deadline,
    /// Why the saga is being undone.
    pub ending: Option<Ending>,
    /// Why the saga is parked, if it is.
    pub parked_reason: Option<String>,
    /// The newest problem, for operators; none keeps the previous one.
    pub last_error: Option<String>,
    /// The new entries of the saga's log.
    pub log: Vec<LogEntry>,
    /// The order after the move.
    pub order: OrderState,
    /// The new status of the return, if it changes.
    pub return_status: Option<ReturnStatus>,
    /// The events to publish, at least one.
    pub events: Vec<Event>,
    /// The command to send.
    pub send: Option<Command>,
}

/// Derives the next move of a saga from its state and the cause of the move.
///
/// # Errors
/// Fails when this cause does not move a saga in this state.
pub fn plan(state: &SagaState, cause: &Cause) -> Result<Plan, Impossible> {
    let decision = decide(state, cause)?;
    let from = decision.from;
    let mut moved = Move::new(state, from, decision.to);
    if let Some(outcome) = decision.outcome {
        moved.log.push(LogEntry {
            reason: decision.reason.clone(),
            detail: decision.detail,
            actor: decision.actor,
            ..log_entry(state, from, outcome)
        });
    }
    if let Some(outcome) = decision.step_outcome {
        moved.take_effect(effect(&state.saga.steps[from.step], from.direction, outcome));
    }
    moved.perform_local_steps();
    let ending = state.ending.clone().or(decision.ending);
    if let (At::Compensated, true, Some(ending)) = (moved.at, state.saga.ends_order, &ending) {
        moved.take_effect(ending.effect());
        moved.order.reason = Some(ending.reason.clone());
    }
    let attempts = match moved.at {
        At::Active(position) if position == from => state.attempts + 1,
        At::Active(_) => 1,
        At::Parked(_) => state.attempts,
        At::Completed | At::Compensated => 0,
    };
    let send = match moved.at {
        At::Active(position) => engine::command(state.saga, position, &state.facts),
        At::Parked(_) | At::Completed | At::Compensated => None,
    };
    if send.is_some() {
        moved.log.push(log_entry(state, moved.position, LogOutcome::Sent));
    }
    let deadline = match moved.at.position() {
        _ if decision.restarts_deadline => Deadline::Restarted,
        Some(position) if engine::is_before_pivot(state.saga, position) => Deadline::Running,
        _ => Deadline::None,
    };
    let unanswered = (attempts > ALERT_AFTER).then(|| format!("no reply after {} attempts", attempts - 1));
    let problem = decision.reason.clone().filter(|_| decision.is_problem);
    Ok(Plan {
        at: moved.at,
        position: moved.position,
        attempts,
        deadline,
        ending,
        parked_reason: matches!(moved.at, At::Parked(_))
            .then(|| decision.reason.unwrap_or_else(|| "refused".into())),
        last_error: unanswered.or(problem),
        events: moved.events(attempts),
        log: moved.log,
        order: moved.order,
        return_status: moved.return_status,
        send,
    })
}

fn effect(step: &Step, direction: Direction, outcome: StepOutcome) -> Effect {
    match (direction, outcome) {
        (Direction::Do, StepOutcome::Done) => step.done,
        (Direction::Do, StepOutcome::Refused) => step.refused,
        (Direction::Undo, StepOutcome::Done) => step.undone,
        (Direction::Undo, StepOutcome::Refused) | (_, StepOutcome::TimedOut) => Effect::NONE,
    }
}

fn log_entry(state: &SagaState, position: Position, outcome: LogOutcome) -> LogEntry {
    LogEntry {
        step: position.step_id(state.saga),
        direction: position.direction,
        command_id: Some(engine::command_id(state.saga, state.id, position)),
        outcome,
        reason: None,
        detail: None,
        actor: None,
    }
}

/// A move while it is being planned.
struct Move<'a> {
    state: &'a SagaState,
    at: At,
    position: Position,
    log: Vec<LogEntry>,
    order: OrderState,
    return_status: Option<ReturnStatus>,
    event_types: Vec<&'static str>,
}

impl<'a> Move<'a> {
    fn new(state: &'a SagaState, from: Position, to: At) -> Self {
        Self {
            state,
            at: to,
            position: to.position().unwrap_or(from),
            log: Vec::with_capacity(3),
            order: state.order.clone(),
            return_status: None,
            event_types: Vec::with_capacity(2),
        }
    }

    /// Performs the local steps that the saga has reached: those that orders performs itself.
    fn perform_local_steps(&mut self) {
        while let At::Active(position) = self.at {
            self.position = position;
            let step = &self.state.saga.steps[position.step];
            if !step.is_local() {
                return;
            }
            self.log.push(LogEntry {
                command_id: None,
                ..log_entry(self.state, position, LogOutcome::Done)
            });
            self.take_effect(step.done);
            self.at = engine::advance(self.state.saga, self.at, StepOutcome::Done);
        }
    }

    /// Applies `effect` to the order, with the rules that do not depend on the step alone.
    fn take_effect(&mut self, effect: Effect) {
        let order = &mut self.order;
        let mut event = effect.event;
        if let Some(status) = effect.status {
            order.status = status;
            // The order ends before any money was reserved.
            if status != OrderStatus::Confirmed && order.payment == PaymentStatus::Pending {
                order.payment = PaymentStatus::Voided;
            }
        }
        match effect.payment {
            // The notice of an operator's refund arrived before the reply to the capture.
            Some(PaymentStatus::Captured) if order.refunded > 0 => {}
            Some(payment) => order.payment = payment,
            None => {}
        }
        order.fulfilment = effect.fulfilment.unwrap_or(order.fulfilment);
        match effect.return_status {
            Some(ReturnStatus::Refunded) => {
                let refunded = self.state.refunded_by_others + self.state.facts.amount.amount;
                if refunded > order.refunded {
                    order.refunded = refunded;
                    order.payment = PaymentStatus::after_refund(refunded, order.total);
                } else {
                    // The notice of this refund from payments arrived first, and its event was published then.
                    event = None;
                }
            }
            Some(ReturnStatus::Completed)
                if self.state.returns_the_rest && order.status.can_become(OrderStatus::Returned) =>
            {
                event = Some("order_returned");
                // Items that were never shipped are cancelled instead of returned.
                order.fulfilment = if order.status.was_shipped() {
                    FulfilmentStatus::Returned
                } else {
                    FulfilmentStatus::Cancelled
                };
                order.status = OrderStatus::Returned;
            }
            _ => {}
        }
        self.return_status = effect.return_status.or(self.return_status);
        self.event_types.extend(event);
    }

    /// The events of the move. Each contains its step, the new position of the saga, and the new state of the order.
    fn events(&self, attempts: u32) -> Vec<Event> {
        let state = self.state;
        let (at, order) = (self.at.position(), &self.order);
        let attempt = if at == state.at.position() {
            attempts
        } else {
            state.attempts
        };
        let next = at.map(|at| json!({"step": at.step_id(state.saga), "direction": at.direction}));
        let mut data = json!({
            "saga_id": state.id,
            "attempt": attempt,
            "saga_status": self.at.status(),
            "next": next,
            "status": order.status,
            "reason": order.reason,
            "payment_status": order.payment,
            "fulfilment_status": order.fulfilment,
        });
        if let Some(entry) = self.log.first() {
            data["step"] = json!(entry.step);
            data["direction"] = json!(entry.direction);
            data["outcome"] = json!(entry.outcome);
        }
        let event = |r#type: &'static str| {
            let mut data = data.clone();
            if r#type == "payment_refunded" {
                data["refunded"] = json!(Money::new(order.refunded, state.facts.amount.currency));
            }
            Event { r#type, data }
        };
        if self.event_types.is_empty() {
            vec![event(PROGRESS)]
        } else {
            self.event_types.iter().copied().map(event).collect()
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
