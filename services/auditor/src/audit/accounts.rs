//! Invariants of accounts: each refresh token family has at most one live token, and every operator action is recorded
//! with an actor and a reason.

use bson::doc;

use super::InvariantCheck;
use crate::{Databases, Error};

pub(super) async fn check(databases: &Databases) -> Result<Vec<InvariantCheck>, Error> {
    let actions = InvariantCheck::new(
        12,
        "actions_signed",
        "every operator action has an actor and a reason",
    )
    .with_rows(
        sqlx::query_as(
            "SELECT CASE WHEN actor IS NULL OR coalesce(reason, '') = ''
                    THEN format('%s of saga %s by %s', outcome, saga_id, actor) END
             FROM saga_log WHERE outcome IN ('retried', 'compensated', 'resolved', 'redriven')",
        )
        .fetch_all(&databases.orders)
        .await?,
    );
    let adjustments = doc! {"kind": "adjust"};
    let actions = databases
        .fold(
            "movements",
            adjustments,
            doc! {},
            actions,
            |actions, adjustment| {
                let is_signed = ["actor", "reason"]
                    .iter()
                    .all(|field| adjustment.get_str(field).is_ok_and(|text| !text.is_empty()));
                actions.record((!is_signed).then(|| format!("{adjustment}")));
                Ok(())
            },
        )
        .await?;
    Ok(vec![one_live_token(databases).await?, actions])
}

async fn one_live_token(databases: &Databases) -> Result<InvariantCheck, Error> {
    let rows = sqlx::query_as(
        "SELECT CASE WHEN count(*) FILTER (WHERE used_at IS NULL) > 1
                THEN format('family %s has %s live tokens', session_id, count(*) FILTER (WHERE used_at IS NULL)) END
         FROM refresh_tokens GROUP BY session_id",
    )
    .fetch_all(&databases.users)
    .await?;
    Ok(InvariantCheck::new(
        12,
        "one_live_token",
        "at most one live token per refresh token family",
    )
    .with_rows(rows))
}
