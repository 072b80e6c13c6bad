//! Making everything again from the log: a new epoch has a new group, which reads from the beginning. Marks and mails stay.
//! What the log does not have any more, after its thirty days, is gone from the figures, too.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use events::{Brokers, Namespace};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{Intake, store};

/// Between two looks at how far it is.
const POLL: Duration = Duration::from_millis(500);

/// Begins a new epoch and reads the log up to where it ends now. Processes that serve meanwhile read with it. Stopped by
/// `shutdown` half-way, it is finished by whatever process runs next.
pub async fn rebuild(
    pool: PgPool,
    brokers: Brokers,
    namespace: Namespace,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let topics = &contracts::events::topics::ALL;
    // First, so that nothing is deleted while there is no log.
    let ends = events::ends(&brokers, &namespace, topics)
        .await
        .context("the log cannot be read")?;
    anyhow::ensure!(
        !ends.is_empty(),
        "the log is empty: there is nothing to make anything from"
    );
    let mut transaction = pool.begin().await?;
    sqlx::query("SET LOCAL statement_timeout = 0")
        .execute(&mut *transaction)
        .await?;
    store::next_epoch(&mut transaction).await?;
    store::empty(&mut transaction).await?;
    transaction.commit().await?;

    let over = shutdown.child_token();
    let intake = Intake::begin(pool, over.clone()).await?;
    info!(epoch = intake.epoch, "everything is made again");
    let (group, consumer) = (intake.group(), intake.consumer(&brokers, namespace.clone()));
    let reading = tokio::spawn(consumer.run(Arc::new(intake), over.clone()));
    let result = loop {
        match ends.reached_by(&brokers, &namespace, &group).await {
            Ok(true) => break Ok(()),
            Ok(false) => {}
            Err(error) => break Err(error),
        }
        if over.run_until_cancelled(tokio::time::sleep(POLL)).await.is_none() {
            break Err(anyhow::anyhow!(
                "stopped before the end; the next process goes on"
            ));
        }
    };
    over.cancel();
    reading.await?;
    result
}
