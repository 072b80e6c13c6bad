//! The magic payment methods. Each makes the provider behave in one particular way, so that every outcome of a payment
//! can be produced on purpose.

use std::time::Duration;

use crate::error::Error;

/// The behaviour of a test card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Authorization and capture succeed at once.
    Ok,
    /// Authorization is declined.
    Declined,
    /// Authorization is declined for lack of funds.
    InsufficientFunds,
    /// Authorization succeeds after [`Method::SLOW_DELAY`].
    Slow,
    /// The first capture succeeds, but its response arrives only after the client has timed out.
    TimeoutAfterCharge,
    /// Authorization succeeds, capture is declined.
    CaptureDeclined,
    /// The first [`Method::FLAKY_FAILURES`] authorizations with a key fail with 500.
    Flaky,
}

impl Method {
    /// How long [`Self::Slow`] takes to authorize.
    pub(crate) const SLOW_DELAY: Duration = Duration::from_secs(3);
    /// How long the first capture response of [`Self::TimeoutAfterCharge`] is delayed; longer than any client's timeout.
    pub(crate) const CAPTURE_RESPONSE_DELAY: Duration = Duration::from_secs(15);
    /// How many authorizations with the same key fail for [`Self::Flaky`].
    pub(crate) const FLAKY_FAILURES: i32 = 2;

    /// Parses the token of a card, such as `pm_card_ok`.
    pub(crate) fn parse(token: &str) -> Result<Self, Error> {
        Ok(match token {
            "pm_card_ok" => Self::Ok,
            "pm_card_declined" => Self::Declined,
            "pm_card_insufficient_funds" => Self::InsufficientFunds,
            "pm_card_slow" => Self::Slow,
            "pm_card_timeout_after_charge" => Self::TimeoutAfterCharge,
            "pm_card_capture_declined" => Self::CaptureDeclined,
            "pm_card_flaky" => Self::Flaky,
            _ => return Err(Error::NotFound("payment_method")),
        })
    }

    /// Decides whether the bank reserves the money.
    pub(crate) fn authorize(self) -> Result<(), Error> {
        match self {
            Self::Declined => Err(Error::Card(
                "card_declined",
                "generic_decline",
                "Your card was declined.",
            )),
            Self::InsufficientFunds => Err(Error::Card(
                "card_declined",
                "insufficient_funds",
                "Your card has insufficient funds.",
            )),
            _ => Ok(()),
        }
    }

    /// Decides whether the bank pays out the reserved money.
    pub(crate) fn capture(self) -> Result<(), Error> {
        match self {
            Self::CaptureDeclined => Err(Error::Card(
                "capture_declined",
                "generic_decline",
                "The bank refused to capture the payment.",
            )),
            _ => Ok(()),
        }
    }
}
