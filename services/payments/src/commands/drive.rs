//! Carries a decision out. What is to be asked is committed with its key, then the provider is asked outside any
//! transaction, then the answer is written if the payment still waits for it. Workers that race on one order ask under
//! the same key and so get the same answer; whoever writes first wins, the other finds it written.

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
        async |conn| store::insert(conn, command).await,
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
    drive(app, message, command.order_id, async |_| Ok(()), decide::capture).await
}

pub(super) async fn void(app: &App, message: &Incoming, command: &VoidPayment) -> Result<(), HandleError> {
    drive(
        app,
        message,
        command.order_id,
        async |conn| store::insert_tombstone(conn, command.order_id).await,
        |payment| payment.map_or(Decision::Answer(contracts::saga::Outcome::Done), decide::void),
    )
    .await
}

/// `prepare` makes sure that there is a row to lock, `decide` says what to do with it.
async fn drive(
    app: &App,
    message: &Incoming,
    order: OrderId,
    prepare: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<()>,
    decide: impl Fn(Option<&Payment>) -> Decision,
) -> Result<(), HandleError> {
    let Some(mut tx) = open(app, message).await? else {
        return Ok(());
    };
    prepare(&mut tx).await.map_err(retry)?;
    // A void may have to settle an authorization or a capture first; nothing needs more than two questions.
    for _ in 0..3 {
        let payment = store::lock_by_order(&mut tx, order).await.map_err(retry)?;
        let (operation, payment) = match (decide(payment.as_ref()), payment) {
            (Decision::Answer(outcome), _) => return answer(app, tx, message, outcome).await,
            (Decision::Ask(operation), Some(payment)) => (operation, payment),
            (Decision::Close, Some(payment)) => {
                let closed = payment.close().map_err(retry)?;
                store::save(&mut tx, &closed).await.map_err(retry)?;
                continue;
            }
            (Decision::Ask(_) | Decision::Close, None) => break,
        };
        let payment = begin(&mut tx, operation, payment).await.map_err(retry)?;
        let proposed = format!("{}:{}", operation.as_str(), message.id);
        let key = store::provider_key(&mut tx, payment.id, operation, &proposed)
            .await
            .map_err(retry)?;
        tx.commit().await.map_err(retry)?;
        let said = app.provider.ask(operation, &payment, &key).await.map_err(retry)?;
        tx = app.pool.begin().await.map_err(retry)?;
        settle(&mut tx, operation, order, said).await.map_err(retry)?;
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

/// Writes what the provider said, if the order's payment still waits for it. Also for its webhooks, which may be faster
/// than its answer.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    operation: Operation,
    order: OrderId,
    said: Said,
) -> Result<(), Error> {
    let Some(payment) = store::lock_by_order(conn, order).await? else {
        return Ok(());
    };
    let id = payment.id;
    let (payment, event) = match (operation, payment.status, said.clone()) {
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
        _ => return Ok(()),
    };
    store::save(conn, &payment).await?;
    store::answered(conn, id, operation, &said).await?;
    if payment.status == Status::Captured {
        ledger::capture(conn, id, payment.captured).await?;
    }
    events::tell(conn, id, &event).await?;
    Ok(())
}
