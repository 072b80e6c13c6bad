//! The effect of each type of event. Each event is processed independently, because events of different topics arrive in any
//! order.

use contracts::{
    OrderId, UserId,
    events::{DomainEvent as _, Envelope, InventoryEvent, OrderEvent, PaymentEvent, Undecodable, UserEvent},
};
use sqlx::PgConnection;

use crate::{
    mail::{self, Content, Recipient},
    notices::{self, Notice},
    sales::store as sales,
};

/// A domain event of a known type.
#[derive(Debug)]
pub(super) enum KnownEvent {
    Order(OrderEvent),
    Payment(PaymentEvent),
    Inventory(InventoryEvent),
    User(UserEvent),
}

impl KnownEvent {
    /// Decodes an event; `None` if its type is unknown. Fails if its data does not match its type.
    pub(super) fn of(event: &Envelope) -> Result<Option<Self>, Undecodable> {
        if let Some(order) = event.decode()? {
            return Ok(Some(Self::Order(order)));
        }
        if let Some(payment) = event.decode()? {
            return Ok(Some(Self::Payment(payment)));
        }
        if let Some(inventory) = event.decode()? {
            return Ok(Some(Self::Inventory(inventory)));
        }
        Ok(event.decode()?.map(Self::User))
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Order(event) => event.kind(),
            Self::Payment(event) => event.kind(),
            Self::Inventory(event) => event.kind(),
            Self::User(event) => event.kind(),
        }
    }

    /// Whether the event has an effect here. Order events also cover payments, except for refunds, for which the payment
    /// event has the amount.
    pub(super) fn is_relevant(&self) -> bool {
        match self {
            Self::Order(event) => !matches!(
                event,
                OrderEvent::StockReleased(_)
                    | OrderEvent::OrderPaymentFailed(_)
                    | OrderEvent::OrderPaymentVoided(_)
                    | OrderEvent::OrderPaymentRefunded(_)
                    | OrderEvent::ReturnCompleted(_)
            ),
            Self::Payment(event) => matches!(event, PaymentEvent::PaymentRefunded(_)),
            Self::Inventory(event) => {
                matches!(
                    event,
                    InventoryEvent::ProductCreated(_) | InventoryEvent::ProductChanged(_)
                )
            }
            Self::User(_) => true,
        }
    }

    pub(super) async fn apply(self, conn: &mut PgConnection, event: &Envelope) -> sqlx::Result<()> {
        match self {
            Self::Order(order) => apply_order(conn, event, order).await,
            Self::Payment(payment) => apply_payment(conn, event, payment).await,
            Self::Inventory(inventory) => apply_inventory(conn, event, inventory).await,
            Self::User(user) => apply_user(conn, event, user).await,
        }
    }
}

async fn apply_order(conn: &mut PgConnection, event: &Envelope, order: OrderEvent) -> sqlx::Result<()> {
    let at = event.occurred_at;
    let step =
        async |conn: &mut PgConnection, order: OrderId, step| sales::record_step(conn, order, step, at).await;
    match order {
        OrderEvent::OrderPlaced(placed) => step(conn, placed.order_id, "placed").await,
        OrderEvent::StockReserved(reserved) => step(conn, reserved.order_id, "reserved").await,
        OrderEvent::OrderPaymentAuthorized(authorized) => step(conn, authorized.order_id, "authorized").await,
        OrderEvent::OrderPaymentCaptured(captured) => step(conn, captured.order_id, "captured").await,
        OrderEvent::OrderConfirmed(confirmed) => {
            step(conn, confirmed.order_id, "confirmed").await?;
            sales::record_sale(conn, &confirmed, at).await?;
            let notice = Notice::OrderConfirmed {
                order_id: confirmed.order_id,
                total: confirmed.total,
                lines: confirmed.lines,
            };
            notify(conn, event, confirmed.user_id, notice).await
        }
        OrderEvent::OrderRejected(rejected) => {
            step(conn, rejected.order_id, "rejected").await?;
            sales::record_rejection(conn, rejected.order_id, &rejected.reason, at).await?;
            let notice = Notice::OrderRejected {
                order_id: rejected.order_id,
                reason: rejected.reason,
            };
            notify(conn, event, rejected.user_id, notice).await
        }
        OrderEvent::OrderCancelled(cancelled) => {
            step(conn, cancelled.order_id, "cancelled").await?;
            let notice = Notice::OrderCancelled {
                order_id: cancelled.order_id,
            };
            notify(conn, event, cancelled.user_id, notice).await
        }
        OrderEvent::OrderShipped(shipped) => {
            step(conn, shipped.order_id, "shipped").await?;
            let notice = Notice::OrderShipped {
                order_id: shipped.order_id,
                carrier: shipped.carrier,
                tracking_number: shipped.tracking_number,
            };
            notify(conn, event, shipped.user_id, notice).await
        }
        OrderEvent::OrderDelivered(delivered) => {
            step(conn, delivered.order_id, "delivered").await?;
            let notice = Notice::OrderDelivered {
                order_id: delivered.order_id,
            };
            notify(conn, event, delivered.user_id, notice).await
        }
        OrderEvent::ReturnRequested(requested) => {
            let notice = Notice::ReturnRequested {
                order_id: requested.order_id,
                needs_receipt: requested.needs_receipt,
            };
            notify(conn, event, requested.user_id, notice).await
        }
        OrderEvent::ReturnReceived(received) => {
            let notice = Notice::ReturnReceived {
                order_id: received.order_id,
            };
            notify(conn, event, received.user_id, notice).await
        }
        OrderEvent::ReturnRefused(refused) => {
            let notice = Notice::ReturnRefused {
                order_id: refused.order_id,
                reason: refused.reason,
            };
            notify(conn, event, refused.user_id, notice).await
        }
        OrderEvent::OrderReturned(returned) => step(conn, returned.order_id, "returned").await,
        // Other events have no effect, see `is_relevant`.
        _ => Ok(()),
    }
}

async fn apply_payment(conn: &mut PgConnection, event: &Envelope, payment: PaymentEvent) -> sqlx::Result<()> {
    let PaymentEvent::PaymentRefunded(refunded) = payment else {
        return Ok(());
    };
    sales::record_refund(conn, &refunded, event.occurred_at).await?;
    let notice = Notice::PaymentRefunded {
        order_id: refunded.order_id,
        amount: refunded.amount,
    };
    notify(conn, event, refunded.user_id, notice).await
}

async fn apply_inventory(
    conn: &mut PgConnection,
    event: &Envelope,
    inventory: InventoryEvent,
) -> sqlx::Result<()> {
    let (sku, product) = match inventory {
        InventoryEvent::ProductCreated(created) => (created.sku, created.product),
        InventoryEvent::ProductChanged(changed) => (changed.sku, changed.product),
        // Sales of a deleted product still count, so its name is kept.
        InventoryEvent::ProductDeleted(_) | InventoryEvent::StockChanged(_) => return Ok(()),
    };
    sales::upsert_product(conn, &sku, &product, event.sequence).await
}

async fn apply_user(conn: &mut PgConnection, event: &Envelope, user: UserEvent) -> sqlx::Result<()> {
    let (id, email, name, locale) = match &user {
        UserEvent::UserRegistered(user) => (user.user_id, &user.email, &user.name, &user.locale),
        UserEvent::EmailVerified(user) => (user.user_id, &user.email, &user.name, &user.locale),
        UserEvent::VerificationRequested(user) => (user.user_id, &user.email, &user.name, &user.locale),
        UserEvent::PasswordResetRequested(user) => (user.user_id, &user.email, &user.name, &user.locale),
        UserEvent::VerificationExpired(user) => {
            mail::store::delete_recipient(conn, user.user_id, event.sequence).await?;
            return notices::store::delete_all(conn, user.user_id).await;
        }
        UserEvent::UserChanged(user) => (user.user_id, &user.email, &user.name, &user.locale),
        UserEvent::PasswordChanged(user) => (user.user_id, &user.email, &user.name, &user.locale),
        UserEvent::UserDisabled(user) => (user.user_id, &user.email, &user.name, &user.locale),
        UserEvent::UserEnabled(user) => (user.user_id, &user.email, &user.name, &user.locale),
    };
    let recipient = Recipient {
        email: email.clone(),
        // The name becomes part of a mail header, in which a line break would start another header.
        name: name.replace(char::is_control, " "),
        locale: locale.clone(),
    };
    mail::store::upsert_recipient(conn, id, &recipient, event.sequence).await?;
    match user {
        UserEvent::UserRegistered(registered) => {
            let content = Content {
                notice: Notice::Welcome,
                token_id: registered.verification_id,
            };
            mail::store::insert(conn, event, id, &content).await?;
            notices::store::insert(conn, event, id, &content.notice).await
        }
        UserEvent::VerificationRequested(requested) => {
            let content = Content {
                notice: Notice::VerifyAddress,
                token_id: Some(requested.verification_id),
            };
            mail::store::insert(conn, event, id, &content).await
        }
        UserEvent::PasswordResetRequested(requested) => {
            let content = Content {
                notice: Notice::ResetPassword {
                    registered_again: requested.registered_again,
                },
                token_id: Some(requested.reset_id),
            };
            mail::store::insert(conn, event, id, &content).await
        }
        UserEvent::PasswordChanged(_) => notify(conn, event, id, Notice::PasswordChanged).await,
        UserEvent::EmailVerified(_)
        // Handled above.
        | UserEvent::VerificationExpired(_)
        | UserEvent::UserChanged(_)
        | UserEvent::UserDisabled(_)
        | UserEvent::UserEnabled(_) => Ok(()),
    }
}

/// Adds a notice to the user's list, and creates a mail if the notice is mailed.
async fn notify(conn: &mut PgConnection, event: &Envelope, user: UserId, notice: Notice) -> sqlx::Result<()> {
    notices::store::insert(conn, event, user, &notice).await?;
    if notice.is_mailed() {
        let content = Content {
            notice,
            token_id: None,
        };
        mail::store::insert(conn, event, user, &content).await?;
    }
    Ok(())
}
