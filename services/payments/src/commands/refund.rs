//! Handles `RefundPayment`: refunds a return once, and never more than can still be refunded.

use contracts::{
    Money,
    saga::{Outcome, RefundPayment},
};
use messaging::{HandleError, Incoming};
use uuid::Uuid;

use super::{begin_transaction, refusal, reply, retry};
use crate::{
    App,
    payment::{Payment, store as payments},
    refunds::{self, NewRefund, RefundStatus, store},
};

/// The first transaction reserves the refund, then the provider is called, and the second transaction replies.
pub(super) async fn refund(
    app: &App,
    message: &Incoming,
    command: &RefundPayment,
) -> Result<(), HandleError> {
    let Some(mut tx) = begin_transaction(app, message).await? else {
        return Ok(());
    };
    let payment = payments::lock_by_order(&mut tx, command.order_id)
        .await
        .map_err(retry)?;
    let existing = store::find_by_return(&mut tx, command.return_id)
        .await
        .map_err(retry)?;
    let id = match (existing, payment) {
        (Some(refund), _) => refund.id,
        (None, None) => {
            return reply(app, tx, message, exceeds_captured("The order has no payment.")).await;
        }
        (None, Some(payment)) => {
            // An operator may have refunded part of the payment already, which orders may not know yet. The items are being
            // returned anyway, so refund the remainder.
            let amount = refund_amount(&payment, command.amount);
            if payment.captured.amount > 0 && amount.amount == 0 {
                return reply(app, tx, message, Outcome::Done).await;
            }
            let new = NewRefund {
                id: Uuid::now_v7(),
                return_id: Some(command.return_id),
                amount,
                reason: command.reason.clone(),
            };
            match refunds::reserve(&mut tx, payment, new).await {
                Ok(refund) => refund.id,
                Err(crate::error::Error::Database(error)) => return Err(retry(error)),
                Err(error) => return reply(app, tx, message, exceeds_captured(&format!("{error}."))).await,
            }
        }
    };
    tx.commit().await.map_err(retry)?;
    let refund = refunds::settle(app, id).await.map_err(retry)?;
    let outcome = match refund.status {
        RefundStatus::Succeeded => Outcome::Done,
        RefundStatus::Failed => exceeds_captured(&refund.failure.unwrap_or_default()),
        RefundStatus::Pending => return Err(HandleError::Retry(anyhow::anyhow!("the refund is pending"))),
    };
    match begin_transaction(app, message).await? {
        Some(tx) => reply(app, tx, message, outcome).await,
        None => Ok(()),
    }
}

/// Returns the requested amount, or what can still be refunded if that is less.
fn refund_amount(payment: &Payment, requested: Money) -> Money {
    let refundable = payment.refundable();
    if refundable.currency == requested.currency && refundable.amount < requested.amount {
        refundable
    } else {
        requested
    }
}

fn exceeds_captured(detail: &str) -> Outcome {
    refusal("exceeds_captured", detail)
}
