//! Tests every place where a saga can be, with every outcome of the awaited command.

use std::collections::HashSet;

use contracts::{Currency, Money, OrderId, PaymentId, SagaId, UserId};
use uuid::Uuid;

use super::*;
use crate::saga::checkout::{ALL, CHECKOUT, RETURN};

const OUTCOMES: [StepOutcome; 3] = [StepOutcome::Done, StepOutcome::Refused, StepOutcome::TimedOut];

fn at(saga: &Saga, step: StepId, direction: Direction) -> At {
    At::Active(Position {
        step: saga.index_of(step).unwrap(),
        direction,
    })
}

fn performing_step(step: StepId) -> At {
    at(&CHECKOUT, step, Direction::Do)
}

fn undoing_step(step: StepId) -> At {
    at(&CHECKOUT, step, Direction::Undo)
}

#[test]
fn the_reply_table_holds_for_every_step_of_the_checkout() {
    let parked = |at: At| At::Parked(at.position().unwrap());
    // Step, done, refused, timed out.
    let performing = [
        (
            StepId::ReserveStock,
            performing_step(StepId::AuthorizePayment),
            At::Compensated,
            undoing_step(StepId::ReserveStock),
        ),
        (
            StepId::AuthorizePayment,
            performing_step(StepId::PinStock),
            undoing_step(StepId::ReserveStock),
            undoing_step(StepId::AuthorizePayment),
        ),
        (
            StepId::PinStock,
            performing_step(StepId::CapturePayment),
            undoing_step(StepId::AuthorizePayment),
            undoing_step(StepId::PinStock),
        ),
        (
            StepId::CapturePayment,
            performing_step(StepId::CommitStock),
            undoing_step(StepId::PinStock),
            performing_step(StepId::CapturePayment),
        ),
        (
            StepId::CommitStock,
            performing_step(StepId::ConfirmOrder),
            parked(performing_step(StepId::CommitStock)),
            performing_step(StepId::CommitStock),
        ),
        (
            StepId::ConfirmOrder,
            At::Completed,
            parked(performing_step(StepId::ConfirmOrder)),
            performing_step(StepId::ConfirmOrder),
        ),
    ];
    let undoing = [
        (StepId::PinStock, undoing_step(StepId::AuthorizePayment)),
        (StepId::AuthorizePayment, undoing_step(StepId::ReserveStock)),
        (StepId::ReserveStock, At::Compensated),
    ];
    for (step, done, refused, timed_out) in performing {
        let next = OUTCOMES.map(|outcome| advance(&CHECKOUT, performing_step(step), outcome));
        assert_eq!(next, [done, refused, timed_out], "{step:?}");
    }
    for (step, done) in undoing {
        let here = undoing_step(step);
        let next = OUTCOMES.map(|outcome| advance(&CHECKOUT, here, outcome));
        assert_eq!(next, [done, parked(here), here], "undo {step:?}");
    }
}

#[test]
fn the_reply_table_holds_for_every_step_of_a_return() {
    let here = |step| at(&RETURN, step, Direction::Do);
    let next = |step| OUTCOMES.map(|outcome| advance(&RETURN, here(step), outcome));
    let parked = |step| At::Parked(here(step).position().unwrap());
    assert_eq!(
        next(StepId::RefundPayment),
        [
            here(StepId::RestockItems),
            At::Compensated,
            here(StepId::RefundPayment)
        ]
    );
    assert_eq!(
        next(StepId::RestockItems),
        [
            here(StepId::CompleteReturn),
            parked(StepId::RestockItems),
            here(StepId::RestockItems)
        ]
    );
    assert_eq!(next(StepId::CompleteReturn)[0], At::Completed);
}

/// Every place that a sequence of outcomes can lead to, with whether the pivot was done on the way.
fn reachable(saga: &Saga) -> HashSet<(At, bool)> {
    let mut found = HashSet::new();
    let mut open = vec![(At::START, false)];
    while let Some((at, passed)) = open.pop() {
        if !found.insert((at, passed)) {
            continue;
        }
        for outcome in OUTCOMES {
            let done_pivot = outcome == StepOutcome::Done
                && at.position().is_some_and(|position| {
                    position.direction == Direction::Do && saga.steps[position.step].kind == Kind::Pivot
                });
            open.push((advance(saga, at, outcome), passed || done_pivot));
        }
        if let Some(back) = give_up(saga, at) {
            open.push((back, passed));
        }
    }
    found
}

#[test]
fn nothing_is_undone_after_the_pivot_and_nothing_completes_before_it() {
    for saga in ALL {
        for (at, passed) in reachable(saga) {
            let undoes = at
                .position()
                .is_some_and(|position| position.direction == Direction::Undo);
            assert!(
                !(passed && (undoes || at == At::Compensated)),
                "{}: {at:?}",
                saga.name
            );
            assert!(passed || at != At::Completed, "{}", saga.name);
        }
    }
}

#[test]
fn every_saga_ends_unless_replies_never_come() {
    /// Maximum number of remaining moves, not counting repetitions. Every move must lower it.
    fn left(saga: &Saga, at: At) -> usize {
        match at {
            At::Completed | At::Compensated => 0,
            At::Active(position) | At::Parked(position) => {
                let moves = match position.direction {
                    Direction::Undo => position.step + 1,
                    Direction::Do => 2 * saga.steps.len() - position.step,
                };
                2 * moves - usize::from(matches!(at, At::Parked(_)))
            }
        }
    }
    for saga in ALL {
        for (at, _) in reachable(saga) {
            for outcome in OUTCOMES {
                let next = advance(saga, at, outcome);
                let waits = next == at && (outcome == StepOutcome::TimedOut || at.position().is_none());
                let stays_parked = matches!(at, At::Parked(_)) && next == at;
                assert!(
                    waits || stays_parked || left(saga, next) < left(saga, at),
                    "{} does not get nearer to its end from {at:?} by {outcome:?}",
                    saga.name
                );
            }
            // Outcomes that are all "done" always end the saga.
            let mut end = at;
            for _ in 0..=2 * saga.steps.len() {
                end = advance(saga, end, StepOutcome::Done);
            }
            assert!(matches!(end, At::Completed | At::Compensated), "{at:?}");
        }
    }
}

#[test]
fn a_reply_is_awaited_once() {
    let id = SagaId(Uuid::from_u128(7));
    for saga in ALL {
        for (at, _) in reachable(saga) {
            for position in reachable(saga).into_iter().filter_map(|(at, _)| at.position()) {
                let command = command_id(saga, id, position);
                let awaited = at.position() == Some(position);
                assert_eq!(awaits(saga, id, at, command), awaited, "{at:?} {position:?}");
                if awaited {
                    for outcome in [StepOutcome::Done, StepOutcome::Refused] {
                        let next = advance(saga, at, outcome);
                        let parked = matches!(next, At::Parked(_));
                        assert!(
                            parked || !awaits(saga, id, next, command),
                            "{at:?} takes {outcome:?} twice"
                        );
                    }
                }
            }
            assert!(!awaits(
                saga,
                SagaId(Uuid::from_u128(8)),
                at,
                command_id(
                    saga,
                    id,
                    Position {
                        step: 0,
                        direction: Direction::Do
                    }
                )
            ));
        }
    }
}

#[test]
fn giving_up_undoes_the_step_in_flight_until_the_pivot_is_sent() {
    for step in [StepId::ReserveStock, StepId::AuthorizePayment, StepId::PinStock] {
        assert_eq!(
            give_up(&CHECKOUT, performing_step(step)),
            Some(undoing_step(step))
        );
        let parked = At::Parked(performing_step(step).position().unwrap());
        assert_eq!(give_up(&CHECKOUT, parked), Some(undoing_step(step)));
        assert_eq!(give_up(&CHECKOUT, undoing_step(step)), None);
    }
    for step in [StepId::CapturePayment, StepId::CommitStock, StepId::ConfirmOrder] {
        assert_eq!(give_up(&CHECKOUT, performing_step(step)), None);
    }
    assert_eq!(give_up(&CHECKOUT, At::Completed), None);
    assert_eq!(give_up(&RETURN, At::START), None);
}

#[test]
fn every_position_but_local_ones_has_a_command_of_its_participant() {
    let facts = Facts {
        order: OrderId(Uuid::from_u128(1)),
        saga: SagaId(Uuid::from_u128(2)),
        user: UserId(Uuid::from_u128(3)),
        payment: PaymentId(Uuid::from_u128(4)),
        payment_method: "pm_card_ok".into(),
        amount: Money::new(100, Currency::EUR),
        items: vec![],
        reason: "wrong colour".into(),
    };
    let mut ids = HashSet::new();
    for saga in ALL {
        let positions: HashSet<_> = reachable(saga)
            .into_iter()
            .filter_map(|(at, _)| at.position())
            .collect();
        for position in positions {
            let step = &saga.steps[position.step];
            assert!(
                ids.insert((saga.name, command_id(saga, facts.saga, position))),
                "ids differ"
            );
            match command(saga, position, &facts) {
                Some(command) => {
                    assert!(
                        command
                            .kind
                            .starts_with(&format!("{}.", step.participant.as_str())),
                        "{}",
                        command.kind
                    );
                    assert!(command.queue.starts_with(step.participant.as_str()));
                    if position.direction == Direction::Do {
                        // The only command with a second version so far.
                        let version = if step.id == StepId::ReserveStock { 2 } else { 1 };
                        assert_eq!(
                            command.kind,
                            format!("{}.{}.v{version}", step.participant.as_str(), step.id.as_str())
                        );
                    }
                    assert_eq!(command.body["order_id"], serde_json::json!(facts.order));
                }
                None => assert!(step.is_local() && position.direction == Direction::Do),
            }
        }
    }
}

#[test]
fn resends_double_from_one_second_to_a_hundred_and_never_all_at_once() {
    let seconds = |sent, jitter| resend_after(sent, jitter).as_secs_f64();
    let plain: Vec<f64> = (1..=9).map(|sent| seconds(sent, 0.0)).collect();
    assert_eq!(plain, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0, 100.0]);
    assert!((seconds(1, -1.0) - 0.8).abs() < 1e-9 && (seconds(1, 1.0) - 1.2).abs() < 1e-9);
    assert!((seconds(u32::MAX, 1.0) - 100.0).abs() < 1e-9 && (seconds(u32::MAX, -1.0) - 80.0).abs() < 1e-9);
    assert!((seconds(0, 9.0) - 1.2).abs() < 1e-9);
}
