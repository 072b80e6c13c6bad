//! Calls to upstreams. A call needs the permission of the breaker and a slot of the in-flight limit, ends at the
//! deadline of the request, and has a client span of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tracing::{Instrument, field::Empty};

use super::{
    Attempt, Choice, ConnectError, Lease, Overloaded, Pool, SendError, Slot, Target,
    resend::{MAX_BODY, tries},
};
use crate::message::{Client, Problem, RequestBody, UploadEnd};

/// Maximum size of a response body that is read into memory, in bytes.
const MAX_COLLECTED: usize = 4 << 20;

/// Why a call has no response.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The breaker is open; nothing was sent. The duration is the time until it lets calls through again.
    #[error("not called, because the breaker is open")]
    BreakerOpen(Duration),
    /// Too many calls are in flight and queued; nothing was sent.
    #[error("rejected, because too many calls are in flight")]
    Overloaded,
    /// The deadline passed before the response was complete.
    #[error("no response before the deadline")]
    Timeout,
    /// No connection could be made, or the connection broke.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The client's body could not be read; [`crate::message::Upload`] has the reason.
    #[error("the client's body is malformed or incomplete")]
    Upload,
    /// The body of the response broke off or is too large.
    #[error("the response is incomplete or too large")]
    ResponseBody,
}

impl CallError {
    /// Value of the span attribute `error.type`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::BreakerOpen(_) => "breaker_open",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::Upload => "client",
            Self::Send(SendError::Broken(_)) | Self::ResponseBody => "broken",
            Self::Send(_) => "connection",
        }
    }
}

impl From<Overloaded> for CallError {
    fn from(_: Overloaded) -> Self {
        Self::Overloaded
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::BreakerOpen(wait) => Self::breaker_open(wait),
            CallError::Overloaded => Self::too_busy(),
            CallError::Timeout => Self::timeout("the service did not respond in time"),
            CallError::Upload => Self::bad_request("the body is malformed or incomplete"),
            CallError::Send(SendError::Broken(_)) | CallError::ResponseBody => {
                Self::bad_gateway("the connection to the service broke, or its response is incomplete")
            }
            CallError::Send(SendError::Connect(ConnectError::Tls(_))) => {
                Self::bad_gateway("no secure connection to the service can be made")
            }
            CallError::Send(_) => Self::unavailable("the service cannot be reached"),
        }
    }
}

/// The client that a call is made for.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The client, as queues distinguish clients.
    pub client: &'a Client,
    /// Headers of its request, some of which may be forwarded to the upstream.
    pub headers: &'a HeaderMap,
}

impl<'a> Caller<'a> {
    /// A client with the headers of its request.
    #[must_use]
    pub fn new(client: &'a Client, headers: &'a HeaderMap) -> Self {
        Self { client, headers }
    }
}

/// Permission to call an upstream now: a slot of the in-flight limit, and a permit of the breaker. Dropping it releases
/// both.
#[derive(Debug)]
pub struct CallPermit {
    attempt: Attempt,
    _slot: Option<Slot>,
}

impl CallPermit {
    /// Waits for a slot and then asks the breaker. In this order, no call holds a probe of the breaker while it waits.
    pub async fn acquire(target: &Target, client: &Client, deadline: Instant) -> Result<Self, CallError> {
        refuse_if_open(target)?;
        let slot = target.acquire(client, deadline).await?;
        let attempt = Attempt::begin(target.breaker.as_ref()).map_err(CallError::BreakerOpen)?;
        Ok(Self { attempt, _slot: slot })
    }

    /// Reports to the breaker whether the upstream failed.
    pub fn record(self, failed: bool) {
        self.attempt.record(failed);
    }

    /// Reports to the breaker that no response arrived before the deadline.
    pub fn record_timeout(self) {
        self.attempt.record_timeout();
    }
}

impl Target {
    /// Waits for a slot of the in-flight limit.
    pub(super) async fn acquire(
        &self,
        client: &Client,
        deadline: Instant,
    ) -> Result<Option<Slot>, CallError> {
        Ok(match &self.in_flight {
            Some(limit) => Some(limit.acquire(client, deadline).await?),
            None => None,
        })
    }
}

/// Fails early if the breaker is open, before the body is read or a slot is awaited.
pub(super) fn refuse_if_open(target: &Target) -> Result<(), CallError> {
    let breaker = target.breaker.as_deref();
    breaker.map_or(Ok(()), |breaker| {
        breaker.refuse_if_open().map_err(CallError::BreakerOpen)
    })
}

/// Sends a request and waits for the head of the response, which decides whether the call counts as failed. The body
/// does not count, because its speed depends on the client, and a stream may never end.
///
/// If the upstream has a breaker or an in-flight limit, the client's body is read completely first. So a slow client
/// holds neither a slot nor a probe, the time of its upload does not count as the upstream's, and an incomplete body is
/// never sent.
pub async fn call(
    pool: &Arc<Pool>,
    target: &Target,
    client: &Client,
    mut request: Request<RequestBody>,
    deadline: Instant,
) -> Result<(Response<Incoming>, Lease), CallError> {
    refuse_if_open(target)?;
    if request.body().upload().is_some() && (target.is_guarded() || may_be_resent(target, &request)) {
        request = with_whole_body(request, deadline).await?;
    }
    let choice = pool.cluster.choice(client, request.headers());
    let slot = target.acquire(client, deadline).await?;
    let answer = tries::run(pool, (target, client), choice, request, deadline).await;
    drop(slot);
    answer
}

/// Whether the body of the request is worth keeping for another try.
fn may_be_resent(target: &Target, request: &Request<RequestBody>) -> bool {
    let length = request.body().size_hint().exact();
    target.resends.is_some() && length.is_some_and(|length| length <= MAX_BODY)
}

/// Reads the client's body into memory. Its size is limited by [`crate::message::ClientBody`].
async fn with_whole_body(
    request: Request<RequestBody>,
    deadline: Instant,
) -> Result<Request<RequestBody>, CallError> {
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout_at(deadline.into(), body.collect())
        .await
        .map_err(|_| CallError::Timeout)?
        .map_err(|_| CallError::Upload)?;
    Ok(Request::from_parts(
        parts,
        RequestBody::Full(Some(body.to_bytes())),
    ))
}

/// Sends a request and reads the whole response, at most 4 MiB, which decides whether the call counts as failed.
/// Without a target, neither a breaker nor an in-flight limit applies, and the request is not sent again.
pub async fn collect(
    pool: &Arc<Pool>,
    target: Option<(&Target, Caller<'_>)>,
    request: Request<RequestBody>,
    deadline: Instant,
) -> Result<Response<Bytes>, CallError> {
    let Some((target, caller)) = target else {
        return send(pool, request, &Choice::default(), deadline).await;
    };
    refuse_if_open(target)?;
    let choice = pool.cluster.choice(caller.client, caller.headers);
    let slot = target.acquire(caller.client, deadline).await?;
    let answer = tries::run(pool, (target, caller.client), choice, request, deadline).await;
    drop(slot);
    answer
}

/// The response to a call: either its head, with a body that is still to be read, or all of it.
pub(super) trait Answer: Sized + Send {
    /// Reads what belongs to the answer.
    fn read(
        response: Response<Incoming>,
        lease: Lease,
        until: Instant,
    ) -> impl Future<Output = Result<Self, CallError>> + Send;

    /// Status and headers of the response.
    fn head(&self) -> (StatusCode, &HeaderMap);
}

impl Answer for (Response<Incoming>, Lease) {
    async fn read(response: Response<Incoming>, lease: Lease, _: Instant) -> Result<Self, CallError> {
        Ok((response, lease))
    }

    fn head(&self) -> (StatusCode, &HeaderMap) {
        (self.0.status(), self.0.headers())
    }
}

impl Answer for Response<Bytes> {
    async fn read(response: Response<Incoming>, lease: Lease, until: Instant) -> Result<Self, CallError> {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_COLLECTED).collect();
        let body = tokio::time::timeout_at(until.into(), body)
            .await
            .map_err(|_| CallError::Timeout)?;
        let body = body.map_err(|_| CallError::ResponseBody)?;
        lease.return_to_pool();
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    fn head(&self) -> (StatusCode, &HeaderMap) {
        (self.status(), self.headers())
    }
}

/// Whether an instance says with this status that it cannot serve requests: 502, 503 or 504.
#[must_use]
pub fn is_gateway_error(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Whether an upstream rejected a request because it is overloaded (load shedding): 429, or 503 with `Retry-After`.
#[must_use]
pub fn is_shed(status: StatusCode, headers: &HeaderMap) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || (status == StatusCode::SERVICE_UNAVAILABLE && headers.contains_key(header::RETRY_AFTER))
}

/// Sends a request with the trace context and the remaining time in its headers, and records the call in metrics and a
/// span.
pub(super) async fn send<A: Answer>(
    pool: &Arc<Pool>,
    mut request: Request<RequestBody>,
    choice: &Choice,
    deadline: Instant,
) -> Result<A, CallError> {
    let (started, method) = (Instant::now(), request.method().clone());
    // Without a recorded trace, the span would only cost time.
    let is_recorded = telemetry::is_recorded();
    let span = if is_recorded {
        tracing::info_span!(
            "upstream",
            otel.name = format!("{} {}", telemetry::metrics::method(&method), pool.cluster.name),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = telemetry::metrics::method(&method),
            server.address = pool.cluster.name,
            // The name of the upstream, because its instance is not chosen yet.
            url.full = format!("{}://{}{}", pool.cluster.scheme(), pool.cluster.name, request.uri().path()),
            http.response.status_code = Empty,
            error.type = Empty,
        )
    } else {
        tracing::Span::none()
    };
    let (response, lease) = async {
        // Services obey the sampling flag, so a client's trace headers must never reach them, even if tracing is off
        // here.
        for name in ["traceparent", "tracestate"] {
            request.headers_mut().remove(name);
        }
        telemetry::http::inject(request.headers_mut());
        let remaining = deadline.saturating_duration_since(Instant::now());
        let millis = u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX);
        request
            .headers_mut()
            .insert(crate::message::headers::TIMEOUT, HeaderValue::from(millis));
        let upload = request.body().upload();
        let answer = tokio::time::timeout_at(deadline.into(), pool.send(request, choice)).await;
        // A client that is still sending its body may be the reason.
        let is_sent = upload.is_none_or(|upload| matches!(upload.end(), Some(UploadEnd::Complete(_))));
        if answer.is_err()
            && is_sent
            && let Some((instance, took)) = choice.sent()
        {
            pool.cluster.record_timeout(&instance, took);
        }
        let answer = answer
            .map_err(|_| CallError::Timeout)
            .and_then(|answer| Ok(answer?));
        let status = answer.as_ref().ok().map(|(response, _)| response.status());
        telemetry::http::observe_call(&method, &pool.cluster.name, status, started);
        match &answer {
            Ok((response, _)) => {
                let status = response.status();
                if is_recorded {
                    telemetry::http::record_status(
                        status,
                        status.is_client_error() || status.is_server_error(),
                    );
                }
            }
            Err(error) => {
                if is_recorded {
                    let span = tracing::Span::current();
                    span.record("otel.status_code", "ERROR");
                    span.record("error.type", error.kind());
                }
                tracing::warn!(
                    upstream = pool.cluster.name,
                    error = error as &dyn std::error::Error,
                    "the call failed without a response"
                );
            }
        }
        answer
    }
    .instrument(span)
    .await?;
    A::read(response, lease, deadline).await
}
