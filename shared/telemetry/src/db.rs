//! Records database calls as durations and, in sampled traces, as client spans. Drivers report a call after it has ended, so
//! the span is created then, with the start time of the call. `PostgreSQL` calls are taken from the log events of sqlx; code
//! for other drivers calls [`record`].

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _},
};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::{Event, Subscriber, field::Visit};
use tracing_subscriber::{Layer, layer, registry::LookupSpan};

use crate::metrics::Histogram;

/// Targets of the sqlx events that [`Statements`] processes.
pub(crate) const SQLX_QUERY: &str = "sqlx::query";
pub(crate) const SQLX_ACQUIRE: &str = "sqlx::pool::acquire";

static OPERATIONS: Histogram = Histogram::short_seconds(
    "db_client_operation_duration_seconds",
    "Duration of database calls, until the end of the response",
);
static WAITS: Histogram = Histogram::short_seconds(
    "db_client_connection_wait_time_seconds",
    "Time spent waiting for a connection of the pool",
);

/// Creates the spans. Not set until telemetry is started.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

pub(crate) fn trace_with(tracer: SdkTracer) {
    let _ = TRACER.set(tracer);
}

/// A database call that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Name of the database system, such as `postgresql` or `mongodb`.
    pub system: &'static str,
    /// Name of the operation, such as `SELECT` or `find`.
    pub operation: &'a str,
    /// The first table or collection of the call, if it is known.
    pub collection: Option<&'a str>,
    /// Text of the query without parameter values, if it is known.
    pub text: Option<&'a str>,
    /// Duration of the call.
    pub elapsed: Duration,
    /// Type of the error, if the call failed.
    pub error: Option<&'a str>,
}

/// Whether a span would be recorded for a call now. If not, callers need not collect its attributes.
#[must_use]
pub fn is_recorded() -> bool {
    TRACER.get().is_some() && Context::map_current(|context| context.span().span_context().is_sampled())
}

/// Records the duration of a call that has just ended and, in a sampled trace, a child span of the current span.
pub fn record(call: &Call<'_>) {
    let labels = [
        ("db_system_name", call.system),
        ("db_operation_name", call.operation),
        ("db_collection_name", call.collection.unwrap_or("")),
        ("outcome", if call.error.is_some() { "error" } else { "ok" }),
    ];
    OPERATIONS.of(labels).observe(call.elapsed.as_secs_f64());
    let Some(tracer) = TRACER.get().filter(|_| is_recorded()) else {
        return;
    };
    let summary = match call.collection {
        Some(collection) => format!("{} {collection}", call.operation),
        None => call.operation.to_owned(),
    };
    let mut attributes = vec![
        KeyValue::new("db.system.name", call.system),
        KeyValue::new("db.operation.name", call.operation.to_owned()),
        KeyValue::new("db.query.summary", summary.clone()),
    ];
    let optional = [
        ("db.collection.name", call.collection),
        ("db.query.text", call.text),
        ("error.type", call.error),
    ];
    for (name, value) in optional {
        attributes.extend(value.map(|value| KeyValue::new(name, value.to_owned())));
    }
    let now = SystemTime::now();
    let builder = SpanBuilder::from_name(summary)
        .with_kind(SpanKind::Client)
        .with_start_time(now.checked_sub(call.elapsed).unwrap_or(now))
        .with_attributes(attributes);
    let mut span = tracer.build_with_context(builder, &Context::current());
    if let Some(error) = call.error {
        span.set_status(Status::error(error.to_owned()));
    }
    span.end_with_timestamp(now);
}

/// A layer that records the statements which sqlx logs. sqlx does not log whether they succeeded; the surrounding span
/// shows that.
#[derive(Debug)]
pub(crate) struct Statements;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        let mut fields = SqlxFields::default();
        event.record(&mut fields);
        if event.metadata().target() == SQLX_ACQUIRE {
            WAITS.of([]).observe(fields.seconds);
            return;
        }
        // For a statement of up to four words, sqlx logs only the summary.
        let sql = if fields.statement.is_empty() {
            fields.summary.as_str()
        } else {
            fields.statement.trim()
        };
        let (operation, collection) = summarize(sql);
        record(&Call {
            system: "postgresql",
            operation,
            collection,
            text: Some(sql),
            elapsed: Duration::try_from_secs_f64(fields.seconds).unwrap_or_default(),
            error: None,
        });
    }
}

#[derive(Default)]
struct SqlxFields {
    summary: String,
    statement: String,
    seconds: f64,
}

impl Visit for SqlxFields {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &tracing::field::Field, value: f64) {
        if ["elapsed_secs", "acquired_after_secs"].contains(&field.name()) {
            self.seconds = value;
        }
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
}

/// Returns the operation and the table of a statement. If the statement has several parts, these are the ones of the first
/// part that changes data. Expects keywords in upper case and tables in lower case, as in all of Souk's SQL.
fn summarize(sql: &str) -> (&'static str, Option<&str>) {
    let mut words = sql
        .split(|c: char| c.is_whitespace() || "(),;".contains(c))
        .filter(|word| !word.is_empty());
    let change = |word: &str| {
        ["INSERT", "UPDATE", "DELETE"]
            .into_iter()
            .find(|known| *known == word)
    };
    let first = words.next().unwrap_or_default();
    let mut rest = words.clone();
    let operation = if first == "WITH" {
        let mut before = "";
        let found = rest.find_map(|word| {
            // FOR UPDATE and FOR NO KEY UPDATE lock rows, but do not change data.
            let found = change(word).filter(|_| !["FOR", "KEY"].contains(&before));
            before = word;
            found
        });
        found.unwrap_or("SELECT")
    } else {
        let others = [
            "SELECT", "BEGIN", "COMMIT", "ROLLBACK", "RELEASE", "SET", "LISTEN", "NOTIFY", "UNLISTEN",
        ];
        change(first)
            .or_else(|| others.into_iter().find(|known| *known == first))
            .unwrap_or("_OTHER")
    };
    let collection = match operation {
        "UPDATE" => rest.next(),
        "INSERT" | "DELETE" => rest.nth(1),
        "SELECT" => words.skip_while(|word| *word != "FROM").nth(1),
        _ => None,
    };
    let is_name = |name: &&str| name.starts_with(|c: char| c.is_ascii_lowercase()) && *name != "unnest";
    (operation, collection.filter(is_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_summarized_by_operation_and_table() {
        let expected = [
            (
                "SELECT id, total FROM orders WHERE id = $1 FOR UPDATE",
                ("SELECT", Some("orders")),
            ),
            ("SELECT 1", ("SELECT", None)),
            ("SELECT x FROM unnest($1::text[]) AS t (x)", ("SELECT", None)),
            (
                "INSERT INTO inbox (message_id) VALUES ($1)",
                ("INSERT", Some("inbox")),
            ),
            (
                "DELETE FROM outbox WHERE id = ANY($1)",
                ("DELETE", Some("outbox")),
            ),
            ("UPDATE carts\nSET items = $1", ("UPDATE", Some("carts"))),
            (
                "WITH due AS (SELECT id FROM sagas FOR UPDATE SKIP LOCKED) UPDATE sagas SET epoch = 1 FROM due",
                ("UPDATE", Some("sagas")),
            ),
            (
                "WITH one AS (SELECT 1) SELECT n FROM sagas",
                ("SELECT", Some("sagas")),
            ),
            ("COMMIT", ("COMMIT", None)),
            ("VACUUM", ("_OTHER", None)),
            ("", ("_OTHER", None)),
        ];
        for (sql, summary) in expected {
            assert_eq!(summarize(sql), summary, "{sql}");
        }
    }
}
