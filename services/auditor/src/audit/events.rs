//! Domain events: what a service's log says has been told is on Kafka, and each key's events are there in their order. The
//! log is the witness of what there must be; where Kafka deletes by age or size, and where it keeps only the last event of
//! a key, what it may have given up is not asked for (docs/adr/0009, docs/events.md).

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
    line::{Line, Violation},
};
use crate::{Databases, Error};

/// Events of a log that an audit asks for which nobody waits for: those that may be new since the last one.
const NEWEST: i64 = 2_000;
/// The same of inventory, whose log is not a table.
const RECENT: TimeDelta = TimeDelta::minutes(10);
/// Events that happen beside each other are not told in the order of their times.
const MARGIN: TimeDelta = TimeDelta::minutes(1);
/// For as long `users.v1` keeps every event.
const UNCOMPACTED: TimeDelta = TimeDelta::days(7);

/// What was met in a topic.
#[derive(Default)]
struct Told {
    met: HashSet<Uuid>,
    /// By key: the lowest and the highest number.
    spans: HashMap<String, (i64, i64)>,
    disorder: Vec<String>,
}

impl Extend<Envelope> for Told {
    fn extend<T: IntoIterator<Item = Envelope>>(&mut self, events: T) {
        for event in events {
            if !self.met.insert(event.id) {
                continue;
            }
            let Envelope { sequence, source, .. } = event;
            let (_, last) = self
                .spans
                .entry(event.aggregate_id.clone())
                .and_modify(|(first, _)| *first = sequence.min(*first))
                .or_insert((sequence, i64::MIN));
            if sequence <= *last {
                let key = event.aggregate_id;
                self.disorder.push(format!(
                    "{source}: event {sequence} of {key} is on Kafka behind {last}"
                ));
            }
            *last = sequence.max(*last);
        }
    }
}

/// A log that is a table.
struct Log<'a> {
    service: &'static str,
    topic: &'static str,
    pool: &'a PgPool,
    /// The number up to which nothing was ever told.
    before: &'static str,
}

pub(super) async fn check(databases: &Databases, scope: Scope) -> Result<Line, Error> {
    let mut line = Line::new(
        9,
        "events_told",
        "every event that was told is on Kafka, each key's in order",
    );
    // The shop goes on without it, and so does whoever watches over the shop.
    line.skipped = match databases.kafka_answers().await {
        None => Some("no Kafka is configured"),
        Some(false) => Some("Kafka does not answer"),
        Some(true) => None,
    };
    if line.skipped.is_some() {
        return Ok(line);
    }
    match look(databases, scope, &mut line).await {
        Err(Error::Kafka(error)) => {
            tracing::warn!(error = format!("{error:#}"), "Kafka could not be read");
            line.skipped = Some("Kafka could not be read");
            Ok(line)
        }
        looked => looked.map(|()| line),
    }
}

async fn look(databases: &Databases, scope: Scope, line: &mut Line) -> Result<(), Error> {
    for (service, topic, pool, before) in [
        ("users", topics::USERS, &databases.users, "0::bigint"),
        ("orders", topics::ORDERS, &databases.orders, "told_after"),
        ("payments", topics::PAYMENTS, &databases.payments, "0::bigint"),
    ] {
        let log = Log {
            service,
            topic,
            pool,
            before,
        };
        log.check(databases, scope, line).await?;
    }
    stock(databases, scope, line).await
}

impl Log<'_> {
    async fn check(&self, databases: &Databases, scope: Scope, line: &mut Line) -> Result<(), Error> {
        // What the cursor has passed was on Kafka before, so it is asked first.
        let cursor = format!("SELECT id, {} FROM event_cursor", self.before);
        let (cursor, before): (i64, i64) = sqlx::query_as(AssertSqlSafe(cursor)).fetch_one(self.pool).await?;
        let (first, since) = match scope {
            Scope::All => {
                self.nothing_waits(cursor, line).await?;
                (before + 1, None)
            }
            Scope::Newest => {
                let newest: (Option<i64>, Option<DateTime<Utc>>) = sqlx::query_as(
                    "SELECT min(id), min(occurred_at) FROM (SELECT id, occurred_at FROM domain_events
                         WHERE id > $1 AND id <= $2 ORDER BY id DESC LIMIT $3) AS newest",
                )
                .bind(before)
                .bind(cursor)
                .bind(NEWEST)
                .fetch_one(self.pool)
                .await?;
                let (Some(first), since @ Some(_)) = newest else {
                    return Ok(());
                };
                (first, since)
            }
        };
        let excerpt: Excerpt<Told> = databases.read_topic(self.topic, since).await?;
        let told = &excerpt.events;
        disorder(told, line);
        let kept = excerpt.whole_since.map(|since| since + MARGIN);
        let compacted = (self.topic == topics::USERS).then(|| Utc::now() - UNCOMPACTED + MARGIN);
        let mut rows = sqlx::query_as::<_, (i64, String, String, DateTime<Utc>)>(
            "SELECT id, aggregate_id, type, occurred_at FROM domain_events WHERE id >= $1 AND id <= $2",
        )
        .bind(first)
        .bind(cursor)
        .fetch(self.pool);
        while let Some((id, key, kind, at)) = rows.try_next().await? {
            let is_there = told.met.contains(&Envelope::id(self.service, id));
            let is_old = |bound: Option<DateTime<Utc>>| bound.is_some_and(|bound| at < bound);
            let is_newest = told.spans.get(&key).is_none_or(|(_, last)| *last <= id);
            if !is_there && (is_old(kept) || (is_old(compacted) && !is_newest)) {
                continue;
            }
            let service = self.service;
            line.look(
                (!is_there).then(|| format!("{service}: event {id}, {kind} of {key}, is not on Kafka")),
            );
        }
        Ok(())
    }

    async fn nothing_waits(&self, cursor: i64, line: &mut Line) -> Result<(), Error> {
        let (waiting, since): (i64, Option<DateTime<Utc>>) =
            sqlx::query_as("SELECT count(*), min(occurred_at) FROM domain_events WHERE id > $1")
                .bind(cursor)
                .fetch_one(self.pool)
                .await?;
        line.look(since.map(|since| format!("{}: {waiting} events wait since {since}", self.service)));
        Ok(())
    }
}

/// What a stock document says of its log.
#[derive(Debug, Deserialize)]
struct Outbox {
    #[serde(rename = "_id")]
    sku: String,
    /// The number that was given last.
    #[serde(default)]
    event_seq: i64,
    /// The number that was told last.
    #[serde(default)]
    events_told: i64,
    /// The number that was given up last.
    #[serde(default)]
    events_dropped: i64,
}

/// Inventory numbers the events of each SKU without a gap, but for what it gave up and says so.
async fn stock(databases: &Databases, scope: Scope, line: &mut Line) -> Result<(), Error> {
    // First: what they say was told was on Kafka before.
    let outboxes: Vec<Outbox> = databases.outboxes().await?;
    if scope == Scope::All {
        for Outbox {
            sku,
            event_seq,
            events_told,
            ..
        } in &outboxes
        {
            let waiting = event_seq - events_told;
            line.look((waiting > 0).then(|| format!("inventory: {waiting} events of {sku} wait")));
        }
    }
    let since = (scope == Scope::Newest).then(|| Utc::now() - RECENT);
    let excerpt: Excerpt<Told> = databases.read_topic(topics::INVENTORY, since).await?;
    let told = &excerpt.events;
    disorder(told, line);
    // Where the topic is not read from its first event on, each SKU is judged from its first that is there.
    let whole = since.is_none() && excerpt.whole_since.is_none();
    for Outbox {
        sku,
        events_told,
        events_dropped,
        ..
    } in outboxes
    {
        let first = match told.spans.get(&sku) {
            _ if whole => 1,
            Some((first, _)) => *first,
            None => continue,
        };
        for sequence in first.max(events_dropped + 1)..=events_told {
            let is_there = told
                .met
                .contains(&Envelope::id(&format!("inventory/{sku}"), sequence));
            line.look((!is_there).then(|| format!("inventory: event {sequence} of {sku} is not on Kafka")));
        }
    }
    Ok(())
}

fn disorder(told: &Told, line: &mut Line) {
    line.violations.extend(told.disorder.iter().map(|text| Violation {
        order: None,
        text: text.clone(),
    }));
}
