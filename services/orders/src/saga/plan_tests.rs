//! Tests every place where a saga can be with every cause, and every sequence of causes up to [`DEPTH`].

use std::collections::HashSet;

use contracts::{
    CommandId, Currency, OrderId, PaymentId, SagaId, UserId,
    saga::{Outcome, Reply},
};
use telemetry::TraceContext;
use uuid::Uuid;

use super::*;
use crate::saga::{
    checkout::{ALL, CHECKOUT, RETURN},
    decide::Action,
    table::{Facts, Kind, Saga, StepId},
};

/// Length of the longest sequence of causes that is tested.
const DEPTH: usize = 7;
const AMOUNT: i64 = 1_000;

fn new(saga: &'static Saga) -> SagaState {
    let is_return = !saga.ends_order;
    let order = OrderState {
        status: if is_return {
            OrderStatus::Delivered
        } else {
            OrderStatus::Pending
        },
        reason: None,
        payment: if is_return {
            PaymentStatus::Captured
        } else {
            PaymentStatus::Pending
        },
        fulfilment: if is_return {
            FulfilmentStatus::Delivered
        } else {
            FulfilmentStatus::Unfulfilled
        },
        total: AMOUNT,
        refunded: 0,
    };
    SagaState {
        id: SagaId(Uuid::from_u128(1)),
        saga,
        at: At::START,
        epoch: 0,
        attempts: 1,
        is_overdue: false,
        awaited_seconds: 0.0,
        facts: Facts {
            order: OrderId(Uuid::from_u128(2)),
            saga: SagaId(Uuid::from_u128(1)),
            user: UserId(Uuid::from_u128(3)),
            payment: PaymentId(Uuid::from_u128(4)),
            payment_method: "pm_card_ok".into(),
            amount: Money::new(AMOUNT, Currency::EUR),
            items: vec![],
            reason: String::new(),
        },
        ending: None,
        trace: TraceContext::default(),
        order,
        order_version: "1".into(),
        refunded_by_others: 0,
        returns_the_rest: true,
    }
}

/// The state after a plan was applied.
fn applied(state: &SagaState, plan: Plan) -> SagaState {
    SagaState {
        at: plan.at,
        epoch: state.epoch + 1,
        attempts: plan.attempts,
        ending: plan.ending,
        order: plan.order,
        ..state.clone()
    }
}

fn operator(action: Action) -> Cause {
    Cause::Operator {
        action,
        actor: UserId(Uuid::from_u128(9)),
        reason: "as agreed".into(),
    }
}

/// Every cause that a saga in this state may meet, with replies to the awaited command.
fn causes(state: &SagaState) -> Vec<Cause> {
    let awaited = state.at.position().map_or(CommandId(Uuid::nil()), |at| {
        engine::command_id(state.saga, state.id, at)
    });
    let reply = |outcome| {
        Cause::Reply(Reply {
            command_id: awaited,
            outcome,
        })
    };
    vec![
        reply(Outcome::Done),
        reply(Outcome::Refused {
            reason: "declined".into(),
            detail: "The card was declined.".into(),
        }),
        Cause::Timeout,
        Cause::Resend,
        Cause::Cancel(None),
        operator(Action::Retry),
        operator(Action::Redrive(Some(awaited))),
        operator(Action::Redrive(None)),
        operator(Action::Compensate),
        operator(Action::ResolveDone),
        operator(Action::ResolveRefused),
        Cause::DeadLetter {
            command: Some(awaited),
            reason: "it does not decode".into(),
        },
    ]
}

/// Calls `check` for every move in every sequence of causes up to [`DEPTH`], each distinct state once.
fn every_move(mut check: impl FnMut(&SagaState, &Cause, &Plan)) {
    let mut seen = HashSet::new();
    let mut open: Vec<(SagaState, usize)> = Vec::new();
    for saga in ALL {
        let waiting = SagaState {
            attempts: 0,
            ..new(saga)
        };
        open.extend([(new(saga), 0), (waiting, 0)]);
    }
    while let Some((state, depth)) = open.pop() {
        let key = format!(
            "{} {:?} {:?} {:?} {}",
            state.saga.name,
            state.at,
            state.order,
            state.ending,
            state.attempts.min(2)
        );
        if depth > DEPTH || !seen.insert((key, depth)) {
            continue;
        }
        for cause in causes(&state) {
            if let Ok(plan) = plan(&state, &cause) {
                check(&state, &cause, &plan);
                open.push((applied(&state, plan), depth + 1));
            }
        }
    }
}

#[test]
fn every_move_logs_reports_and_sends_what_its_place_requires() {
    every_move(|state, cause, plan| {
        let context = format!("{} {:?} {cause:?}", state.saga.name, state.at);
        assert!(!plan.log.is_empty() && !plan.events.is_empty(), "{context}");
        let is_sent = matches!(plan.at, At::Active(_));
        assert_eq!(plan.send.is_some(), is_sent, "{context}");
        let last = plan.log.last().unwrap();
        assert_eq!(last.outcome == LogOutcome::Sent, is_sent, "{context}");
        assert_eq!(
            plan.parked_reason.is_some(),
            matches!(plan.at, At::Parked(_)),
            "{context}"
        );
        if plan.at.position().is_none() {
            assert_eq!(plan.attempts, 0, "{context}");
        } else {
            assert!(plan.attempts >= state.attempts.min(1), "{context}");
        }
        let actors = plan.log.iter().filter(|entry| entry.actor.is_some());
        assert!(actors.clone().all(|entry| entry.reason.is_some()), "{context}");
        let is_operator = matches!(cause, Cause::Operator { .. });
        assert_eq!(actors.count(), usize::from(is_operator), "{context}");
    });
}

#[test]
fn a_charged_order_is_never_rejected_or_cancelled() {
    every_move(|state, cause, plan| {
        if state.saga.ends_order && state.order.payment == PaymentStatus::Captured {
            let ends = matches!(plan.order.status, OrderStatus::Rejected | OrderStatus::Cancelled);
            assert!(!ends, "{:?} {cause:?}", state.at);
        }
    });
}

#[test]
fn an_order_ends_exactly_when_its_checkout_ends() {
    every_move(|state, cause, plan| {
        if !state.saga.ends_order {
            return;
        }
        let expected = match plan.at {
            At::Completed => vec![OrderStatus::Confirmed],
            At::Compensated => vec![OrderStatus::Rejected, OrderStatus::Cancelled],
            At::Active(_) | At::Parked(_) => vec![OrderStatus::Pending],
        };
        assert!(expected.contains(&plan.order.status), "{:?} {cause:?}", state.at);
        if plan.at == At::Compensated {
            assert!(plan.order.reason.is_some(), "{:?} {cause:?}", state.at);
            let money = [PaymentStatus::Voided, PaymentStatus::Failed];
            assert!(
                money.contains(&plan.order.payment),
                "{:?} {cause:?} {:?}",
                state.at,
                plan.order
            );
        }
    });
}

#[test]
fn a_cause_that_is_not_awaited_moves_nothing() {
    for saga in ALL {
        let state = new(saga);
        let other = CommandId(Uuid::from_u128(77));
        let reply = Cause::Reply(Reply {
            command_id: other,
            outcome: Outcome::Done,
        });
        assert_eq!(plan(&state, &reply).unwrap_err(), Impossible::NotAwaited);
        let letter = Cause::DeadLetter {
            command: Some(other),
            reason: "late".into(),
        };
        assert_eq!(plan(&state, &letter).unwrap_err(), Impossible::NotAwaited);
        for at in [At::Completed, At::Compensated] {
            let ended = SagaState { at, ..new(saga) };
            for cause in causes(&ended) {
                assert!(plan(&ended, &cause).is_err(), "{at:?} {cause:?}");
            }
        }
    }
}

/// Applies a reply to the awaited command.
fn reply(state: &SagaState, outcome: Outcome) -> (SagaState, Plan) {
    let command_id = engine::command_id(state.saga, state.id, state.at.position().unwrap());
    let plan = plan(state, &Cause::Reply(Reply { command_id, outcome })).unwrap();
    (applied(state, plan.clone()), plan)
}

fn types(plan: &Plan) -> Vec<&'static str> {
    plan.events.iter().map(|event| event.r#type).collect()
}

#[test]
fn a_checkout_publishes_each_change_of_its_order() {
    let mut state = new(&CHECKOUT);
    let expected = [
        "stock_reserved",
        "payment_authorized",
        PROGRESS,
        "payment_captured",
        "order_confirmed",
    ];
    for event in expected {
        let (next, plan) = reply(&state, Outcome::Done);
        assert_eq!(types(&plan), [event]);
        assert_eq!(plan.events[0].data["status"], json!(next.order.status));
        state = next;
    }
    assert_eq!(state.at, At::Completed);
    assert_eq!(state.order.payment, PaymentStatus::Captured);
}

#[test]
fn a_notice_of_a_refund_that_overtakes_the_capture_keeps_its_payment_status() {
    let mut state = new(&CHECKOUT);
    while state.at.position().unwrap().step_id(&CHECKOUT) != StepId::CapturePayment {
        state = reply(&state, Outcome::Done).0;
    }
    state.order.refunded = AMOUNT;
    state.order.payment = PaymentStatus::Refunded;
    let (state, _) = reply(&state, Outcome::Done);
    assert_eq!(state.order.payment, PaymentStatus::Refunded);
}

#[test]
fn a_return_refunds_restocks_and_completes() {
    let (refunded, plan) = reply(&new(&RETURN), Outcome::Done);
    assert_eq!(
        (types(&plan), plan.return_status),
        (vec!["payment_refunded"], Some(ReturnStatus::Refunded))
    );
    assert_eq!(
        plan.events[0].data["refunded"],
        json!({"amount": AMOUNT, "currency": "EUR"})
    );
    assert_eq!(
        (refunded.order.payment, refunded.order.refunded),
        (PaymentStatus::Refunded, AMOUNT)
    );
    let (completed, plan) = reply(&refunded, Outcome::Done);
    assert_eq!(
        (types(&plan), plan.return_status),
        (vec!["order_returned"], Some(ReturnStatus::Completed))
    );
    assert_eq!(
        (completed.at, completed.order.status),
        (At::Completed, OrderStatus::Returned)
    );
    assert_eq!(completed.order.fulfilment, FulfilmentStatus::Returned);
    // Items remain with the shopper, so the order keeps its status.
    let partly = SagaState {
        returns_the_rest: false,
        ..refunded
    };
    let (partly, plan) = reply(&partly, Outcome::Done);
    assert_eq!(
        (types(&plan), partly.order.status),
        (vec!["return_completed"], OrderStatus::Delivered)
    );
    // An order that was never shipped can no longer be shipped.
    let mut unshipped = new(&RETURN);
    unshipped.order.status = OrderStatus::Confirmed;
    let (unshipped, _) = reply(&reply(&unshipped, Outcome::Done).0, Outcome::Done);
    assert_eq!(unshipped.order.fulfilment, FulfilmentStatus::Cancelled);
}

#[test]
fn a_refund_that_a_notice_has_reported_is_not_reported_again() {
    let mut state = new(&RETURN);
    state.order.refunded = AMOUNT;
    let (_, plan) = reply(&state, Outcome::Done);
    assert_eq!(
        (types(&plan), plan.return_status),
        (vec![PROGRESS], Some(ReturnStatus::Refunded))
    );
}

#[test]
fn an_operators_retry_and_the_end_of_a_wait_start_a_new_deadline() {
    let state = new(&CHECKOUT);
    assert_eq!(plan(&state, &Cause::Resend).unwrap().deadline, Deadline::Running);
    assert_eq!(
        plan(&state, &operator(Action::Retry)).unwrap().deadline,
        Deadline::Restarted
    );
    let waiting = SagaState { attempts: 0, ..state };
    assert_eq!(
        plan(&waiting, &Cause::Resend).unwrap().deadline,
        Deadline::Restarted
    );
    // Nothing was sent, so there is nothing to undo.
    assert_eq!(plan(&waiting, &Cause::Timeout).unwrap().at, At::Compensated);
    assert_eq!(plan(&waiting, &Cause::Cancel(None)).unwrap().at, At::Compensated);
}

#[test]
fn every_step_belongs_to_one_saga_and_every_undoable_one_can_be_undone() {
    for id in StepId::ALL {
        let sagas = ALL.into_iter().filter(|saga| saga.index_of(*id).is_some());
        assert_eq!(sagas.count(), 1, "{id:?}");
    }
    for step in ALL.into_iter().flat_map(|saga| saga.steps) {
        assert_eq!(step.undo.is_some(), step.kind == Kind::Undoable, "{:?}", step.id);
    }
}
