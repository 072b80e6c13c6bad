//! A collector that takes no spans should cost nothing: while it is away no trace is recorded.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt as _, TraceId},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SamplingDecision, SamplingResult, ShouldSample},
};

use crate::metrics::Gauge;

static AWAY: Gauge = Gauge::gauge(
    "telemetry_collector_away",
    "1 while the collector takes no spans, and so none are recorded",
);

/// Whether the collector took what was last sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Collector(Arc<AtomicBool>);

impl Collector {
    pub(crate) fn is_away(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes how an export ended, and tells the log when that is news. Whether the collector has just gone.
    pub(crate) fn note(&self, result: &OTelSdkResult) -> bool {
        let is_away = result.is_err();
        let was_away = self.0.swap(is_away, Ordering::Relaxed);
        AWAY.of([]).set(f64::from(u8::from(is_away)));
        match result {
            Err(error) if !was_away => {
                tracing::warn!(%error, "traces are lost: the collector does not take them");
            }
            Ok(()) if was_away => tracing::info!("the collector takes traces again"),
            _ => {}
        }
        is_away && !was_away
    }
}

/// Decides as the standard variables say, as long as there is somebody to take what is recorded.
#[derive(Debug, Clone)]
pub(crate) struct WhileTaken {
    pub(crate) usual: Box<dyn ShouldSample>,
    pub(crate) collector: Collector,
}

impl ShouldSample for WhileTaken {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let mut result = self
            .usual
            .should_sample(parent, trace, name, kind, attributes, links);
        // What this process has begun to record it records to the end.
        let begins_here = parent.is_none_or(|context| {
            let span = context.span();
            !span.span_context().is_valid() || span.span_context().is_remote()
        });
        if begins_here && self.collector.is_away() {
            result.decision = SamplingDecision::Drop;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceState};
    use opentelemetry_sdk::{error::OTelSdkError, trace::Sampler};

    use super::*;

    fn decide(sampler: &WhileTaken, parent: Option<&Context>) -> SamplingDecision {
        let trace = TraceId::from(7);
        sampler
            .should_sample(parent, trace, "a", &SpanKind::Server, &[], &[])
            .decision
    }

    fn child_of(is_remote: bool) -> Context {
        let (flags, state) = (TraceFlags::SAMPLED, TraceState::default());
        let span = SpanContext::new(TraceId::from(7), SpanId::from(1), flags, is_remote, state);
        Context::new().with_remote_span_context(span)
    }

    #[test]
    fn while_the_collector_is_away_nothing_new_is_recorded() {
        use SamplingDecision::{Drop, RecordAndSample};
        let sampler = WhileTaken {
            usual: Box::new(Sampler::ParentBased(Box::new(Sampler::AlwaysOn))),
            collector: Collector::default(),
        };
        let (here, there) = (child_of(false), child_of(true));
        let all = || [None, Some(&here), Some(&there)].map(|parent| decide(&sampler, parent));
        assert_eq!(all(), [RecordAndSample, RecordAndSample, RecordAndSample]);
        let refused = Err(OTelSdkError::InternalFailure("nobody listens".to_owned()));
        assert!(sampler.collector.note(&refused), "it has just gone");
        assert!(!sampler.collector.note(&refused), "it went before");
        assert_eq!(all(), [Drop, RecordAndSample, Drop]);
        assert!(!sampler.collector.note(&Ok(())), "it is back");
        assert_eq!(all(), [RecordAndSample, RecordAndSample, RecordAndSample]);
    }
}
