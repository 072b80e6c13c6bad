//! Deletes old rows. Notifications are kept for 30 days like the events on Kafka, so that a rebuild can restore them. Rows
//! about processed events and mails are kept for 40 days, so that every redelivered event is recognized.

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// Deletes old rows every hour until `shutdown` is cancelled.
pub(crate) async fn run(pool: PgPool, shutdown: CancellationToken) {
    souk_http::hourly(shutdown, || run_once(&pool)).await;
}

async fn run_once(pool: &PgPool) -> sqlx::Result<()> {
    // A mail that could not be sent for three days fails: its account has no address, or no mail server is configured.
    sqlx::query!(
        "UPDATE mails SET status = 'failed', settled_at = now(), content = NULL
         WHERE status = 'unsent' AND created_at < now() - interval '3 days'"
    )
    .execute(pool)
    .await?;
    sqlx::query!("DELETE FROM mails WHERE created_at < now() - interval '40 days'")
        .execute(pool)
        .await?;
    sqlx::query!("DELETE FROM processed_events WHERE processed_at < now() - interval '40 days'")
        .execute(pool)
        .await?;
    sqlx::query!("DELETE FROM poison_events WHERE received_at < now() - interval '40 days'")
        .execute(pool)
        .await?;
    sqlx::query!("DELETE FROM notifications WHERE created_at < now() - interval '30 days'")
        .execute(pool)
        .await?;
    sqlx::query!("DELETE FROM read_marks WHERE read_at < now() - interval '40 days'")
        .execute(pool)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn old_rows_are_deleted_and_newer_ones_are_kept() {
        let database = testkit::postgres::database(&crate::MIGRATOR).await;
        sqlx::raw_sql(
            "INSERT INTO mails (id, user_id, kind, content, status, settled_at, created_at)
                 SELECT gen_random_uuid(), gen_random_uuid(), kind, content::jsonb, status, settled_at, now() - age
                 FROM (VALUES ('old', NULL, 'sent', now(), interval '41 days'), ('kept', NULL, 'sent', now(), interval '39 days'),
                     ('late', '{}', 'unsent', NULL, interval '4 days'), ('waits', '{}', 'unsent', NULL, interval '2 days'))
                     AS given (kind, content, status, settled_at, age);
             INSERT INTO processed_events VALUES (gen_random_uuid(), now() - interval '41 days'), (gen_random_uuid(), now());
             INSERT INTO poison_events VALUES ('x', 0, 0, '', '', now() - interval '41 days'), ('x', 0, 1, '', '', now());
             INSERT INTO notifications VALUES (gen_random_uuid(), gen_random_uuid(), '{}', now() - interval '31 days'),
                 (gen_random_uuid(), gen_random_uuid(), '{}', now());
             INSERT INTO read_marks VALUES (gen_random_uuid(), gen_random_uuid(), now() - interval '41 days'),
                 (gen_random_uuid(), gen_random_uuid(), now());",
        )
        .execute(&database.pool)
        .await
        .unwrap();
        run_once(&database.pool).await.unwrap();
        let mails: Vec<(String, String)> =
            sqlx::query_as("SELECT kind, status FROM mails ORDER BY created_at")
                .fetch_all(&database.pool)
                .await
                .unwrap();
        let mails: Vec<_> = mails
            .iter()
            .map(|(kind, status)| (kind.as_str(), status.as_str()))
            .collect();
        assert_eq!(mails, [("kept", "sent"), ("late", "failed"), ("waits", "unsent")]);
        let counts: Vec<i64> = sqlx::query_scalar(
            "SELECT count(*) FROM processed_events UNION ALL SELECT count(*) FROM poison_events
             UNION ALL SELECT count(*) FROM notifications UNION ALL SELECT count(*) FROM read_marks",
        )
        .fetch_all(&database.pool)
        .await
        .unwrap();
        assert_eq!(counts, [1, 1, 1, 1]);
    }
}
