//! Executes decisions. First the pending operation is committed, then the provider is called outside any transaction, then
//! the outcome is recorded if the payment is still waiting for it. The idempotency key depends only on payment and
//! operation, so concurrent workers get the same outcome from the provider. The first one records it; the others find it
//! recorded.

use contracts::{
    OrderId,
    saga::{AuthorizePayment, CapturePayment, VoidPayment},
};
use messaging::{HandleError, Incoming};
use sqlx::PgConnection;

use super::{
    begin_transaction,
    decide::{self, Decision},
    reply, retry,
};
use crate::{
    App,
    error::Error,
    ledger,
    payment::{Payment, Status, events, store},
    provider::{Operation, ProviderOutcome},
};

/// Handles `AuthorizePayment`: reserves the order's total on the card.
pub(super) async fn authorize(
    app: &App,
    message: &Incoming,
    command: &AuthorizePayment,
) -> Result<(), HandleError> {
    if command.amount.amount <= 0 {
        return Err(HandleError::Poison(anyhow::anyhow!(
            "the amount must be above zero"
        )));
    }
    drive(
        app,
        message,
        command.order_id,
        async |conn| store::insert(conn, command).await.map(Some),
        |payment| {
            payment.map_or(Decision::Execute(Operation::Authorize), |payment| {
                decide::authorize(command, payment)
            })
        },
    )
    .await
}

/// Handles `CapturePayment`: charges the reserved amount.
pub(super) async fn capture(
    app: &App,
    message: &Incoming,
    command: &CapturePayment,
) -> Result<(), HandleError> {
    let order = command.order_id;
    let lock = async |conn: &mut _| store::lock_by_order(conn, order).await;
    drive(app, message, order, lock, decide::capture).await
}

/// Handles `VoidPayment`: releases the reserved amount, and closes the order to later authorizations.
pub(super) async fn void(app: &App, message: &Incoming, command: &VoidPayment) -> Result<(), HandleError> {
    drive(
        app,
        message,
        command.order_id,
        async |conn| store::insert_tombstone(conn, command.order_id).await.map(Some),
        |payment| payment.map_or(Decision::Reply(contracts::saga::Outcome::Done), decide::void),
    )
    .await
}

/// Handles a command: `find` locks the order's payment and may insert it; `decide` determines the next step.
async fn drive(
    app: &App,
    message: &Incoming,
    order: OrderId,
    find: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<Option<Payment>>,
    decide: impl Fn(Option<&Payment>) -> Decision,
) -> Result<(), HandleError> {
    let Some(mut tx) = begin_transaction(app, message).await? else {
        return Ok(());
    };
    let mut locked = find(&mut tx).await.map_err(retry)?;
    // A void may have to complete an authorization or a capture first, so no command needs more than two calls.
    for _ in 0..3 {
        let (operation, payment) = match (decide(locked.as_ref()), locked) {
            (Decision::Reply(outcome), _) => return reply(app, tx, message, outcome).await,
            (Decision::Execute(operation), Some(payment)) => (operation, payment),
            (Decision::Close, Some(payment)) => {
                let closed = payment.close().map_err(retry)?;
                store::save(&mut tx, &closed, None).await.map_err(retry)?;
                locked = Some(closed);
                continue;
            }
            (Decision::Execute(_) | Decision::Close, None) => break,
        };
        let payment = mark_pending(&mut tx, operation, payment).await.map_err(retry)?;
        tx.commit().await.map_err(retry)?;
        let outcome = app.provider.execute(operation, &payment).await.map_err(retry)?;
        tx = app.pool.begin().await.map_err(retry)?;
        locked = match store::lock_by_order(&mut tx, order).await.map_err(retry)? {
            Some(payment) => Some(
                record_outcome(&mut tx, operation, payment, outcome)
                    .await
                    .map_err(retry)?,
            ),
            None => None,
        };
    }
    Err(HandleError::Retry(anyhow::anyhow!(
        "the payment of order {order} is being changed concurrently"
    )))
}

/// Saves that the operation is about to be executed, unless an earlier delivery already did.
async fn mark_pending(
    conn: &mut PgConnection,
    operation: Operation,
    payment: Payment,
) -> Result<Payment, Error> {
    let payment = match (operation, payment.status) {
        (Operation::Authorize, Status::Created) => payment.begin_authorization()?,
        (Operation::Capture, Status::Authorized) => payment.begin_capture()?,
        (Operation::Void, Status::Authorized) => payment.begin_void()?,
        _ => return Ok(payment),
    };
    store::save(conn, &payment, None).await?;
    Ok(payment)
}

/// Records the provider's outcome if the locked payment is still waiting for it, and returns the updated payment. Also used
/// for webhooks, which may arrive before the response of the call.
pub(crate) async fn record_outcome(
    conn: &mut PgConnection,
    operation: Operation,
    payment: Payment,
    outcome: ProviderOutcome,
) -> Result<Payment, Error> {
    let (payment, event) = match (operation, payment.status, outcome) {
        (Operation::Authorize, Status::Authorizing, ProviderOutcome::Succeeded { id }) => {
            let payment = payment.authorize(id)?;
            let event = events::authorized(&payment);
            (payment, event)
        }
        (Operation::Authorize, Status::Authorizing, ProviderOutcome::Refused(failure)) => {
            let event = events::failed(&payment, &failure);
            (payment.refuse_authorization(failure)?, event)
        }
        (Operation::Capture, Status::Capturing, ProviderOutcome::Succeeded { .. }) => {
            let payment = payment.capture()?;
            let event = events::captured(&payment);
            (payment, event)
        }
        (Operation::Capture, Status::Capturing, ProviderOutcome::Refused(failure)) => {
            let event = events::capture_refused(&payment, &failure);
            (payment.refuse_capture(failure)?, event)
        }
        (Operation::Void, Status::Voiding, ProviderOutcome::Succeeded { .. }) => {
            let event = events::voided(&payment);
            (payment.void()?, event)
        }
        _ => return Ok(payment),
    };
    store::save(conn, &payment, Some(&event)).await?;
    if payment.status == Status::Captured {
        ledger::capture(conn, payment.id, payment.captured).await?;
    }
    Ok(payment)
}
