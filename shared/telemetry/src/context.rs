//! The W3C trace context as a value, which can be stored in an outbox row or sent in a header.

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

/// Later work continues a trace up to this age, and is only linked to older ones.
const MAX_TRACE_AGE: Duration = Duration::from_hours(1);

/// A position in a trace (W3C Trace Context). Empty if there is no trace.
#[derive(Clone, Default, Serialize, Deserialize, PartialEq, Eq, Debug)]
pub struct TraceContext {
    /// Version, trace id, span id and flags, as `00-{trace id}-{span id}-{flags}`.
    pub traceparent: Option<String>,
    /// Additional vendor-specific state, as `key=value` pairs.
    pub tracestate: Option<String>,
}

impl TraceContext {
    /// Returns the context of the current span, or an empty one if there is none.
    #[must_use]
    pub fn current() -> Self {
        let mut this = Self::default();
        TraceContextPropagator::new().inject_context(&Context::current(), &mut this);
        this
    }

    /// Creates a span as a child of this context. If the context is empty or invalid, the parent is the current span.
    pub fn child(&self, span: impl FnOnce() -> tracing::Span) -> tracing::Span {
        let context = self.to_otel();
        let is_valid = context.span().span_context().is_valid();
        let _parent = is_valid.then(|| context.attach());
        span()
    }

    /// Creates a span as a child of a context from an untrusted source. The span is part of that trace, but neither its
    /// sampled flag nor its id influence sampling: this process decides as if the trace started here. A flag that says "not
    /// sampled" is respected if the sampler is parent-based.
    pub fn untrusted_child(&self, span: impl FnOnce() -> tracing::Span) -> tracing::Span {
        let context = self.to_otel();
        let is_valid = context.span().span_context().is_valid();
        let _parent = is_valid.then(|| context.with_value(Untrusted).attach());
        span()
    }

    /// Creates a span for a consequence of something that happened `ago`. The span is a child of this context, or only linked
    /// to it after more than an hour, because work done hours later does not belong to a trace that has long ended.
    pub fn follow(&self, ago: Duration, span: impl FnOnce() -> tracing::Span) -> tracing::Span {
        if ago > MAX_TRACE_AGE {
            let span = span();
            self.link(&span);
            span
        } else {
            self.child(span)
        }
    }

    /// Returns the context for repeating something that happened `ago`. This is the context itself, or after more than an
    /// hour the one of the current span, which is then linked to it.
    #[must_use]
    pub fn continued(self, ago: Duration) -> Self {
        if ago > MAX_TRACE_AGE {
            self.link(&tracing::Span::current());
            Self::current()
        } else {
            self
        }
    }

    /// Adds a link from `span` to this context, for spans that are related but not its children.
    pub fn link(&self, span: &tracing::Span) {
        span.add_link(self.to_otel().span().span_context().clone());
    }

    /// Returns the trace id as 32 hexadecimal digits, or `None` if the context is empty or invalid.
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

/// Returns the trace id of the current span as 32 hexadecimal digits, or `None` outside of a trace.
#[must_use]
pub fn current_trace_id() -> Option<String> {
    current_ids().map(|(trace, _)| trace)
}

/// Returns whether the current span is part of a trace that is recorded. In any other trace, further spans are useless.
#[must_use]
pub fn is_recorded() -> bool {
    Context::map_current(|context| context.span().is_recording())
}

/// Sets the name of the current span, for names that are not known when the span starts. `name` is called only if the span
/// is recorded.
pub fn name_span(name: impl FnOnce() -> String) {
    Context::map_current(|context| {
        let span = context.span();
        if span.is_recording() {
            span.update_name(name());
        }
    });
}

/// Returns the trace id and the span id of the current span.
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
