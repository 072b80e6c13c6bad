//! Messages that no attempt could handle: kept for an operator, with their saga parked.

pub mod bury;
pub mod delete_dead_letter;
pub mod list_dead_letters;
pub mod redrive_dead_letter;

use contracts::{
    SagaId,
    saga::{Message as _, Reply, queues},
};
use sqlx::PgConnection;

/// The reason that stands for one that was not given.
const NO_REASON: &str = "no reason given";

/// Settles the dead commands and replies of a saga that has moved on: what they were to do is done, or is asked for
/// again. Any other letter, such as an unread notice of a refund, still tells something new, and an operator looks at it.
pub(crate) async fn supersede(conn: &mut PgConnection, saga: SagaId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE dead_letters SET settled_at = now(), settled_as = 'superseded',
             settled_reason = 'its saga moved on without it'
         WHERE correlation_id = $1 AND settled_at IS NULL AND (queue IN ($2, $3) OR kind = $4)",
        saga.0,
        queues::INVENTORY,
        queues::PAYMENTS,
        Reply::KIND,
    )
    .execute(conn)
    .await
    .map(drop)
}
