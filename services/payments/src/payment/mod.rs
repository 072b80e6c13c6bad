//! A payment and its states. Every change of state goes through a transition here, which consumes the old state and
//! knows which edges are legal; the database's CHECKs say the same a second time.

pub(crate) mod events;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod store;
pub(crate) mod view;

use chrono::{DateTime, Utc};
use contracts::{Currency, Money, OrderId, PaymentId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentStatus)]
pub enum Status {
    /// Known, nothing asked of the provider yet.
    Created,
    /// The provider is being asked to reserve the money.
    Authorizing,
    /// The money is reserved.
    Authorized,
    /// The provider is being asked to take the money; until it answers, it may have.
    Capturing,
    /// The money is taken.
    Captured,
    /// Some of it went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
    /// The provider is being asked to let the reserved money go.
    Voiding,
    /// Nothing is reserved, and nothing ever will be for this order.
    Voided,
    /// The provider refused to reserve the money.
    Failed,
    /// The provider let the reserved money go by itself.
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

    /// As it is stored and sent.
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

    /// The legal edges.
    fn may_become(self, next: Self) -> bool {
        use Status::{
            Authorized, Authorizing, Captured, Capturing, Created, Expired, Failed, PartiallyRefunded,
            Refunded, Voided, Voiding,
        };
        matches!(
            (self, next),
            (Created, Authorizing | Voided)
                | (Authorizing, Authorized | Failed)
                | (Authorized, Capturing | Voiding | Expired)
                // A refused capture leaves the money reserved.
                | (Capturing, Captured | Authorized)
                | (Voiding, Voided)
                | (Captured | PartiallyRefunded, PartiallyRefunded | Refunded)
        )
    }
}

/// Why the provider refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PaymentFailure)]
pub struct Failure {
    /// A word for programs, such as `card_declined`.
    pub code: String,
    /// A sentence for the shopper.
    pub message: String,
}

/// A payment, as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    pub(crate) order_id: OrderId,
    pub(crate) user_id: UserId,
    pub(crate) status: Status,
    /// What the order costs.
    pub(crate) amount: Money,
    /// The token of the card, such as `pm_card_ok`.
    pub(crate) method: String,
    /// The provider's id, once the money was reserved.
    pub(crate) provider_id: Option<String>,
    pub(crate) authorized: Money,
    pub(crate) captured: Money,
    pub(crate) refunded: Money,
    /// Promised to refunds that the provider has not confirmed yet.
    pub(crate) refunding: Money,
    pub(crate) failure: Option<Failure>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A bug: a transition that no state machine of a payment has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a payment that is {} cannot become {}", from.as_str(), to.as_str())]
pub(crate) struct IllegalTransition {
    from: Status,
    to: Status,
}

type Transition = Result<Payment, IllegalTransition>;

impl Payment {
    /// Captured and neither refunded nor promised to a refund.
    pub(crate) fn refundable(&self) -> Money {
        self.money(self.captured.amount - self.refunded.amount - self.refunding.amount)
    }

    pub(crate) fn currency(&self) -> Currency {
        self.amount.currency
    }

    pub(crate) fn begin_authorization(self) -> Transition {
        self.to(Status::Authorizing)
    }

    pub(crate) fn authorize(self, provider_id: String) -> Transition {
        let mut this = self.to(Status::Authorized)?;
        this.provider_id = Some(provider_id);
        this.authorized = this.amount;
        Ok(this)
    }

    pub(crate) fn refuse_authorization(self, failure: Failure) -> Transition {
        let mut this = self.to(Status::Failed)?;
        this.failure = Some(failure);
        Ok(this)
    }

    pub(crate) fn begin_capture(self) -> Transition {
        self.to(Status::Capturing)
    }

    pub(crate) fn capture(self) -> Transition {
        let mut this = self.to(Status::Captured)?;
        this.captured = this.authorized;
        Ok(this)
    }

    pub(crate) fn refuse_capture(self, failure: Failure) -> Transition {
        if self.status != Status::Capturing {
            return Err(self.illegal(Status::Authorized));
        }
        let mut this = self.to(Status::Authorized)?;
        this.failure = Some(failure);
        Ok(this)
    }

    pub(crate) fn begin_void(self) -> Transition {
        self.to(Status::Voiding)
    }

    pub(crate) fn void(self) -> Transition {
        self.to(Status::Voided)
    }

    /// Voids a payment that the provider was never asked about.
    pub(crate) fn close(self) -> Transition {
        if self.status != Status::Created {
            return Err(self.illegal(Status::Voided));
        }
        self.to(Status::Voided)
    }

    pub(crate) fn expire(self) -> Transition {
        self.to(Status::Expired)
    }

    /// Promises `amount` to a refund; the caller has compared it with [`Self::refundable`].
    pub(crate) fn reserve_refund(mut self, amount: Money) -> Self {
        self.refunding.amount += amount.amount;
        self
    }

    /// The promised `amount` went back.
    pub(crate) fn refund(self, amount: Money) -> Transition {
        let refunded = self.refunded.amount + amount.amount;
        let all = refunded == self.captured.amount;
        let mut this = self.to(if all {
            Status::Refunded
        } else {
            Status::PartiallyRefunded
        })?;
        this.refunded.amount = refunded;
        Ok(this.release_refund(amount))
    }

    /// The promised `amount` did not go back.
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

    fn to(mut self, next: Status) -> Transition {
        if !self.status.may_become(next) {
            return Err(self.illegal(next));
        }
        self.status = next;
        Ok(self)
    }
}

#[cfg(test)]
pub(crate) mod tests;
