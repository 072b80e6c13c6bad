//! The JSON log line: one flat object, in which the ids of the trace stand where a log store looks for them.

use std::fmt;

use serde_json::{Map, Value};
use tracing::{Event, Subscriber, field::Visit};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormattedFields,
        format::{JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// Formats an event as one line of JSON: time, level, service, target, the fields of its spans from the outermost in,
/// its own fields, `trace_id`, `span_id`.
pub(crate) struct Json {
    pub(crate) service: &'static str,
}

impl<S> FormatEvent<S, JsonFields> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        line.insert("timestamp".into(), time.into());
        line.insert("level".into(), event.metadata().level().as_str().into());
        line.insert("service".into(), self.service.into());
        line.insert("target".into(), event.metadata().target().into());
        for span in context
            .event_scope()
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>();
            if let Some(Ok(Value::Object(fields))) = fields.map(|fields| serde_json::from_str(fields)) {
                line.extend(fields.into_iter().filter(|(name, _)| !name.starts_with("otel.")));
            }
        }
        event.record(&mut Fields(&mut line));
        if let Some((trace, span)) = crate::context::current_ids() {
            line.insert("trace_id".into(), trace.into());
            line.insert("span_id".into(), span.into());
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &tracing::field::Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_i64(&mut self, field: &tracing::field::Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &tracing::field::Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &tracing::field::Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &tracing::field::Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_error(&mut self, field: &tracing::field::Field, value: &(dyn std::error::Error + 'static)) {
        // The cause is what one needs at night, and Display shows only the outermost error.
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        self.put(field, text.into());
    }

    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::{Layer, layer::SubscriberExt};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is logged, and the layer that logs it.
    fn json<S>() -> (Lines, impl Layer<S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let lines = Lines::default();
        let writer = lines.clone();
        let json = tracing_subscriber::fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(Json { service: "test" })
            .with_writer(move || writer.clone());
        (lines, json)
    }

    #[test]
    fn a_panic_is_a_line_like_any_other() {
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
    fn a_line_is_flat_json_with_the_trace_and_the_cause() {
        let (lines, json) = json();
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let spans = tracing_opentelemetry::layer().with_tracer(tracer);
        let subscriber = tracing_subscriber::registry().with(spans).with(json);
        let trace = tracing::subscriber::with_default(subscriber, || {
            let _outer = tracing::info_span!("outer", saga_id = "s-1", attempt = 1).entered();
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
