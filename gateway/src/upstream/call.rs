//! One call to an upstream: past its breaker and its limit of calls in flight, within what is left of the request's time,
//! under a client span of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tracing::{Instrument, field::Empty};

use super::{Attempt, Lease, Overloaded, Pool, SendError, Slot, Target};
use crate::{body::RequestBody, chain::Client, problem::Problem};

/// An answer that is collected must fit into this.
const COLLECTED: usize = 4 << 20;

/// A call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The breaker is open for so long; nothing was sent.
    #[error("not asked, after too many failures")]
    ClosedOff(Duration),
    /// Too many calls are in flight or queued; nothing was sent.
    #[error("refused, because too many calls are in flight")]
    Overloaded,
    /// The deadline has passed.
    #[error("no answer in time")]
    Late,
    /// It did not get there, or did not come back.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The client's body could not be read; [`crate::client_body::Upload`] says why.
    #[error("the client's body broke off")]
    Upload,
    /// The answer's head came, but not all of its body.
    #[error("the answer broke off")]
    Body,
}

impl CallError {
    /// One of a few words.
    fn kind(&self) -> &'static str {
        match self {
            Self::ClosedOff(_) => "closed_off",
            Self::Overloaded => "overloaded",
            Self::Late => "timeout",
            Self::Upload => "client",
            Self::Send(SendError::Broken(_)) | Self::Body => "broken",
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
            CallError::ClosedOff(wait) => Self::closed_off(wait),
            CallError::Overloaded => Self::too_busy(),
            CallError::Late => Self::timeout("the service did not answer in time"),
            CallError::Upload => Self::bad_request("the body is malformed or incomplete"),
            CallError::Send(SendError::Broken(_)) | CallError::Body => {
                Self::bad_gateway("the service broke off")
            }
            CallError::Send(_) => Self::unavailable("the service cannot be reached"),
        }
    }
}

/// Leave to call an upstream now: a slot of the route's limit, and its breaker's permission.
#[derive(Debug)]
pub struct Leave<'a> {
    attempt: Attempt<'a>,
    _slot: Option<Slot>,
}

impl<'a> Leave<'a> {
    /// Waits for a slot, and then asks the breaker, so that no call waits with one of its probes.
    pub async fn wait(target: &'a Target, client: &Client, deadline: Instant) -> Result<Self, CallError> {
        refuse_if_open(target)?;
        let slot = match &target.in_flight {
            Some(limit) => Some(limit.acquire(client, deadline).await?),
            None => None,
        };
        let attempt = Attempt::begin(target.breaker.as_deref()).map_err(CallError::ClosedOff)?;
        Ok(Self { attempt, _slot: slot })
    }

    /// The upstream did well, or failed.
    pub fn judge(self, failed: bool) {
        self.attempt.judge(failed);
    }

    /// No answer came in time.
    pub fn judge_late(self) {
        self.attempt.judge_late();
    }

    /// Judges by the answer. What the upstream refused because it has too much to do does not count: it protects itself.
    fn judge_by(self, answer: Result<Head<'_>, &CallError>) {
        match answer {
            Ok((status, headers)) if is_shed(status, headers) => {}
            Ok((status, _)) => self.judge(status.is_server_error()),
            Err(CallError::Late) => self.judge_late(),
            Err(_) => self.judge(true),
        }
    }
}

fn refuse_if_open(target: &Target) -> Result<(), CallError> {
    let breaker = target.breaker.as_deref();
    breaker.map_or(Ok(()), |breaker| {
        breaker.refuse_if_open().map_err(CallError::ClosedOff)
    })
}

/// Sends a request and waits for the head of its answer, by which it is judged: how fast the body comes is up to the client,
/// and a stream's never ends.
///
/// Before a breaker or a limit, the client's body is read completely. So a client that is slow to send holds neither a
/// slot nor a probe, its time does not count as the upstream's, and a body that breaks off never gets there.
pub async fn call(
    pool: &Arc<Pool>,
    target: &Target,
    client: &Client,
    mut request: Request<RequestBody>,
    deadline: Instant,
) -> Result<(Response<Incoming>, Lease), CallError> {
    refuse_if_open(target)?;
    if target.is_guarded() && request.body().upload().is_some() {
        request = with_whole_body(request, deadline).await?;
    }
    let leave = Leave::wait(target, client, deadline).await?;
    let answer = send(pool, request, deadline).await;
    leave.judge_by(
        answer
            .as_ref()
            .map(|(response, _)| (response.status(), response.headers())),
    );
    answer
}

/// The request with its body in memory, which [`crate::client_body::ClientBody`] bounds.
async fn with_whole_body(
    request: Request<RequestBody>,
    deadline: Instant,
) -> Result<Request<RequestBody>, CallError> {
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout_at(deadline.into(), body.collect())
        .await
        .map_err(|_| CallError::Late)?
        .map_err(|_| CallError::Upload)?;
    Ok(Request::from_parts(
        parts,
        RequestBody::Full(Some(body.to_bytes())),
    ))
}

/// Calls, and reads the whole answer, by which it is judged. Without a target, there is no breaker and no limit.
pub async fn collect(
    pool: &Arc<Pool>,
    target: Option<(&Target, &Client)>,
    request: Request<RequestBody>,
    deadline: Instant,
) -> Result<Response<Bytes>, CallError> {
    let leave = match target {
        Some((target, client)) => Some(Leave::wait(target, client, deadline).await?),
        None => None,
    };
    let answer = read(pool, request, deadline).await;
    if let Some(leave) = leave {
        let head = answer.as_ref();
        leave.judge_by(head.map(|response| (response.status(), response.headers())));
    }
    answer
}

/// The head of an answer.
type Head<'a> = (StatusCode, &'a HeaderMap);

/// Whether an upstream refused a request because it has too much to do (load shedding): 429, or 503 that says when to
/// come back.
#[must_use]
pub fn is_shed(status: StatusCode, headers: &HeaderMap) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || (status == StatusCode::SERVICE_UNAVAILABLE && headers.contains_key(header::RETRY_AFTER))
}

/// Sends, telling the upstream what is left of the time.
async fn send(
    pool: &Arc<Pool>,
    mut request: Request<RequestBody>,
    deadline: Instant,
) -> Result<(Response<Incoming>, Lease), CallError> {
    let (started, method) = (Instant::now(), request.method().clone());
    let span = tracing::info_span!(
        "upstream",
        otel.name = format!("{} {}", telemetry::metrics::method(&method), pool.cluster.name),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = telemetry::metrics::method(&method),
        server.address = pool.cluster.name,
        // Of the upstream; which of its instances takes it is not known yet.
        url.full = format!("http://{}{}", pool.cluster.name, request.uri().path()),
        http.response.status_code = Empty,
        error.type = Empty,
    );
    async {
        // Not the client's, whatever this process makes of it: services do as its mark says.
        for name in ["traceparent", "tracestate"] {
            request.headers_mut().remove(name);
        }
        telemetry::http::inject(request.headers_mut());
        let left = deadline.saturating_duration_since(Instant::now());
        let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        request
            .headers_mut()
            .insert(crate::headers::TIMEOUT, HeaderValue::from(millis));
        let answer = tokio::time::timeout_at(deadline.into(), pool.send(request)).await;
        let answer = answer.map_err(|_| CallError::Late).and_then(|answer| Ok(answer?));
        let status = answer.as_ref().ok().map(|(response, _)| response.status());
        telemetry::http::observe_call(&method, &pool.cluster.name, status, started);
        match &answer {
            Ok((response, _)) => {
                let status = response.status();
                telemetry::http::record_status(status, status.is_client_error() || status.is_server_error());
            }
            Err(error) => {
                let span = tracing::Span::current();
                span.record("otel.status_code", "ERROR");
                span.record("error.type", error.kind());
                tracing::warn!(
                    upstream = pool.cluster.name,
                    error = error as &dyn std::error::Error,
                    "no answer"
                );
            }
        }
        answer
    }
    .instrument(span)
    .await
}

async fn read(
    pool: &Arc<Pool>,
    request: Request<RequestBody>,
    deadline: Instant,
) -> Result<Response<Bytes>, CallError> {
    let (response, lease) = send(pool, request, deadline).await?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, COLLECTED).collect();
    let body = tokio::time::timeout_at(deadline.into(), body)
        .await
        .map_err(|_| CallError::Late)?;
    let body = body.map_err(|_| CallError::Body)?;
    lease.give_back();
    Ok(Response::from_parts(parts, body.to_bytes()))
}
