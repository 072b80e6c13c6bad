//! gRPC calls that are passed through: begins a call on an HTTP/2 connection, and counts its outcome once its status is
//! known. Nothing is buffered, and a call is never sent again once a part of it may have been sent.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use tonic::Code;
use tracing::{Instrument, field::Empty};

use super::{
    Attempt, CallError, Choice, InFlight, Pool, SendError, Target, Ticket, call::refuse_if_open, http2::Place,
};
use crate::{
    message::{Client, RequestBody, Upload, UploadEnd, grpc, headers},
    metrics::RETRIES,
};

/// A client decides about the timeout of a call, so a call that timed out sooner than this says nothing about the instance.
const FAIR_TIME: Duration = Duration::from_secs(1);

/// A call whose response has begun. If it is dropped without an outcome, because the client has disconnected, it does
/// not count.
#[derive(Debug)]
pub struct Rpc {
    pool: Arc<Pool>,
    instance: InFlight,
    attempt: Option<Attempt>,
    ticket: Option<Ticket>,
    /// Time from the end of the client's messages to the head of the response; from the beginning of the call if the
    /// response came first.
    took: Duration,
    _place: Place,
}

impl Rpc {
    /// Counts the outcome; only the first one counts. Deadline exceeded (4), internal (13) and unavailable (14) are failures.
    /// `None` means that the connection broke.
    pub fn record(&mut self, code: Option<Code>) {
        let Some(attempt) = self.attempt.take() else {
            return;
        };
        let (cluster, took) = (&self.pool.cluster, self.took);
        if let Some(ticket) = self.ticket.take()
            && let Some(code) = code
        {
            ticket.finish([Code::DeadlineExceeded, Code::ResourceExhausted].contains(&code));
        }
        match code {
            Some(Code::DeadlineExceeded) => {
                attempt.record_timeout();
                if took >= FAIR_TIME {
                    cluster.record_timeout(&self.instance, took);
                }
            }
            Some(code @ (Code::Internal | Code::Unavailable)) => {
                attempt.record_after(true, took);
                let reason = code.description();
                cluster.record_failure(&self.instance, &reason, took, code == Code::Unavailable);
            }
            Some(_) => {
                attempt.record_after(false, took);
                cluster.record_success(&self.instance, took);
            }
            None => {
                attempt.record_after(true, took);
                cluster.record_failure(&self.instance, &"the connection broke", took, true);
            }
        }
    }
}

/// Sends a call and waits for the head of its response, at most until `deadline`, if there is one. `patience` is the time
/// that it may wait for a slot of the in-flight limit. `upload` is the state of the client's messages.
pub async fn begin_rpc(
    pool: &Arc<Pool>,
    (target, client): (&Target, &Client),
    request: Request<RequestBody>,
    (deadline, patience): (Option<Instant>, Instant),
    upload: &Upload,
) -> Result<(Response<Incoming>, Rpc), CallError> {
    refuse_if_open(target)?;
    let choice = pool.cluster.choice(client, request.headers());
    let _slot = target.acquire(client, patience).await?;
    let ticket = pool.cluster.admit(client)?;
    let attempt = Attempt::begin(target.breaker.as_ref()).map_err(CallError::BreakerOpen)?;
    let (name, started) = (&pool.cluster.name, Instant::now());
    let span = if telemetry::is_recorded() {
        tracing::info_span!(
            "upstream",
            otel.name = format!("gRPC {name}"),
            otel.kind = "client",
            otel.status_code = Empty,
            rpc.system = "grpc",
            server.address = name,
            url.full = format!("{}://{name}{}", pool.cluster.scheme(), request.uri().path()),
            error.type = Empty,
        )
    } else {
        tracing::Span::none()
    };
    let sent = send(pool, request, &choice, deadline).instrument(span.clone());
    let answer = sent.await;
    let status = answer.as_ref().ok().map(|(response, ..)| response.status());
    telemetry::http::observe_call(&http::Method::POST, name, status, started);
    match answer {
        Ok((response, instance, place)) => {
            let from = match upload.end() {
                Some(UploadEnd::Complete(end)) => end.max(started),
                _ => started,
            };
            let rpc = Rpc {
                pool: Arc::clone(pool),
                instance,
                attempt: Some(attempt),
                ticket,
                took: from.elapsed(),
                _place: place,
            };
            Ok((response, rpc))
        }
        Err(error) => {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error.kind());
            tracing::warn!(
                upstream = name,
                error = &error as &dyn std::error::Error,
                "the call failed without a response"
            );
            let is_sent = matches!(upload.end(), Some(UploadEnd::Complete(_)));
            let is_failed = matches!(upload.end(), Some(UploadEnd::TooLarge(_) | UploadEnd::Broken));
            match error {
                // The client may be the reason.
                _ if is_failed => {}
                CallError::Timeout if is_sent => record_timeout(pool, &choice, attempt, ticket),
                CallError::Timeout => {}
                _ => attempt.record(true),
            }
            Err(error)
        }
    }
}

/// Counts a call that the instance has not answered in time.
fn record_timeout(pool: &Pool, choice: &Choice, attempt: Attempt, ticket: Option<Ticket>) {
    attempt.record_timeout();
    if let Some((instance, took)) = choice.sent()
        && took >= FAIR_TIME
    {
        pool.cluster.record_timeout(&instance, took);
        if let Some(ticket) = ticket {
            ticket.finish(true);
        }
    }
}

/// Sends the request to an instance that accepts a connection. It is sent again only if it was certainly not sent yet.
async fn send(
    pool: &Arc<Pool>,
    mut request: Request<RequestBody>,
    choice: &Choice,
    deadline: Option<Instant>,
) -> Result<(Response<Incoming>, InFlight, Place), CallError> {
    let fields = request.headers_mut();
    // Services obey the sampling flag, so a client's trace headers must never reach them.
    for name in ["traceparent", "tracestate", headers::TIMEOUT.as_str()] {
        fields.remove(name);
    }
    telemetry::http::inject(fields);
    if let Some(deadline) = deadline {
        let left = deadline.saturating_duration_since(Instant::now());
        let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        fields.insert(headers::TIMEOUT, HeaderValue::from(millis));
        fields.insert(grpc::TIMEOUT, grpc::timeout_value(left));
    }
    let exchange = async {
        let mut reuse = true;
        loop {
            let (instance, mut place) = pool.place(reuse, choice).await?;
            let started = Instant::now();
            choice.sent_to(&instance, started);
            match place.sender.requests.try_send_request(request).await {
                Ok(response) => return Ok((response, instance, place)),
                Err(mut error) => match error.take_message() {
                    // The instance had already closed the connection, so the request was not sent.
                    Some(unsent) if reuse => {
                        reuse = false;
                        RETRIES.of([("upstream", &pool.cluster.name)]).inc();
                        request = unsent;
                    }
                    _ => {
                        let error = error.into_error();
                        if !error.is_user() {
                            pool.cluster
                                .record_failure(&instance, &error, started.elapsed(), true);
                        }
                        return Err(SendError::Broken(error));
                    }
                },
            }
        }
    };
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline.into(), exchange)
            .await
            .map_err(|_| CallError::Timeout)?
            .map_err(CallError::from),
        None => exchange.await.map_err(CallError::from),
    }
}
