//! A payment and its state machine. Every change of status is a method of [`Payment`] that consumes the old state and
//! checks that the transition is legal. CHECK constraints in the database guard the same invariants again.

pub(crate) mod events;
pub(crate) mod get_payment;
pub(crate) mod list_payments;
pub(crate) mod store;
pub(crate) mod view;

use chrono::{DateTime, Utc};
use contracts::{Currency, Money, OrderId, PaymentId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Status of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentStatus)]
pub enum Status {
    /// The payment is recorded; the provider has not been called yet.
    Created,
    /// The authorization has been requested; its outcome is not known yet.
    Authorizing,
    /// The amount is reserved on the card.
    Authorized,
    /// The capture has been requested; the card may or may not have been charged.
    Capturing,
    /// The card has been charged.
    Captured,
    /// Part of the captured amount has been refunded.
    PartiallyRefunded,
    /// The whole captured amount has been refunded.
    Refunded,
    /// The release of the reserved amount has been requested; its outcome is not known yet.
    Voiding,
    /// The reservation was released or never made; the order can no longer be paid.
    Voided,
    /// The authorization was declined.
    Failed,
    /// The reservation lapsed at the provider before it was captured.
    Expired,
}

impl Status {
    const ALL: [Self; 11] = [
        Self::Created,
        Self::Authorizing,
        Self::Authorized,
        Self::Capturing,
        Self::Captured,
        Self::PartiallyRefunded,
        Self::Refunded,
        Self::Voiding,
        Self::Voided,
        Self::Failed,
        Self::Expired,
    ];

    /// The value in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Authorizing => "authorizing",
            Self::Authorized => "authorized",
            Self::Capturing => "capturing",
            Self::Captured => "captured",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Voiding => "voiding",
            Self::Voided => "voided",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    fn parse(text: &str) -> sqlx::Result<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| sqlx::Error::Decode(format!("no payment has the status {text}").into()))
    }

    /// Whether the transition to `next` is legal.
    fn can_become(self, next: Self) -> bool {
        use Status::{
            Authorized, Authorizing, Captured, Capturing, Created, Expired, Failed, PartiallyRefunded,
            Refunded, Voided, Voiding,
        };
        matches!(
            (self, next),
            (Created, Authorizing | Voided)
                | (Authorizing, Authorized | Failed)
                | (Authorized, Capturing | Voiding | Expired)
                // After a refused capture, the amount is still reserved.
                | (Capturing, Captured | Authorized)
                | (Voiding, Voided)
                | (Captured | PartiallyRefunded, PartiallyRefunded | Refunded)
        )
    }
}

/// Why the provider refused an authorization or a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PaymentFailure)]
pub struct Failure {
    /// A code for programs.
    #[schema(example = "card_declined")]
    pub code: String,
    /// An explanation for the shopper.
    #[schema(example = "Your card was declined.")]
    pub message: String,
}

/// A payment, as stored in the database. All amounts have the same currency.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    pub(crate) order_id: OrderId,
    pub(crate) user_id: UserId,
    pub(crate) status: Status,
    /// Total of the order, to be authorized and captured.
    pub(crate) amount: Money,
    /// The token of the card, such as `pm_card_ok`.
    pub(crate) method: String,
    /// Id of the payment intent at the provider, once authorized.
    pub(crate) provider_id: Option<String>,
    /// Amount reserved by the authorization, zero before it.
    pub(crate) authorized: Money,
    /// Amount charged by the capture, zero before it.
    pub(crate) captured: Money,
    /// Sum of the refunds that the provider has confirmed.
    pub(crate) refunded: Money,
    /// Sum of the pending refunds, which the provider has not confirmed yet.
    pub(crate) refunding: Money,
    /// The last refusal of the provider.
    pub(crate) failure: Option<Failure>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// An attempted transition that the state machine does not allow; always a bug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a payment that is {} cannot become {}", from.as_str(), to.as_str())]
pub(crate) struct IllegalTransition {
    from: Status,
    to: Status,
}

type Transition = Result<Payment, IllegalTransition>;

impl Payment {
    /// The captured amount that is neither refunded nor reserved for a pending refund.
    pub(crate) fn refundable(&self) -> Money {
        self.money(self.captured.amount - self.refunded.amount - self.refunding.amount)
    }

    /// The currency of all amounts of the payment.
    pub(crate) fn currency(&self) -> Currency {
        self.amount.currency
    }

    /// `created` → `authorizing`, before the provider is called.
    pub(crate) fn begin_authorization(self) -> Transition {
        self.transition_to(Status::Authorizing)
    }

    /// `authorizing` → `authorized`, after the provider has reserved the amount.
    pub(crate) fn authorize(self, provider_id: String) -> Transition {
        let mut payment = self.transition_to(Status::Authorized)?;
        payment.provider_id = Some(provider_id);
        payment.authorized = payment.amount;
        Ok(payment)
    }

    /// `authorizing` → `failed`, after the provider has declined.
    pub(crate) fn refuse_authorization(self, failure: Failure) -> Transition {
        let mut payment = self.transition_to(Status::Failed)?;
        payment.failure = Some(failure);
        Ok(payment)
    }

    /// `authorized` → `capturing`, before the provider is called.
    pub(crate) fn begin_capture(self) -> Transition {
        self.transition_to(Status::Capturing)
    }

    /// `capturing` → `captured`, after the provider has charged the card.
    pub(crate) fn capture(self) -> Transition {
        let mut payment = self.transition_to(Status::Captured)?;
        payment.captured = payment.authorized;
        Ok(payment)
    }

    /// `capturing` → `authorized` with a failure: the amount stays reserved until it is voided.
    pub(crate) fn refuse_capture(self, failure: Failure) -> Transition {
        if self.status != Status::Capturing {
            return Err(self.illegal(Status::Authorized));
        }
        let mut payment = self.transition_to(Status::Authorized)?;
        payment.failure = Some(failure);
        Ok(payment)
    }

    /// `authorized` → `voiding`, before the provider is called.
    pub(crate) fn begin_void(self) -> Transition {
        self.transition_to(Status::Voiding)
    }

    /// `voiding` → `voided`, after the provider has released the amount.
    pub(crate) fn void(self) -> Transition {
        self.transition_to(Status::Voided)
    }

    /// `created` → `voided`, for a payment that the provider does not know.
    pub(crate) fn close(self) -> Transition {
        if self.status != Status::Created {
            return Err(self.illegal(Status::Voided));
        }
        self.transition_to(Status::Voided)
    }

    /// `authorized` → `expired`, after the provider has released the amount by itself.
    pub(crate) fn expire(self) -> Transition {
        self.transition_to(Status::Expired)
    }

    /// Reserves `amount` for a refund. The caller must have checked that it is at most [`Self::refundable`].
    pub(crate) fn reserve_refund(mut self, amount: Money) -> Self {
        self.refunding.amount += amount.amount;
        self
    }

    /// Counts a reserved `amount` as refunded: `partially_refunded`, or `refunded` if nothing remains.
    pub(crate) fn refund(self, amount: Money) -> Transition {
        let refunded = self.refunded.amount + amount.amount;
        let all = refunded == self.captured.amount;
        let mut payment = self.transition_to(if all {
            Status::Refunded
        } else {
            Status::PartiallyRefunded
        })?;
        payment.refunded.amount = refunded;
        Ok(payment.release_refund(amount))
    }

    /// Releases the reservation of `amount`, after a refund succeeded or failed.
    pub(crate) fn release_refund(mut self, amount: Money) -> Self {
        self.refunding.amount -= amount.amount;
        self
    }

    fn money(&self, amount: i64) -> Money {
        Money::new(amount, self.currency())
    }

    fn illegal(&self, to: Status) -> IllegalTransition {
        IllegalTransition {
            from: self.status,
            to,
        }
    }

    fn transition_to(mut self, next: Status) -> Transition {
        if !self.status.can_become(next) {
            return Err(self.illegal(next));
        }
        self.status = next;
        Ok(self)
    }
}

#[cfg(test)]
pub(crate) mod tests;
