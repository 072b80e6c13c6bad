//! Every place a saga can be, with everything it can hear there.

use std::collections::HashSet;

use contracts::{Currency, Money, OrderId, PaymentId, SagaId, UserId};
use uuid::Uuid;

use super::*;
use crate::saga::checkout::{ALL, CHECKOUT, RETURN};

const HEARD: [Heard; 3] = [Heard::Done, Heard::Refused, Heard::Silent];

fn at(saga: &Saga, step: &str, direction: Direction) -> At {
    At::Active(Position {
        step: saga.index_of(step).unwrap(),
        direction,
    })
}

fn doing_step(step: &str) -> At {
    at(&CHECKOUT, step, Direction::Do)
}

fn undoing_step(step: &str) -> At {
    at(&CHECKOUT, step, Direction::Undo)
}

#[test]
fn the_reply_table_holds_for_every_step_of_the_checkout() {
    let parked = |at: At| At::Parked(at.position().unwrap());
    // Step, done, refused, silent.
    let doing = [
        (
            "reserve_stock",
            doing_step("authorize_payment"),
            At::Compensated,
            undoing_step("reserve_stock"),
        ),
        (
            "authorize_payment",
            doing_step("pin_stock"),
            undoing_step("reserve_stock"),
            undoing_step("authorize_payment"),
        ),
        (
            "pin_stock",
            doing_step("capture_payment"),
            undoing_step("authorize_payment"),
            undoing_step("pin_stock"),
        ),
        (
            "capture_payment",
            doing_step("commit_stock"),
            undoing_step("pin_stock"),
            doing_step("capture_payment"),
        ),
        (
            "commit_stock",
            doing_step("confirm_order"),
            parked(doing_step("commit_stock")),
            doing_step("commit_stock"),
        ),
        (
            "confirm_order",
            At::Completed,
            parked(doing_step("confirm_order")),
            doing_step("confirm_order"),
        ),
    ];
    let undoing = [
        ("pin_stock", undoing_step("authorize_payment")),
        ("authorize_payment", undoing_step("reserve_stock")),
        ("reserve_stock", At::Compensated),
    ];
    for (step, done, refused, silent) in doing {
        let next = HEARD.map(|heard| advance(&CHECKOUT, doing_step(step), heard));
        assert_eq!(next, [done, refused, silent], "{step}");
    }
    for (step, done) in undoing {
        let here = undoing_step(step);
        let next = HEARD.map(|heard| advance(&CHECKOUT, here, heard));
        assert_eq!(next, [done, parked(here), here], "undo {step}");
    }
}

#[test]
fn the_reply_table_holds_for_every_step_of_a_return() {
    let here = |step| at(&RETURN, step, Direction::Do);
    let next = |step| HEARD.map(|heard| advance(&RETURN, here(step), heard));
    let parked = |step| At::Parked(here(step).position().unwrap());
    assert_eq!(
        next("refund_payment"),
        [here("restock_items"), At::Compensated, here("refund_payment")]
    );
    assert_eq!(
        next("restock_items"),
        [
            here("complete_return"),
            parked("restock_items"),
            here("restock_items")
        ]
    );
    assert_eq!(next("complete_return")[0], At::Completed);
}

/// Every place that any sequence of replies leads to, with whether the pivot was done on the way.
fn reachable(saga: &Saga) -> HashSet<(At, bool)> {
    let mut found = HashSet::new();
    let mut open = vec![(At::START, false)];
    while let Some((at, passed)) = open.pop() {
        if !found.insert((at, passed)) {
            continue;
        }
        for heard in HEARD {
            let done_pivot = heard == Heard::Done
                && at.position().is_some_and(|position| {
                    position.direction == Direction::Do && saga.steps[position.step].kind == Kind::Pivot
                });
            open.push((advance(saga, at, heard), passed || done_pivot));
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
fn whatever_is_heard_it_ends_unless_silence_never_does() {
    /// Moves left at most, counting no repetitions; every move must lower it.
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
            for heard in HEARD {
                let next = advance(saga, at, heard);
                let waits = next == at && (heard == Heard::Silent || at.position().is_none());
                let stays_parked = matches!(at, At::Parked(_)) && next == at;
                assert!(
                    waits || stays_parked || left(saga, next) < left(saga, at),
                    "{} does not get nearer to its end from {at:?} by {heard:?}",
                    saga.name
                );
            }
            // Somebody who answers "done" always brings it to an end.
            let mut end = at;
            for _ in 0..=2 * saga.steps.len() {
                end = advance(saga, end, Heard::Done);
            }
            assert!(matches!(end, At::Completed | At::Compensated), "{at:?}");
        }
    }
}

#[test]
fn an_answer_counts_once_and_only_in_time() {
    let id = SagaId(Uuid::from_u128(7));
    for saga in ALL {
        for (at, _) in reachable(saga) {
            for position in reachable(saga).into_iter().filter_map(|(at, _)| at.position()) {
                let command = command_id(saga, id, position);
                let awaited = at.position() == Some(position);
                assert_eq!(awaits(saga, id, at, command), awaited, "{at:?} {position:?}");
                if awaited {
                    for heard in [Heard::Done, Heard::Refused] {
                        let next = advance(saga, at, heard);
                        let parked = matches!(next, At::Parked(_));
                        assert!(
                            parked || !awaits(saga, id, next, command),
                            "{at:?} takes {heard:?} twice"
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
    for step in ["reserve_stock", "authorize_payment", "pin_stock"] {
        assert_eq!(give_up(&CHECKOUT, doing_step(step)), Some(undoing_step(step)));
        let parked = At::Parked(doing_step(step).position().unwrap());
        assert_eq!(give_up(&CHECKOUT, parked), Some(undoing_step(step)));
        assert_eq!(give_up(&CHECKOUT, undoing_step(step)), None);
    }
    for step in ["capture_payment", "commit_stock", "confirm_order"] {
        assert_eq!(give_up(&CHECKOUT, doing_step(step)), None);
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
                        command.kind.starts_with(&format!("{}.", step.service())),
                        "{}",
                        command.kind
                    );
                    assert!(command.queue.starts_with(step.service()));
                    if position.direction == Direction::Do {
                        assert_eq!(command.kind, format!("{}.{}.v1", step.service(), step.name));
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
