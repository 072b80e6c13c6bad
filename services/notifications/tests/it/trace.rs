//! Traces of consumed events and of the mails that they cause.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;
use contracts::{
    OrderId, UserId,
    events::{Envelope, Trace},
};
use opentelemetry::{
    Context,
    trace::{SpanId, Status, TraceId, TracerProvider as _},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, Span, SpanData, SpanProcessor},
};
use testkit::smtp::Smtp;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{
    mail::{make_due, worker},
    support::{Log, World, address, free_port, received},
};

const CHECKOUT: (&str, &str) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
const SENDING: (&str, &str) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");

/// The spans that this thread has ended.
#[derive(Debug, Clone, Default)]
struct Spans(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Spans {
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

impl Spans {
    fn listen() -> (Self, DefaultGuard) {
        let this = Self::default();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(this.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        (this, tracing::subscriber::set_default(subscriber))
    }

    /// The last ended span with this name.
    fn last(&self, name: &str) -> SpanData {
        let spans = self.0.lock().unwrap();
        let found = spans.iter().rfind(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no {name} in {spans:#?}")).clone()
    }
}

fn traceparent((trace, span): (&str, &str)) -> String {
    format!("00-{trace}-{span}-01")
}

fn ids((trace, span): (&str, &str)) -> (TraceId, SpanId) {
    (TraceId::from_hex(trace).unwrap(), SpanId::from_hex(span).unwrap())
}

fn own(span: &SpanData) -> (TraceId, SpanId) {
    (span.span_context.trace_id(), span.span_context.span_id())
}

fn parent(span: &SpanData) -> (TraceId, SpanId) {
    (span.span_context.trace_id(), span.parent_span_id)
}

fn links(span: &SpanData) -> Vec<(TraceId, SpanId)> {
    let links = span.links.iter().map(|link| &link.span_context);
    links
        .map(|context| (context.trace_id(), context.span_id()))
        .collect()
}

fn attribute(span: &SpanData, name: &str) -> String {
    let found = span.attributes.iter().find(|pair| pair.key.as_str() == name);
    found.map_or_else(String::new, |pair| pair.value.to_string())
}

/// Consumes the events of a registered shopper whose order is rejected.
async fn rejected(world: &World, mut log: Log) -> UserId {
    let user = UserId::generate();
    let mut events: Vec<Envelope> = log.rejected(user, OrderId::generate(), "timeout");
    for event in &mut events {
        event.trace = Trace {
            traceparent: Some(traceparent(CHECKOUT)),
            tracestate: None,
        };
    }
    let mut batch = received(&events);
    for received in &mut batch {
        received.sent_by = Some(traceparent(SENDING));
    }
    world.handle(&batch).await.unwrap();
    // The registration provides the address; its own mail is not part of the test.
    let registered = [Log::default().registered(user, None)];
    world.consume(&registered).await;
    sqlx::query("DELETE FROM mails WHERE kind = 'welcome'")
        .execute(world.pool())
        .await
        .unwrap();
    user
}

#[tokio::test]
async fn a_mail_belongs_to_the_trace_of_its_event() {
    let (spans, _listening) = Spans::listen();
    let world = World::start().await;
    let user = rejected(&world, Log::default()).await;
    let processed = spans.last("process orders.v1");
    assert_eq!(
        (parent(&processed), links(&processed)),
        (ids(CHECKOUT), vec![ids(SENDING)])
    );
    assert_eq!(attribute(&processed, "messaging.system"), "kafka");

    let closed_port = free_port().await;
    worker(&world, closed_port).run_once().await.unwrap();
    let mail = spans.last("mail order_rejected");
    assert_eq!((parent(&mail), links(&mail)), (own(&processed), vec![]));
    assert_eq!(attribute(&mail, "error.type"), "unavailable");
    assert!(matches!(mail.status, Status::Error { .. }), "{:?}", mail.status);
    assert_eq!(attribute(&mail, "server.address"), "127.0.0.1");
    assert_eq!(attribute(&mail, "server.port"), closed_port.to_string());

    // When it is retried hours later, the mail has a trace of its own.
    sqlx::query("UPDATE mails SET created_at = now() - interval '2 hours'")
        .execute(world.pool())
        .await
        .unwrap();
    make_due(&world).await;
    let smtp = Smtp::start(0).await;
    worker(&world, smtp.port).run_once().await.unwrap();
    assert_eq!(smtp.mails().len(), 1);
    let mail = spans.last("mail order_rejected");
    assert_ne!(own(&mail).0, own(&processed).0);
    assert_eq!(
        (mail.parent_span_id, links(&mail)),
        (SpanId::INVALID, vec![own(&processed)])
    );
    assert_eq!(mail.status, Status::Unset);
    let recorded = format!("{:?}", spans.0.lock().unwrap());
    assert!(!recorded.contains(&address(user)), "no span contains the address");
}

#[tokio::test]
async fn an_event_that_is_consumed_hours_later_has_a_trace_of_its_own() {
    let (spans, _listening) = Spans::listen();
    let world = World::start().await;
    let age = TimeDelta::hours(2);
    rejected(
        &world,
        Log {
            age,
            ..Log::default()
        },
    )
    .await;
    let processed = spans.last("process orders.v1");
    assert_ne!(own(&processed).0, ids(CHECKOUT).0);
    assert_eq!(links(&processed), [ids(CHECKOUT), ids(SENDING)]);
    let smtp = Smtp::start(0).await;
    worker(&world, smtp.port).run_once().await.unwrap();
    assert_eq!(parent(&spans.last("mail order_rejected")), own(&processed));
}
