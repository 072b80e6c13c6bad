//! Messages that no attempt could handle: kept for an operator, with their saga parked.

pub mod bury;
pub mod delete_dead_letter;
pub mod list_dead_letters;
pub mod redrive_dead_letter;

use contracts::SagaId;
use sqlx::PgConnection;

/// The reason that stands for one that was not given.
const NO_REASON: &str = "no reason given";

/// Settles the dead letters of a saga that has moved on: whatever they were to do is done, or is asked for again.
pub(crate) async fn supersede(conn: &mut PgConnection, saga: SagaId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE dead_letters SET settled_at = now(), settled_as = 'superseded',
             settled_reason = 'its saga moved on without it'
         WHERE correlation_id = $1 AND settled_at IS NULL",
        saga.0
    )
    .execute(conn)
    .await
    .map(drop)
}
