//! Makes the sampling decision when a trace starts, before its first span is created. An unsampled span costs little more
//! than its id: it is not built and records no events, but logs and calls within it still have the ids of its trace.
//!
//! The decision itself is that of the SDK's sampler. The SDK asks its sampler only about a span whose attributes have been
//! collected, so a sampler that is set at the provider doubles the cost of an unsampled trace (`cargo xtask bench spans`).
//!
//! The parent of a span is the current span of its thread, or the context of [`crate::TraceContext::child`]. The `parent:`
//! argument of the span macros is not known when the decision is made. It must not name a span, and may be `None` only if
//! the thread has no current span.

use std::cell::{Cell, RefCell};

use opentelemetry::{
    Context, ContextGuard,
    trace::{SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SamplingDecision, SdkTracer, ShouldSample};
use tracing::{
    Level, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    filter::{DynFilterFn, FilterExt as _, Targets},
    layer,
    registry::LookupSpan,
};

use crate::collector::Collector;

thread_local! {
    /// Id of a new trace that was sampled, until its first span is created.
    static SAMPLED_TRACE: Cell<Option<TraceId>> = const { Cell::new(None) };
    /// Context of an unsampled span, from the filter's decision until the layer creates the span.
    static UNSAMPLED_SPAN: Cell<Option<Unsampled>> = const { Cell::new(None) };
    /// The unsampled spans that this thread has entered.
    static ENTERED_SPANS: RefCell<Vec<(Id, ContextGuard)>> = const { RefCell::new(Vec::new()) };
}

/// The context of an unsampled span. The first span of a trace in this process has its own span id. Its descendants share
/// that id, because they are never distinguished.
#[derive(Debug)]
struct Unsampled(Context);

/// Marks a context whose parent comes from an untrusted source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Untrusted;

/// Decides by the configured sampler, but samples nothing while the collector is unavailable.
#[derive(Debug)]
pub(crate) struct Sampling {
    pub(crate) sampler: Box<dyn ShouldSample>,
    pub(crate) collector: Collector,
}

impl Sampling {
    /// Returns the context of an unsampled span with this `parent`, or `None` if the span is sampled.
    fn unsampled_context(&self, parent: &Context, name: &str) -> Option<Unsampled> {
        let span = parent.span();
        let parent_span = span.span_context();
        if parent_span.is_valid() && !parent_span.is_remote() {
            // The parent is a span of this process, so its decision applies to the whole trace here.
            return (!parent_span.is_sampled()).then(|| Unsampled(parent.clone()));
        }
        let ids = RandomIdGenerator::default();
        let (trace, state) = if parent_span.is_valid() {
            (parent_span.trace_id(), parent_span.trace_state().clone())
        } else {
            (ids.new_trace_id(), TraceState::default())
        };
        // Of an untrusted parent, only the flag "not sampled" is respected. Its trace id is not used for the decision either,
        // because a client could choose an id that a ratio sampler accepts.
        let is_untrusted = parent_span.is_valid() && parent.get::<Untrusted>().is_some();
        let (sampler_parent, decision_id) = match is_untrusted {
            true if parent_span.is_sampled() => (None, ids.new_trace_id()),
            true => (Some(parent), ids.new_trace_id()),
            false => (Some(parent), trace),
        };
        let is_recorded = !self.collector.is_unavailable() && {
            let result =
                self.sampler
                    .should_sample(sampler_parent, decision_id, name, &SpanKind::Internal, &[], &[]);
            result.decision != SamplingDecision::Drop
        };
        if is_recorded && !parent_span.is_valid() {
            SAMPLED_TRACE.set(Some(trace));
        }
        (!is_recorded).then(|| {
            let own = SpanContext::new(trace, ids.new_span_id(), TraceFlags::NOT_SAMPLED, false, state);
            Unsampled(Context::new().with_remote_span_context(own))
        })
    }
}

/// Generates random ids. For a new trace it returns the id that the sampling decision was based on, so that other processes
/// which sample by this id decide the same.
#[derive(Debug, Default)]
pub(crate) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        SAMPLED_TRACE.take().unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

/// Returns the layers that create sampled spans and keep the contexts of unsampled ones.
pub(crate) fn spans<S>(tracer: SdkTracer, sampling: Sampling) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let targets = Targets::new()
        .with_default(LevelFilter::INFO)
        // The exporter must not trace itself.
        .with_target("opentelemetry", LevelFilter::OFF)
        .with_target("hyper", LevelFilter::OFF)
        .with_target("h2", LevelFilter::OFF);
    let unsampled_spans = UnsampledSpans.with_filter(targets.clone());
    // Sampled spans and the events within them.
    let sampled = DynFilterFn::new(move |metadata, _: &layer::Context<'_, S>| {
        if *metadata.level() > Level::INFO {
            false
        } else if metadata.is_event() {
            Context::map_current(|current| current.span().span_context().is_sampled())
        } else {
            let decide = |current: &Context| sampling.unsampled_context(current, metadata.name());
            let unsampled_context = Context::map_current(decide);
            let is_sampled = unsampled_context.is_none();
            UNSAMPLED_SPAN.set(unsampled_context);
            is_sampled
        }
    });
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(targets.and(sampled.with_max_level_hint(LevelFilter::INFO)))
        .and_then(unsampled_spans)
}

/// Layer that attaches and detaches the contexts of the spans that are not sampled.
#[derive(Debug)]
struct UnsampledSpans;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for UnsampledSpans {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        if let (Some(unsampled_context), Some(span)) = (UNSAMPLED_SPAN.take(), context.span(id)) {
            span.extensions_mut().insert(unsampled_context);
        }
    }

    fn on_enter(&self, id: &Id, context: layer::Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let own = span.extensions().get().map(|Unsampled(own)| own.clone());
        if let Some(own) = own {
            ENTERED_SPANS.with_borrow_mut(|entered| entered.push((id.clone(), own.attach())));
        }
    }

    fn on_exit(&self, id: &Id, _: layer::Context<'_, S>) {
        // Dropped after the borrow ends.
        let _left = ENTERED_SPANS.with_borrow_mut(|entered| {
            let at = entered.iter().rposition(|(of, _)| of == id)?;
            Some(entered.remove(at))
        });
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::{
        error::{OTelSdkError, OTelSdkResult},
        trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor},
    };
    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::{TraceContext, current_trace_id};

    #[derive(Debug, Clone, Default)]
    struct Ended(Arc<Mutex<Vec<SpanData>>>);

    impl SpanProcessor for Ended {
        fn on_start(&self, _: &mut Span, _: &Context) {}

        fn on_end(&self, span: SpanData) {
            self.0.lock().unwrap().push(span);
        }

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    /// Runs `act` with a subscriber that uses this sampler, and returns the recorded spans.
    fn recorded(sampler: Sampler, act: impl FnOnce(&Collector)) -> Vec<SpanData> {
        let (ended, collector) = (Ended::default(), Collector::default());
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_id_generator(Ids::default())
            .with_span_processor(ended.clone())
            .build();
        let sampling = Sampling {
            sampler: Box::new(sampler),
            collector: collector.clone(),
        };
        let subscriber = tracing_subscriber::registry().with(spans(provider.tracer("test"), sampling));
        tracing::subscriber::with_default(subscriber, || act(&collector));
        std::mem::take(&mut *ended.0.lock().unwrap())
    }

    fn names(spans: &[SpanData]) -> Vec<&str> {
        spans.iter().map(|span| &*span.name).collect()
    }

    fn from_caller(flags: &str) -> TraceContext {
        TraceContext {
            traceparent: Some(format!(
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}"
            )),
            tracestate: None,
        }
    }

    fn parent_based() -> Sampler {
        Sampler::ParentBased(Box::new(Sampler::AlwaysOn))
    }

    #[test]
    fn unsampled_spans_propagate_the_ids_of_their_trace() {
        let spans = recorded(parent_based(), |_| {
            let caller = from_caller("00");
            let request = caller.child(|| info_span!("request"));
            let context = request.in_scope(TraceContext::current);
            assert_eq!(context.trace_id(), caller.trace_id());
            assert_ne!(context, caller, "it has its own span id");
            assert!(context.traceparent.as_ref().unwrap().ends_with("-00"));
            let call = request.in_scope(|| {
                tracing::info!("an event");
                info_span!("call")
            });
            assert_eq!(current_trace_id(), None);
            // Only the inner span is entered, as in a spawned task.
            call.in_scope(|| {
                assert_eq!(TraceContext::current(), context);
                info_span!("deeper").in_scope(|| assert_eq!(TraceContext::current(), context));
            });
            assert_eq!(current_trace_id(), None);
        });
        assert_eq!(names(&spans), [""; 0]);
    }

    #[test]
    fn sampled_spans_have_their_events_and_parent() {
        let spans = recorded(parent_based(), |_| {
            let request = from_caller("01").child(|| info_span!("request"));
            request.in_scope(|| {
                tracing::info!("an event");
                info_span!("call").in_scope(|| ());
            });
        });
        assert_eq!(names(&spans), ["call", "request"]);
        assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
        assert_eq!(spans[1].parent_span_id.to_string(), "00f067aa0ba902b7");
        assert_eq!(spans[1].events.len(), 1);
    }

    /// Sends a hundred untrusted requests with these flags, checks that each is part of the caller's trace, and returns how
    /// many are sampled.
    fn sampled_of_untrusted(sampler: Sampler, flags: &str) -> usize {
        let caller = from_caller(flags);
        let spans = recorded(sampler, |_| {
            for _ in 0..100 {
                let request = caller.untrusted_child(|| info_span!("request"));
                request.in_scope(|| assert_eq!(current_trace_id(), caller.trace_id()));
            }
        });
        let part = |span: &SpanData| {
            Some(span.span_context.trace_id().to_string()) == caller.trace_id()
                && span.parent_span_id.to_string() == "00f067aa0ba902b7"
        };
        assert!(spans.iter().all(part));
        spans.len()
    }

    #[test]
    fn the_flag_and_id_of_an_untrusted_caller_do_not_decide() {
        let root = |sampler| Sampler::ParentBased(Box::new(sampler));
        assert_eq!(sampled_of_untrusted(root(Sampler::AlwaysOff), "01"), 0);
        assert_eq!(sampled_of_untrusted(root(Sampler::AlwaysOn), "01"), 100);
        assert_eq!(
            sampled_of_untrusted(root(Sampler::AlwaysOn), "00"),
            0,
            "the caller does not sample"
        );
        // The id is always the same. If it decided, either all or none of these would be sampled.
        for (sampler, flags) in [
            (root(Sampler::TraceIdRatioBased(0.5)), "01"),
            (Sampler::TraceIdRatioBased(0.5), "01"),
            (Sampler::TraceIdRatioBased(0.5), "00"),
        ] {
            let recorded = sampled_of_untrusted(sampler, flags);
            assert!((10..=90).contains(&recorded), "{recorded} of 100");
        }
    }

    #[test]
    fn a_repetition_hours_later_is_in_another_trace_with_a_link_to_the_first() {
        let spans = recorded(parent_based(), |_| {
            let first = from_caller("01");
            let _request = info_span!("request").entered();
            let minutes = Duration::from_mins(50);
            assert_eq!(first.clone().continued(minutes), first);
            assert_eq!(first.continued(3 * minutes), TraceContext::current());
        });
        let [request] = spans.as_slice() else {
            panic!("{spans:?}")
        };
        let links = request.links.iter().map(|link| link.span_context.trace_id());
        let first = from_caller("01").trace_id();
        assert_eq!(
            links.map(|trace| Some(trace.to_string())).collect::<Vec<_>>(),
            [first]
        );
    }

    #[test]
    fn no_new_traces_are_sampled_while_the_collector_is_unavailable() {
        let spans = recorded(parent_based(), |collector| {
            let started_span = info_span!("started").entered();
            let refused = Err(OTelSdkError::InternalFailure("connection refused".to_owned()));
            assert!(collector.record(&refused), "it has just become unavailable");
            assert!(!collector.record(&refused), "it was unavailable before");
            info_span!("child").in_scope(|| ());
            drop(started_span);
            info_span!("new").in_scope(|| ());
            from_caller("01")
                .child(|| info_span!("from outside"))
                .in_scope(|| ());
            assert!(!collector.record(&Ok(())), "it has recovered");
            info_span!("after recovery").in_scope(|| ());
        });
        assert_eq!(names(&spans), ["child", "started", "after recovery"]);
    }

    #[test]
    fn a_ratio_samples_whole_traces_consistently() {
        let ratio = Sampler::TraceIdRatioBased(0.5);
        let spans = recorded(ratio.clone(), |_| {
            for _ in 0..200 {
                let _request = info_span!("request").entered();
                info_span!("call").in_scope(|| ());
            }
        });
        let requests = names(&spans)
            .into_iter()
            .filter(|name| *name == "request")
            .count();
        assert_eq!(spans.len(), 2 * requests);
        assert!((50..150).contains(&requests), "{requests} of 200");
        for span in &spans {
            let trace = span.span_context.trace_id();
            let again = ratio.should_sample(None, trace, "elsewhere", &SpanKind::Server, &[], &[]);
            assert_eq!(again.decision, SamplingDecision::RecordAndSample);
        }
    }
}
