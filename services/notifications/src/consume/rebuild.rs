//! Rebuilds notifications and sales figures from Kafka. A new epoch has a new consumer group, which reads the topics from the
//! beginning. Read marks and mails are kept. Events older than the retention of 30 days are lost, and so are their figures.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use events::{Brokers, Namespace};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{EventHandler, store};

/// Interval at which the progress is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Starts a new epoch and consumes every event up to the current end of the topics. Running service processes join the new
/// group and help. If `shutdown` stops the rebuild, the next service process completes it. Fails without deleting anything
/// if Kafka is unavailable or has no events.
pub async fn rebuild(
    pool: PgPool,
    brokers: Brokers,
    namespace: Namespace,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let topics = &contracts::events::topics::ALL;
    // Read the end offsets first, so that nothing is deleted while Kafka is unavailable.
    let ends = events::end_offsets(&brokers, &namespace, topics)
        .await
        .context("the events cannot be read from Kafka")?;
    anyhow::ensure!(
        !ends.is_empty(),
        "Kafka is empty: there are no events to rebuild from"
    );
    let mut transaction = pool.begin().await?;
    sqlx::query("SET LOCAL statement_timeout = 0")
        .execute(&mut *transaction)
        .await?;
    store::next_epoch(&mut transaction).await?;
    store::delete_derived_data(&mut transaction).await?;
    transaction.commit().await?;

    let epoch_ended = shutdown.child_token();
    let handler = EventHandler::for_current_epoch(pool, epoch_ended.clone()).await?;
    info!(epoch = handler.epoch, "rebuilding from the events on Kafka");
    let (group, consumer) = (handler.group(), handler.consumer(&brokers, namespace.clone()));
    let reading = tokio::spawn(consumer.run(Arc::new(handler), epoch_ended.clone()));
    let result = loop {
        match ends.reached_by(&brokers, &namespace, &group).await {
            Ok(true) => break Ok(()),
            Ok(false) => {}
            Err(error) => break Err(error),
        }
        if epoch_ended
            .run_until_cancelled(tokio::time::sleep(POLL_INTERVAL))
            .await
            .is_none()
        {
            break Err(anyhow::anyhow!(
                "the rebuild was stopped before its end; the next service process completes it"
            ));
        }
    };
    epoch_ended.cancel();
    reading.await?;
    result
}
