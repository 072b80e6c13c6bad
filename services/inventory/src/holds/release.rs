//! `ReleaseStock`: undo a reservation, whether or not it has happened yet, and let none happen afterwards.

use bson::doc;
use contracts::{
    OrderId,
    saga::{Outcome, ReleaseStock},
};

use super::{give_back, holds_of, record_of, refused};
use crate::{
    Error,
    database::Database,
    error::is_duplicate,
    stock::{Movement, MovementKind},
};

/// Gives everything back that the order holds and closes it. Never refused.
pub async fn release(db: &Database, command: &ReleaseStock) -> Result<Outcome, Error> {
    close(db, command.order_id, refused("closed", "the order was released")).await?;
    Ok(Outcome::Done)
}

/// Closes the order with `refusal`, then gives back what it holds. Answers the refusal that it was closed with first, so
/// that a command that comes again is told the same.
pub(super) async fn close(db: &Database, order: OrderId, refusal: Outcome) -> Result<Outcome, Error> {
    let Outcome::Refused { reason, detail } = &refusal else {
        return Err(Error::Malformed("an order is closed with a refusal"));
    };
    let mut tombstone = Movement::new(format!("{order}/close"), MovementKind::Close, 0, db.now().await?);
    tombstone.order_id = Some(order.to_string());
    tombstone.reason = Some(reason.clone());
    tombstone.detail = Some(detail.clone());
    let first = match db.movements.insert_one(&tombstone).await {
        Ok(_) => refusal,
        Err(error) if is_duplicate(&error) => record_of(db, order).await?.closed.unwrap_or(refusal),
        Err(error) => return Err(error.into()),
    };
    for held in holds_of(db, order).await? {
        give_back(db, &held, doc! {}).await?;
    }
    Ok(first)
}
