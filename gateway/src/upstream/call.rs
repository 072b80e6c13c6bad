//! One call to an upstream: past its breaker, within what is left of the request's time, under a client span of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tracing::{Instrument, field::Empty};

use super::{Attempt, Breaker, Lease, Pool, SendError};
use crate::{
    body::RequestBody,
    client_body::{Upload, UploadEnd},
    problem::Problem,
};

/// An answer that is collected must fit into this.
const COLLECTED: usize = 4 << 20;

/// A call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The breaker is open for so long; nothing was sent.
    #[error("not asked, after too many failures")]
    ClosedOff(Duration),
    /// The deadline has passed.
    #[error("no answer in time")]
    Late,
    /// It did not get there, or did not come back.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The client's body could not be read; [`Upload`] says why.
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
            Self::Late => "timeout",
            Self::Upload => "client",
            Self::Send(SendError::Broken(_)) | Self::Body => "broken",
            Self::Send(_) => "connection",
        }
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::ClosedOff(wait) => Self::closed_off(wait),
            CallError::Late => Self::timeout("the service did not answer in time"),
            CallError::Upload => Self::bad_request("the body is malformed or incomplete"),
            CallError::Send(SendError::Broken(_)) | CallError::Body => {
                Self::bad_gateway("the service broke off")
            }
            CallError::Send(_) => Self::unavailable("the service cannot be reached"),
        }
    }
}

/// Sends a request and waits for the head of its answer, by which it is judged: how fast the body comes is up to the client,
/// and a stream's never ends.
pub async fn call(
    pool: &Arc<Pool>,
    breaker: Option<&Breaker>,
    mut request: Request<RequestBody>,
    deadline: Instant,
) -> Result<(Response<Incoming>, Lease), CallError> {
    let mut attempt = Attempt::begin(breaker).map_err(CallError::ClosedOff)?;
    let upload = request.body().upload();
    if attempt.is_probe() && upload.is_some() {
        // A client that is slow to send must not hold one of the few probes, so its body is read before it gets one.
        drop(attempt);
        request = with_whole_body(request, deadline).await?;
        attempt = Attempt::begin(breaker).map_err(CallError::ClosedOff)?;
    }
    let answer = send(pool, request, deadline).await;
    let head = answer
        .as_ref()
        .map(|(response, _)| (response.status(), response.headers()));
    judge(attempt, head, upload.as_deref());
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

/// Calls, and reads the whole answer, by which it is judged.
pub async fn collect(
    pool: &Arc<Pool>,
    breaker: Option<&Breaker>,
    request: Request<RequestBody>,
    deadline: Instant,
) -> Result<Response<Bytes>, CallError> {
    let attempt = Attempt::begin(breaker).map_err(CallError::ClosedOff)?;
    let answer = read(pool, request, deadline).await;
    let head = answer
        .as_ref()
        .map(|response| (response.status(), response.headers()));
    judge(attempt, head, None);
    answer
}

/// The head of an answer.
type Head<'a> = (StatusCode, &'a HeaderMap);

/// Judges by the answer. Two kinds of calls do not count at all: those that failed because of the client, or a few clients
/// could open the breaker for everybody (a body that was malformed, broke off, was too large, or took all the time); and
/// those that the upstream refused because it had too much to do, which shows that it protects itself.
fn judge(mut attempt: Attempt<'_>, answer: Result<Head<'_>, &CallError>, upload: Option<&Upload>) {
    if let Some(upload) = upload {
        // The upstream's own time begins with the end of the body; an answer before that took none.
        attempt = match (upload.end(), &answer) {
            (Some(UploadEnd::TooLarge | UploadEnd::Broken), _) | (None, Err(CallError::Late)) => return,
            (Some(UploadEnd::Complete(end)), _) => attempt.since(end),
            (None, _) => attempt.since(Instant::now()),
        };
    }
    match answer {
        Ok((status, headers)) if is_shed(status, headers) => {}
        Ok((status, _)) => attempt.judge(status.is_server_error()),
        Err(_) => attempt.judge(true),
    }
}

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
