//! The JSON log format: one flat object per line, with the trace ids in the fields that log stores expect.
//!
//! A span keeps its fields as JSON, which is copied into the lines: each value is written once, into one buffer. A line of the
//! gateway's log costs about a microsecond this way (docs/performance.md).

use std::{
    cell::RefCell,
    fmt,
    io::Write,
    ops::Range,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use chrono::DateTime;
use serde::{Serialize, Serializer};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// Size of the buffer after which its lines are written, in bytes.
const BUFFER: usize = 32 << 10;
/// Time after which lines in the buffer are written at the latest.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);

/// Writes each event as one line of JSON: time, level, service, target, the fields of its spans, its own fields, `trace_id`
/// and `span_id`. If a name occurs more than once, the innermost value counts.
pub(crate) struct Json<W> {
    pub(crate) service: &'static str,
    pub(crate) output: W,
}

/// Takes the lines of a log.
pub(crate) trait Output: Send + Sync + 'static {
    /// Takes a line with its line end. A line that `is_urgent` is written immediately.
    fn line(&self, line: &[u8], is_urgent: bool);
}

/// Standard output. Lines are collected and written together, at the latest after 100 ms; warnings and errors are written
/// immediately, with everything before them. A process that is killed loses the lines of its last 100 ms.
#[derive(Debug)]
pub(crate) struct Stdout;

static BUFFERED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

impl Stdout {
    /// Starts the thread that writes the collected lines.
    pub(crate) fn start() -> std::io::Result<Self> {
        std::thread::Builder::new().name("log".to_owned()).spawn(|| {
            loop {
                std::thread::park_timeout(FLUSH_INTERVAL);
                Self::flush();
            }
        })?;
        Ok(Self)
    }

    /// Writes the collected lines. If standard output cannot be written, they are lost.
    pub(crate) fn flush() {
        write_all(&mut BUFFERED.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn write_all(lines: &mut Vec<u8>) {
    if !lines.is_empty() {
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(lines).and_then(|()| stdout.flush());
        lines.clear();
    }
}

impl Output for Stdout {
    fn line(&self, line: &[u8], is_urgent: bool) {
        let mut buffered = BUFFERED.lock().unwrap_or_else(PoisonError::into_inner);
        buffered.extend_from_slice(line);
        if is_urgent || buffered.len() >= BUFFER {
            write_all(&mut buffered);
        }
    }
}

/// The buffers in which a thread builds a line. They are kept for its next line.
#[derive(Debug, Default)]
struct Scratch {
    line: Vec<u8>,
    /// The names that the line contains.
    names: Vec<&'static str>,
    /// The second of the newest timestamp, and its text.
    second: (u64, String),
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl<S, W> Layer<S> for Json<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Output,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields {
                values: Vec::with_capacity(attributes.metadata().fields().len()),
                json: Vec::with_capacity(256),
            };
            attributes.record(&mut Visitor(&mut fields));
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(&mut Visitor(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // An event that is logged while a line is written, by a destructor, gets a line of its own.
        let mut scratch = SCRATCH.with(RefCell::take);
        scratch.line.clear();
        scratch.names.clear();
        let metadata = event.metadata();
        scratch.line.push(b'{');
        scratch.put_time();
        scratch.put("level", |json| write_json(json, metadata.level().as_str()));
        scratch.put("service", |json| write_json(json, self.service));
        scratch.put("target", |json| write_json(json, metadata.target()));
        if let Some((trace, span)) = crate::context::current_ids() {
            scratch.put("trace_id", |json| write_json(json, &trace));
            scratch.put("span_id", |json| write_json(json, &span));
        }
        event.record(&mut Visitor(&mut scratch));
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<Fields>() {
                for (name, range) in &fields.values {
                    let value = fields.json.get(range.clone()).unwrap_or_default();
                    scratch.put(name, |json| json.extend_from_slice(value));
                }
            }
        }
        // The last field ends with a comma.
        scratch.line.pop();
        scratch.line.extend_from_slice(b"}\n");
        self.output.line(&scratch.line, *metadata.level() <= Level::WARN);
        SCRATCH.with(|kept| kept.replace(scratch));
    }
}

/// Takes fields, each with its value as JSON.
trait Sink {
    fn put(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>));
}

/// The fields of a span, each name once with the latest value.
#[derive(Debug)]
struct Fields {
    /// Names, and where their values are in `json`. A value that was replaced stays there until the span ends; fields are
    /// set once or twice.
    values: Vec<(&'static str, Range<usize>)>,
    json: Vec<u8>,
}

impl Sink for Fields {
    fn put(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.json.len();
        write(&mut self.json);
        let range = start..self.json.len();
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = range,
            None => self.values.push((name, range)),
        }
    }
}

impl Scratch {
    fn put_time(&mut self) {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        if self.second.0 != now.as_secs() {
            let time = DateTime::from_timestamp(now.as_secs().cast_signed(), 0).unwrap_or_default();
            self.second = (now.as_secs(), time.format("%Y-%m-%dT%H:%M:%S").to_string());
        }
        self.names.push("timestamp");
        let micros = now.subsec_micros();
        // Writing to a vector cannot fail.
        let _ = write!(self.line, "\"timestamp\":\"{}.{micros:06}Z\",", self.second.1);
    }
}

impl Sink for Scratch {
    /// Writes a field and a comma, unless the line contains the name already.
    fn put(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        if self.names.contains(&name) {
            return;
        }
        self.names.push(name);
        // Names are identifiers in the code, which need no escapes.
        self.line.push(b'"');
        self.line.extend_from_slice(name.as_bytes());
        self.line.extend_from_slice(b"\":");
        write(&mut self.line);
        self.line.push(b',');
    }
}

fn write_json(json: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let start = json.len();
    if serde_json::to_writer(&mut *json, value).is_err() {
        json.truncate(start);
        json.extend_from_slice(b"null");
    }
}

/// Passes the fields of a span or an event to a sink, except those for `OpenTelemetry` only.
struct Visitor<'a, S>(&'a mut S);

impl<S: Sink> Visitor<'_, S> {
    fn put(&mut self, field: &Field, value: &(impl Serialize + ?Sized)) {
        if !field.name().starts_with("otel.") {
            self.0.put(field.name(), |json| write_json(json, value));
        }
    }
}

impl<S: Sink> Visit for Visitor<'_, S> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        // Append the sources, because Display shows only the outermost error.
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        self.put(field, &text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, &Debugged(value));
    }
}

/// Serializes a value as the text of its debug format.
struct Debugged<'a>(&'a dyn fmt::Debug);

impl Serialize for Debugged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:?}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt;

    use serde_json::Value;
    use tracing::field::Empty;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Output for Lines {
        fn line(&self, line: &[u8], _: bool) {
            self.0.lock().unwrap().extend_from_slice(line);
        }
    }

    /// Returns a buffer of log lines, and the layer that writes to it.
    fn json<S>() -> (Lines, impl Layer<S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let lines = Lines::default();
        let json = Json {
            service: "test",
            output: lines.clone(),
        };
        (lines, json)
    }

    #[test]
    fn a_panic_is_logged_as_one_json_line() {
        let (lines, json) = json();
        let before = std::panic::take_hook();
        crate::panic::log();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(json), || {
            let _span = tracing::info_span!("work", saga_id = "s-1").entered();
            let _ = std::panic::catch_unwind(|| panic!("no stock\nof {}", 3));
        });
        std::panic::set_hook(before);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert_eq!(
            (&line["panic"], &line["saga_id"]),
            (&"no stock\nof 3".into(), &"s-1".into())
        );
        assert_eq!(line["level"], "ERROR");
        assert!(line["location"].as_str().unwrap().contains("log.rs:"), "{line}");
    }

    #[test]
    fn a_line_is_flat_json_with_trace_ids_and_error_sources() {
        let (lines, json) = json();
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let spans = tracing_opentelemetry::layer().with_tracer(tracer);
        let subscriber = tracing_subscriber::registry().with(spans).with(json);
        let trace = tracing::subscriber::with_default(subscriber, || {
            let outer = tracing::info_span!("outer", saga_id = "s-0", attempt = 1, status = Empty).entered();
            outer.record("status", 200).record("saga_id", "s-1");
            let _inner = tracing::info_span!("inner", attempt = 2, otel.kind = "server").entered();
            let cause = std::io::Error::other("connection refused");
            let error = std::io::Error::other(Cause(cause));
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                rows = 3,
                "it \"failed\""
            );
            crate::current_trace_id().unwrap()
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["trace_id"], trace);
        assert_eq!(line["span_id"].as_str().unwrap().len(), 16);
        assert_eq!(
            (&line["message"], &line["level"]),
            (&"it \"failed\"".into(), &"WARN".into())
        );
        assert_eq!(
            (&line["saga_id"], &line["attempt"], &line["rows"]),
            (&"s-1".into(), &2.into(), &3.into())
        );
        assert_eq!(line["status"], 200);
        assert_eq!(line["error"], "the query failed: connection refused");
        assert_eq!((&line["service"], line.get("otel.kind")), (&"test".into(), None));
        assert_eq!(text.lines().count(), 1);
    }

    #[derive(Debug)]
    struct Cause(std::io::Error);

    impl fmt::Display for Cause {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the query failed")
        }
    }

    impl std::error::Error for Cause {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
}
