//! Carries a decision out. What is to be asked is committed, then the provider is asked outside any transaction, then the
//! answer is written if the payment still waits for it. The key of a question comes from the payment and the operation:
//! workers that race on one order ask under the same key and so get the same answer; whoever writes first wins, the other
//! finds it written.

use contracts::{
    OrderId,
    saga::{AuthorizePayment, CapturePayment, VoidPayment},
};
use messaging::{HandleError, Incoming};
use sqlx::PgConnection;

use super::{
    answer,
    decide::{self, Decision},
    open, retry,
};
use crate::{
    App,
    error::Error,
    ledger,
    payment::{Payment, Status, events, store},
    provider::{Operation, Said},
};

pub(super) async fn authorize(
    app: &App,
    message: &Incoming,
    command: &AuthorizePayment,
) -> Result<(), HandleError> {
    if command.amount.amount <= 0 {
        return Err(HandleError::Poison(anyhow::anyhow!(
            "the amount is not above zero"
        )));
    }
    drive(
        app,
        message,
        command.order_id,
        async |conn| store::insert(conn, command).await.map(Some),
        |payment| {
            payment.map_or(Decision::Ask(Operation::Authorize), |payment| {
                decide::authorize(command, payment)
            })
        },
    )
    .await
}

pub(super) async fn capture(
    app: &App,
    message: &Incoming,
    command: &CapturePayment,
) -> Result<(), HandleError> {
    let order = command.order_id;
    let lock = async |conn: &mut _| store::lock_by_order(conn, order).await;
    drive(app, message, order, lock, decide::capture).await
}

pub(super) async fn void(app: &App, message: &Incoming, command: &VoidPayment) -> Result<(), HandleError> {
    drive(
        app,
        message,
        command.order_id,
        async |conn| store::insert_tombstone(conn, command.order_id).await.map(Some),
        |payment| payment.map_or(Decision::Answer(contracts::saga::Outcome::Done), decide::void),
    )
    .await
}

/// `find` locks the order's payment, and may make one; `decide` says what to do with it.
async fn drive(
    app: &App,
    message: &Incoming,
    order: OrderId,
    find: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<Option<Payment>>,
    decide: impl Fn(Option<&Payment>) -> Decision,
) -> Result<(), HandleError> {
    let Some(mut tx) = open(app, message).await? else {
        return Ok(());
    };
    let mut locked = find(&mut tx).await.map_err(retry)?;
    // A void may have to settle an authorization or a capture first; nothing needs more than two questions.
    for _ in 0..3 {
        let (operation, payment) = match (decide(locked.as_ref()), locked) {
            (Decision::Answer(outcome), _) => return answer(app, tx, message, outcome).await,
            (Decision::Ask(operation), Some(payment)) => (operation, payment),
            (Decision::Close, Some(payment)) => {
                let closed = payment.close().map_err(retry)?;
                store::save(&mut tx, &closed).await.map_err(retry)?;
                locked = Some(closed);
                continue;
            }
            (Decision::Ask(_) | Decision::Close, None) => break,
        };
        let payment = begin(&mut tx, operation, payment).await.map_err(retry)?;
        tx.commit().await.map_err(retry)?;
        let said = app.provider.ask(operation, &payment).await.map_err(retry)?;
        tx = app.pool.begin().await.map_err(retry)?;
        locked = match store::lock_by_order(&mut tx, order).await.map_err(retry)? {
            Some(payment) => Some(settle(&mut tx, operation, payment, said).await.map_err(retry)?),
            None => None,
        };
    }
    Err(HandleError::Retry(anyhow::anyhow!(
        "the payment of order {order} is being changed elsewhere"
    )))
}

/// Enters the state in which the provider is asked, unless an earlier delivery did.
async fn begin(conn: &mut PgConnection, operation: Operation, payment: Payment) -> Result<Payment, Error> {
    let payment = match (operation, payment.status) {
        (Operation::Authorize, Status::Created) => payment.begin_authorization()?,
        (Operation::Capture, Status::Authorized) => payment.begin_capture()?,
        (Operation::Void, Status::Authorized) => payment.begin_void()?,
        _ => return Ok(payment),
    };
    store::save(conn, &payment).await?;
    Ok(payment)
}

/// Writes what the provider said, if the locked payment still waits for it, and returns the payment as it is then. Also for
/// the provider's webhooks, which may be faster than its answer.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    operation: Operation,
    payment: Payment,
    said: Said,
) -> Result<Payment, Error> {
    let (payment, event) = match (operation, payment.status, said) {
        (Operation::Authorize, Status::Authorizing, Said::Yes { id }) => {
            let payment = payment.authorize(id)?;
            let event = events::authorized(&payment);
            (payment, event)
        }
        (Operation::Authorize, Status::Authorizing, Said::No(why)) => {
            let event = events::failed(&payment, &why);
            (payment.refuse_authorization(why)?, event)
        }
        (Operation::Capture, Status::Capturing, Said::Yes { .. }) => {
            let payment = payment.capture()?;
            let event = events::captured(&payment);
            (payment, event)
        }
        (Operation::Capture, Status::Capturing, Said::No(why)) => {
            let event = events::capture_refused(&payment, &why);
            (payment.refuse_capture(why)?, event)
        }
        (Operation::Void, Status::Voiding, Said::Yes { .. }) => {
            let event = events::voided(&payment);
            (payment.void()?, event)
        }
        _ => return Ok(payment),
    };
    store::save(conn, &payment).await?;
    if payment.status == Status::Captured {
        ledger::capture(conn, payment.id, payment.captured).await?;
    }
    events::tell(conn, payment.id, &event).await?;
    Ok(payment)
}
