//! Whether a trace is recorded, decided before a span of it is made. A span that nobody will see costs its id: it is
//! neither built nor told of what happens in it, but what happens in it still has the ids of its trace.
//!
//! A span's parent is what its thread is in, or what [`crate::TraceContext::child`] says. The `parent:` of a span's macro
//! is not known when this is decided: it must name no span, and `None` only where the thread is in none.

use std::cell::{Cell, RefCell};

use opentelemetry::{
    Context, ContextGuard,
    trace::{SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SamplingDecision, SdkTracer, ShouldSample};
use tracing::{
    Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id},
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{self, Filter},
    registry::LookupSpan,
};

use crate::away::Collector;

thread_local! {
    /// The id by which it was decided to record a trace that begins here, until its first span is begun.
    static ACCEPTED: Cell<Option<TraceId>> = const { Cell::new(None) };
    /// What the filter decided of the span that is being made, until the layer sees that span.
    static DECIDED: Cell<Option<Unrecorded>> = const { Cell::new(None) };
    /// The spans that this thread is in.
    static ENTERED: RefCell<Vec<(Id, ContextGuard)>> = const { RefCell::new(Vec::new()) };
}

/// The context of a span that is not recorded. Where the trace came to this process, that is an id of its own; below that, it
/// is still the same, since nobody will ask which of them it was.
#[derive(Debug)]
struct Unrecorded(Context);

/// Stands in a context beside a parent that anybody may have sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Untrusted;

/// Decides as the standard variables say, as long as there is somebody to take what is recorded.
#[derive(Debug)]
pub(crate) struct Sampling {
    pub(crate) usual: Box<dyn ShouldSample>,
    pub(crate) collector: Collector,
}

impl Sampling {
    /// The context of a span to be made within `parent`, unless it is to be recorded.
    fn unrecorded(&self, parent: &Context, name: &str) -> Option<Unrecorded> {
        let span = parent.span();
        let above = span.span_context();
        if above.is_valid() && !above.is_remote() {
            // What this process has begun to record it records to the end, and the other way round.
            return (!above.is_sampled()).then(|| Unrecorded(parent.clone()));
        }
        let ids = RandomIdGenerator::default();
        let (trace, state) = if above.is_valid() {
            (above.trace_id(), above.trace_state().clone())
        } else {
            (ids.new_trace_id(), TraceState::default())
        };
        // Of an untrusted parent counts only that it is not recorded. Its id is not what is decided by either: anybody can
        // choose one that a sampler by ids accepts.
        let is_untrusted = above.is_valid() && parent.get::<Untrusted>().is_some();
        let (judged, by) = match is_untrusted {
            true if above.is_sampled() => (None, ids.new_trace_id()),
            true => (Some(parent), ids.new_trace_id()),
            false => (Some(parent), trace),
        };
        let is_recorded = !self.collector.is_away() && {
            let asked = self
                .usual
                .should_sample(judged, by, name, &SpanKind::Internal, &[], &[]);
            asked.decision != SamplingDecision::Drop
        };
        if is_recorded && !above.is_valid() {
            ACCEPTED.set(Some(trace));
        }
        (!is_recorded).then(|| {
            let own = SpanContext::new(trace, ids.new_span_id(), TraceFlags::NOT_SAMPLED, false, state);
            Unrecorded(Context::new().with_remote_span_context(own))
        })
    }
}

/// Random ids; that of a trace is the one by which it was decided to record it, so that whoever decides by it again decides
/// the same.
#[derive(Debug, Default)]
pub(crate) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        ACCEPTED.take().unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

/// Makes the spans that are to be recorded, and keeps the ids of the others.
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
    let others = Unnoticed.with_filter(targets.clone());
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(Recorded { sampling, targets })
        .and_then(others)
}

/// Lets through what is to be recorded.
#[derive(Debug)]
struct Recorded {
    sampling: Sampling,
    targets: Targets,
}

impl<S> Filter<S> for Recorded {
    fn enabled(&self, metadata: &Metadata<'_>, context: &layer::Context<'_, S>) -> bool {
        let is_meant = Filter::enabled(&self.targets, metadata, context);
        if metadata.is_event() {
            return is_meant && Context::map_current(|current| current.span().span_context().is_sampled());
        }
        let unrecorded = is_meant
            .then(|| Context::map_current(|current| self.sampling.unrecorded(current, metadata.name())))
            .flatten();
        let is_recorded = is_meant && unrecorded.is_none();
        DECIDED.set(unrecorded);
        is_recorded
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Filter::<S>::callsite_enabled(&self.targets, metadata).is_never() {
            Interest::never()
        } else {
            Interest::sometimes()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Filter::<S>::max_level_hint(&self.targets)
    }
}

/// Enters and leaves the spans that [`Recorded`] held back.
#[derive(Debug)]
struct Unnoticed;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Unnoticed {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        if let (Some(unrecorded), Some(span)) = (DECIDED.take(), context.span(id)) {
            span.extensions_mut().insert(unrecorded);
        }
    }

    fn on_enter(&self, id: &Id, context: layer::Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let own = span.extensions().get().map(|Unrecorded(own)| own.clone());
        if let Some(own) = own {
            ENTERED.with_borrow_mut(|entered| entered.push((id.clone(), own.attach())));
        }
    }

    fn on_exit(&self, id: &Id, _: layer::Context<'_, S>) {
        // Dropped after the borrow ends.
        let _left = ENTERED.with_borrow_mut(|entered| {
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

    /// Does something under a subscriber with that sampler, and returns the spans that it made.
    fn recorded(usual: Sampler, act: impl FnOnce(&Collector)) -> Vec<SpanData> {
        let (ended, collector) = (Ended::default(), Collector::default());
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_id_generator(Ids::default())
            .with_span_processor(ended.clone())
            .build();
        let sampling = Sampling {
            usual: Box::new(usual),
            collector: collector.clone(),
        };
        let subscriber = tracing_subscriber::registry().with(spans(provider.tracer("test"), sampling));
        tracing::subscriber::with_default(subscriber, || act(&collector));
        std::mem::take(&mut *ended.0.lock().unwrap())
    }

    fn names(spans: &[SpanData]) -> Vec<&str> {
        spans.iter().map(|span| &*span.name).collect()
    }

    fn from_outside(flags: &str) -> TraceContext {
        TraceContext {
            traceparent: Some(format!(
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}"
            )),
            tracestate: None,
        }
    }

    fn by_parent() -> Sampler {
        Sampler::ParentBased(Box::new(Sampler::AlwaysOn))
    }

    #[test]
    fn what_is_not_recorded_has_the_ids_of_its_trace_wherever_it_goes_on() {
        let spans = recorded(by_parent(), |_| {
            let caller = from_outside("00");
            let request = caller.child(|| info_span!("request"));
            let context = request.in_scope(TraceContext::current);
            assert_eq!(context.trace_id(), caller.trace_id());
            assert_ne!(context, caller, "a span of its own");
            assert!(context.traceparent.as_ref().unwrap().ends_with("-00"));
            let call = request.in_scope(|| {
                tracing::info!("an event");
                info_span!("call")
            });
            assert_eq!(current_trace_id(), None);
            // As in a task that was spawned: only the inner span is entered.
            call.in_scope(|| {
                assert_eq!(TraceContext::current(), context);
                info_span!("deeper").in_scope(|| assert_eq!(TraceContext::current(), context));
            });
            assert_eq!(current_trace_id(), None);
        });
        assert_eq!(names(&spans), [""; 0]);
    }

    #[test]
    fn what_is_recorded_is_recorded_with_its_events_below_its_parent() {
        let spans = recorded(by_parent(), |_| {
            let request = from_outside("01").child(|| info_span!("request"));
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

    /// How many of a hundred requests with that mark are recorded, each a part of the caller's trace.
    fn recorded_of_strangers(usual: Sampler, flags: &str) -> usize {
        let caller = from_outside(flags);
        let spans = recorded(usual, |_| {
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
    fn a_strangers_mark_and_id_do_not_decide() {
        let root = |sampler| Sampler::ParentBased(Box::new(sampler));
        assert_eq!(recorded_of_strangers(root(Sampler::AlwaysOff), "01"), 0);
        assert_eq!(recorded_of_strangers(root(Sampler::AlwaysOn), "01"), 100);
        assert_eq!(
            recorded_of_strangers(root(Sampler::AlwaysOn), "00"),
            0,
            "not wanted"
        );
        // By its id alone, each of these would be recorded: all or none, since the id is always the same.
        for (sampler, flags) in [
            (root(Sampler::TraceIdRatioBased(0.5)), "01"),
            (Sampler::TraceIdRatioBased(0.5), "01"),
            (Sampler::TraceIdRatioBased(0.5), "00"),
        ] {
            let recorded = recorded_of_strangers(sampler, flags);
            assert!((10..=90).contains(&recorded), "{recorded} of 100");
        }
    }

    #[test]
    fn what_is_done_again_hours_later_is_part_of_another_trace_that_names_the_first() {
        let spans = recorded(by_parent(), |_| {
            let first = from_outside("01");
            let _request = info_span!("request").entered();
            let minutes = Duration::from_mins(50);
            assert_eq!(first.clone().continued(minutes), first);
            assert_eq!(first.continued(3 * minutes), TraceContext::current());
        });
        let [request] = spans.as_slice() else {
            panic!("{spans:?}")
        };
        let links = request.links.iter().map(|link| link.span_context.trace_id());
        let first = from_outside("01").trace_id();
        assert_eq!(
            links.map(|trace| Some(trace.to_string())).collect::<Vec<_>>(),
            [first]
        );
    }

    #[test]
    fn while_the_collector_is_away_nothing_new_is_recorded() {
        let spans = recorded(by_parent(), |collector| {
            let begun = info_span!("begun").entered();
            let refused = Err(OTelSdkError::InternalFailure("nobody listens".to_owned()));
            assert!(collector.note(&refused), "it has just gone");
            assert!(!collector.note(&refused), "it went before");
            info_span!("to the end").in_scope(|| ());
            drop(begun);
            info_span!("new").in_scope(|| ());
            from_outside("01")
                .child(|| info_span!("from outside"))
                .in_scope(|| ());
            assert!(!collector.note(&Ok(())), "it is back");
            info_span!("again").in_scope(|| ());
        });
        assert_eq!(names(&spans), ["to the end", "begun", "again"]);
    }

    #[test]
    fn a_share_is_a_share_of_whole_traces_wherever_it_is_decided() {
        let share = Sampler::TraceIdRatioBased(0.5);
        let spans = recorded(share.clone(), |_| {
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
            let again = share.should_sample(None, trace, "elsewhere", &SpanKind::Server, &[], &[]);
            assert_eq!(again.decision, SamplingDecision::RecordAndSample);
        }
    }
}
