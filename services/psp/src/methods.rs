//! The magic payment methods: each makes the provider behave in one way, so that every path can be walked on purpose.

use std::time::Duration;

use crate::error::Error;

/// How a card behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Ok,
    Declined,
    InsufficientFunds,
    /// Authorizes after a while.
    Slow,
    /// The first capture is recorded, but its answer does not come.
    TimeoutAfterCharge,
    CaptureDeclined,
    /// The first two authorizations under a key fail.
    Flaky,
}

impl Method {
    /// How long [`Self::Slow`] takes to authorize.
    pub(crate) const SLOWNESS: Duration = Duration::from_secs(3);
    /// How long the first answer of [`Self::TimeoutAfterCharge`] is held back; longer than any caller waits.
    pub(crate) const SILENCE: Duration = Duration::from_secs(15);
    /// How often [`Self::Flaky`] fails.
    pub(crate) const FAILURES: i32 = 2;

    pub(crate) fn parse(token: &str) -> Result<Self, Error> {
        Ok(match token {
            "pm_card_ok" => Self::Ok,
            "pm_card_declined" => Self::Declined,
            "pm_card_insufficient_funds" => Self::InsufficientFunds,
            "pm_card_slow" => Self::Slow,
            "pm_card_timeout_after_charge" => Self::TimeoutAfterCharge,
            "pm_card_capture_declined" => Self::CaptureDeclined,
            "pm_card_flaky" => Self::Flaky,
            _ => return Err(Error::Missing("payment_method")),
        })
    }

    /// Whether the card's bank reserves the money.
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

    /// Whether the card's bank hands the money over.
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
