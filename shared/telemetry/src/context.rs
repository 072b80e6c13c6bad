//! The W3C trace context as a value, to be stored with an outbox row or sent in a header.

use std::time::Duration;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use serde::{Deserialize, Serialize};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::sampling::Untrusted;

/// What comes of something within this time is part of its trace.
const RECENT: Duration = Duration::from_hours(1);

/// Where in which trace something happened (W3C Trace Context).
#[derive(Clone, Default, Serialize, Deserialize, PartialEq, Eq, Debug)]
pub struct TraceContext {
    /// `00-{trace id}-{span id}-{flags}`.
    pub traceparent: Option<String>,
    /// Vendors' additions.
    pub tracestate: Option<String>,
}

impl TraceContext {
    /// The context of the span that is entered now; empty when there is none.
    #[must_use]
    pub fn current() -> Self {
        let mut this = Self::default();
        TraceContextPropagator::new().inject_context(&Context::current(), &mut this);
        this
    }

    /// Makes a span as its child. An empty or broken context changes nothing.
    pub fn child(&self, span: impl FnOnce() -> tracing::Span) -> tracing::Span {
        let context = self.to_otel();
        let is_known = context.span().span_context().is_valid();
        let _parent = is_known.then(|| context.attach());
        span()
    }

    /// Makes a span as the child of a context that anybody may have sent. It is part of that trace, but its mark that the
    /// trace is recorded counts for nothing, and neither does its id: this process decides, as if the trace began here. A
    /// mark that it is not recorded is respected where the sampler follows marks.
    pub fn untrusted_child(&self, span: impl FnOnce() -> tracing::Span) -> tracing::Span {
        let context = self.to_otel();
        let is_known = context.span().span_context().is_valid();
        let _parent = is_known.then(|| context.with_value(Untrusted).attach());
        span()
    }

    /// Makes a span for what comes of something that happened so long ago: as its child, or only linked to it if that is
    /// more than an hour. What is done, or done again, hours later is no part of a trace that was over long before, but
    /// names it.
    pub fn follow(&self, ago: Duration, span: impl FnOnce() -> tracing::Span) -> tracing::Span {
        if ago > RECENT {
            let span = span();
            self.link(&span);
            span
        } else {
            self.child(span)
        }
    }

    /// The context of what is done again so long after: itself, or if that is more than an hour that of the span that is
    /// entered now, which names it.
    #[must_use]
    pub fn continued(self, ago: Duration) -> Self {
        if ago > RECENT {
            self.link(&tracing::Span::current());
            Self::current()
        } else {
            self
        }
    }

    /// Links `span` to it: related, though not its child.
    pub fn link(&self, span: &tracing::Span) {
        span.add_link(self.to_otel().span().span_context().clone());
    }

    /// The 32 hexadecimal digits of the trace.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        let context = self.to_otel();
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| span.trace_id().to_string())
    }

    fn to_otel(&self) -> Context {
        TraceContextPropagator::new().extract_with_context(&Context::new(), self)
    }
}

/// The trace id of the span that is entered now.
#[must_use]
pub fn current_trace_id() -> Option<String> {
    current_ids().map(|(trace, _)| trace)
}

/// Names the span that is entered now, where its name was not known when it began, if it is recorded.
pub fn name_span(name: impl FnOnce() -> String) {
    Context::map_current(|context| {
        let span = context.span();
        if span.is_recording() {
            span.update_name(name());
        }
    });
}

/// Trace and span id of the span that is entered now.
pub(crate) fn current_ids() -> Option<(String, String)> {
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        span.is_valid()
            .then(|| (span.trace_id().to_string(), span.span_id().to_string()))
    })
}

impl Injector for TraceContext {
    fn set(&mut self, key: &str, value: String) {
        match key {
            "traceparent" => self.traceparent = Some(value),
            "tracestate" if !value.is_empty() => self.tracestate = Some(value),
            _ => {}
        }
    }
}

impl Extractor for TraceContext {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => self.traceparent.as_deref(),
            "tracestate" => self.tracestate.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}
