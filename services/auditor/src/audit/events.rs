//! Invariant of domain events: every event that a service's log records as published is on Kafka, and the events of each
//! key are there in order. Events that Kafka may have deleted by age, size or compaction are not expected (docs/adr/0009,
//! docs/events.md).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::{Envelope, topics};
use events::Excerpt;
use futures::TryStreamExt as _;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use super::{
    Scope,
    invariant_check::{InvariantCheck, Violation},
};
use crate::{Databases, Error};

/// Maximum number of the newest rows of a log that a periodic audit checks; older rows were checked by earlier audits.
const MAX_RECENT_ROWS: i64 = 2_000;
/// How far back a periodic audit reads inventory's topic. Inventory has no log table, so rows cannot be counted.
const RECENT_PERIOD: TimeDelta = TimeDelta::minutes(10);
/// Concurrent events may be published in a different order than their timestamps, by at most this much.
const ORDERING_MARGIN: TimeDelta = TimeDelta::minutes(1);
/// How long `users.v1` keeps every event of a key before compaction may remove all but the newest.
const USERS_COMPACTION_LAG: TimeDelta = TimeDelta::days(7);

/// The events found in a topic.
#[derive(Default)]
struct TopicContents {
    event_ids: HashSet<Uuid>,
    /// The lowest and the highest sequence number of each key.
    sequence_ranges: HashMap<String, (i64, i64)>,
    /// A violation text for each event that follows a later event of the same key.
    out_of_order: Vec<String>,
}

impl Extend<Envelope> for TopicContents {
    fn extend<T: IntoIterator<Item = Envelope>>(&mut self, events: T) {
        for event in events {
            if !self.event_ids.insert(event.id) {
                continue;
            }
            let Envelope { sequence, source, .. } = event;
            let (_, last) = self
                .sequence_ranges
                .entry(event.aggregate_id.clone())
                .and_modify(|(first, _)| *first = sequence.min(*first))
                .or_insert((sequence, i64::MIN));
            if sequence <= *last {
                let key = event.aggregate_id;
                self.out_of_order.push(format!(
                    "{source}: event {sequence} of {key} is on Kafka after event {last}"
                ));
            }
            *last = sequence.max(*last);
        }
    }
}

/// A service's event log that is a PostgreSQL table.
struct EventLog<'a> {
    service: &'static str,
    topic: &'static str,
    pool: &'a PgPool,
    /// SQL expression for the last event id from before the service published events; later ids must be on Kafka.
    published_after: &'static str,
}

pub(super) async fn check(databases: &Databases, scope: Scope) -> Result<InvariantCheck, Error> {
    let mut check = InvariantCheck::new(
        9,
        "events_published",
        "every published event is on Kafka, in order per key",
    );
    // The shop works without Kafka, so an unavailable Kafka must not fail the audit.
    check.skipped = match databases.kafka_answers().await {
        None => Some("no Kafka is configured"),
        Some(false) => Some("Kafka is unavailable"),
        Some(true) => None,
    };
    if check.skipped.is_some() {
        return Ok(check);
    }
    match check_all_logs(databases, scope, &mut check).await {
        Err(Error::Kafka(error)) => {
            tracing::warn!(
                error = format!("{error:#}"),
                "Kafka could not be read; skipping the check of domain events"
            );
            check.skipped = Some("Kafka could not be read");
            Ok(check)
        }
        result => result.map(|()| check),
    }
}

async fn check_all_logs(
    databases: &Databases,
    scope: Scope,
    check: &mut InvariantCheck,
) -> Result<(), Error> {
    for (service, topic, pool, published_after) in [
        ("users", topics::USERS, &databases.users, "0::bigint"),
        ("orders", topics::ORDERS, &databases.orders, "published_after"),
        ("payments", topics::PAYMENTS, &databases.payments, "0::bigint"),
    ] {
        let log = EventLog {
            service,
            topic,
            pool,
            published_after,
        };
        log.check(databases, scope, check).await?;
    }
    check_inventory(databases, scope, check).await
}

impl EventLog<'_> {
    async fn check(
        &self,
        databases: &Databases,
        scope: Scope,
        check: &mut InvariantCheck,
    ) -> Result<(), Error> {
        // Read the cursor before the topic: events up to the cursor were on Kafka before it moved.
        let cursor = format!("SELECT id, {} FROM event_cursor", self.published_after);
        let (cursor, published_after): (i64, i64) =
            sqlx::query_as(AssertSqlSafe(cursor)).fetch_one(self.pool).await?;
        let (first, since) = match scope {
            Scope::All => {
                self.check_backlog(cursor, check).await?;
                (published_after + 1, None)
            }
            Scope::Recent => {
                let newest: (Option<i64>, Option<DateTime<Utc>>) = sqlx::query_as(
                    "SELECT min(id), min(occurred_at) FROM (SELECT id, occurred_at FROM domain_events
                         WHERE id > $1 AND id <= $2 ORDER BY id DESC LIMIT $3) AS newest",
                )
                .bind(published_after)
                .bind(cursor)
                .bind(MAX_RECENT_ROWS)
                .fetch_one(self.pool)
                .await?;
                let (Some(first), since @ Some(_)) = newest else {
                    return Ok(());
                };
                (first, since)
            }
        };
        let excerpt: Excerpt<TopicContents> = databases.read_topic(self.topic, since).await?;
        let contents = &excerpt.events;
        record_out_of_order(contents, check);
        let kept_since = excerpt.complete_since.map(|since| since + ORDERING_MARGIN);
        let uncompacted_since =
            (self.topic == topics::USERS).then(|| Utc::now() - USERS_COMPACTION_LAG + ORDERING_MARGIN);
        let mut rows = sqlx::query_as::<_, (i64, String, String, DateTime<Utc>)>(
            "SELECT id, aggregate_id, type, occurred_at FROM domain_events WHERE id >= $1 AND id <= $2",
        )
        .bind(first)
        .bind(cursor)
        .fetch(self.pool);
        while let Some((id, key, kind, at)) = rows.try_next().await? {
            let is_published = contents.event_ids.contains(&Envelope::id(self.service, id));
            let is_before = |bound: Option<DateTime<Utc>>| bound.is_some_and(|bound| at < bound);
            let is_newest = contents
                .sequence_ranges
                .get(&key)
                .is_none_or(|(_, last)| *last <= id);
            let may_be_deleted = is_before(kept_since) || (is_before(uncompacted_since) && !is_newest);
            if !is_published && may_be_deleted {
                continue;
            }
            let service = self.service;
            check.record(
                (!is_published).then(|| format!("{service}: event {id}, {kind} of {key}, is not on Kafka")),
            );
        }
        Ok(())
    }

    /// Reports events that wait to be published; an idle system has none.
    async fn check_backlog(&self, cursor: i64, check: &mut InvariantCheck) -> Result<(), Error> {
        let (waiting, since): (i64, Option<DateTime<Utc>>) =
            sqlx::query_as("SELECT count(*), min(occurred_at) FROM domain_events WHERE id > $1")
                .bind(cursor)
                .fetch_one(self.pool)
                .await?;
        check.record(since.map(|since| {
            format!(
                "{}: {waiting} events have been waiting since {since}",
                self.service
            )
        }));
        Ok(())
    }
}

/// The event counters of a stock document.
#[derive(Debug, Deserialize)]
struct Outbox {
    #[serde(rename = "_id")]
    sku: String,
    /// The highest sequence number assigned so far.
    #[serde(default)]
    event_seq: i64,
    /// The highest sequence number that has been published.
    #[serde(default)]
    events_told: i64,
    /// The highest sequence number that was dropped because too many events were waiting.
    #[serde(default)]
    events_dropped: i64,
}

/// Checks inventory's events, whose sequence numbers have no gaps per SKU except for recorded drops.
async fn check_inventory(
    databases: &Databases,
    scope: Scope,
    check: &mut InvariantCheck,
) -> Result<(), Error> {
    // Read the counters before the topic: events up to `events_told` were on Kafka before the counter moved.
    let outboxes: Vec<Outbox> = databases.stock_outboxes().await?;
    if scope == Scope::All {
        for Outbox {
            sku,
            event_seq,
            events_told,
            ..
        } in &outboxes
        {
            let waiting = event_seq - events_told;
            check.record((waiting > 0).then(|| format!("inventory: {waiting} events of {sku} are waiting")));
        }
    }
    let since = (scope == Scope::Recent).then(|| Utc::now() - RECENT_PERIOD);
    let excerpt: Excerpt<TopicContents> = databases.read_topic(topics::INVENTORY, since).await?;
    let contents = &excerpt.events;
    record_out_of_order(contents, check);
    // If the topic is not read from its first event, each SKU is checked from the first event that was found.
    let is_complete = since.is_none() && excerpt.complete_since.is_none();
    for Outbox {
        sku,
        events_told,
        events_dropped,
        ..
    } in outboxes
    {
        let first = match contents.sequence_ranges.get(&sku) {
            _ if is_complete => 1,
            Some((first, _)) => *first,
            None => continue,
        };
        for sequence in first.max(events_dropped + 1)..=events_told {
            let is_published = contents
                .event_ids
                .contains(&Envelope::id(&format!("inventory/{sku}"), sequence));
            check.record(
                (!is_published).then(|| format!("inventory: event {sequence} of {sku} is not on Kafka")),
            );
        }
    }
    Ok(())
}

fn record_out_of_order(contents: &TopicContents, check: &mut InvariantCheck) {
    check
        .violations
        .extend(contents.out_of_order.iter().map(|text| Violation {
            order: None,
            text: text.clone(),
        }));
}
