//! Accounts: one live token a refresh family, and a name and a reason behind every operator's action.

use bson::doc;

use super::Line;
use crate::{Databases, Error};

pub(super) async fn check(databases: &Databases) -> Result<Vec<Line>, Error> {
    let actions = Line::new(
        12,
        "actions_signed",
        "every operator's action has an actor and a reason",
    )
    .look_at(
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
                let signed = ["actor", "reason"]
                    .iter()
                    .all(|field| adjustment.get_str(field).is_ok_and(|text| !text.is_empty()));
                actions.look((!signed).then(|| format!("{adjustment}")));
                Ok(())
            },
        )
        .await?;
    Ok(vec![families(databases).await?, actions])
}

async fn families(databases: &Databases) -> Result<Line, Error> {
    let rows = sqlx::query_as(
        "SELECT CASE WHEN count(*) FILTER (WHERE used_at IS NULL) > 1
                THEN format('family %s has %s live tokens', session_id, count(*) FILTER (WHERE used_at IS NULL)) END
         FROM refresh_tokens GROUP BY session_id",
    )
    .fetch_all(&databases.users)
    .await?;
    Ok(Line::new(12, "one_live_token", "one live token a refresh family").look_at(rows))
}
