//! `RefundPayment`: refunds a return, once, and never more than is left of the payment.

use contracts::{
    Money,
    saga::{Outcome, RefundPayment},
};
use messaging::{HandleError, Incoming};
use uuid::Uuid;

use super::{answer, open, refused, retry};
use crate::{
    App,
    payment::{Payment, store as payments},
    refunds::{self, NewRefund, RefundStatus, store},
};

/// The provider is asked for what is reserved in the first transaction; the second one answers.
pub(super) async fn refund(
    app: &App,
    message: &Incoming,
    command: &RefundPayment,
) -> Result<(), HandleError> {
    let Some(mut tx) = open(app, message).await? else {
        return Ok(());
    };
    let payment = payments::lock_by_order(&mut tx, command.order_id)
        .await
        .map_err(retry)?;
    let known = store::of_return(&mut tx, command.return_id)
        .await
        .map_err(retry)?;
    let id = match (known, payment) {
        (Some(refund), _) => refund.id,
        (None, None) => {
            return answer(app, tx, message, exceeds("The order has no payment.")).await;
        }
        (None, Some(payment)) => {
            // Orders may not know yet what an operator has refunded in the meantime. The items are on their way back all the
            // same, so a remainder is refunded rather than nothing.
            let amount = amount(&payment, command.amount);
            if payment.captured.amount > 0 && amount.amount == 0 {
                return answer(app, tx, message, Outcome::Done).await;
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
                Err(error) => return answer(app, tx, message, exceeds(&format!("{error}."))).await,
            }
        }
    };
    tx.commit().await.map_err(retry)?;
    let refund = refunds::settle(app, id).await.map_err(retry)?;
    let outcome = match refund.status {
        RefundStatus::Succeeded => Outcome::Done,
        RefundStatus::Failed => exceeds(&refund.failure.unwrap_or_default()),
        RefundStatus::Pending => return Err(HandleError::Retry(anyhow::anyhow!("the refund is pending"))),
    };
    match open(app, message).await? {
        Some(tx) => answer(app, tx, message, outcome).await,
        None => Ok(()),
    }
}

/// The asked amount, or the remainder of the payment if that is less.
fn amount(payment: &Payment, asked: Money) -> Money {
    let left = payment.refundable();
    if left.currency == asked.currency && left.amount < asked.amount {
        left
    } else {
        asked
    }
}

fn exceeds(detail: &str) -> Outcome {
    refused("exceeds_captured", detail)
}
