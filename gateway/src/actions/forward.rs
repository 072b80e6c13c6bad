//! Forwards a request to an upstream and its response to the client. Response bodies are streamed; a request body is
//! buffered only if a breaker or an in-flight limit guards the upstream (see [`upstream::call`]).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Extensions, Request, Response, StatusCode, Uri, header, request::Parts};
use http_body::Body as _;
use hyper::upgrade::OnUpgrade;
use tokio_util::sync::CancellationToken;

use super::websocket::{self, Handshake, Limits, set_upgrade};
use crate::{
    config,
    links::Chosen,
    message::{BodyTimeout, Client, ClientBody, Problem, RequestBody, ResponseBody, UploadEnd, headers},
    upstream::{self, CallError, Pools, Target},
};

/// The action of a route that forwards requests.
#[derive(Debug)]
pub(crate) struct Forward {
    target: Target,
    /// Other upstreams, which the links of the route may choose instead.
    others: Vec<Target>,
    /// Set for streams: the response ends after this time without data.
    idle: Option<Duration>,
    /// Set if clients may open WebSockets: they are closed after this time without data.
    websocket: Option<Duration>,
    /// Whether a request is accepted (202) and dropped if the upstream gives no response.
    best_effort: bool,
    /// Ends streams when it is cancelled.
    draining: CancellationToken,
}

impl Forward {
    /// Compiles the action of a route.
    pub(crate) fn new(
        route: &config::Route,
        target: Target,
        others: Vec<Target>,
        draining: CancellationToken,
    ) -> Self {
        Self {
            target,
            others,
            idle: route.idle.map(|span| span.0),
            websocket: route.websocket.as_ref().map(|websocket| websocket.idle.0),
            best_effort: route.best_effort,
            draining,
        }
    }

    /// The upstream that requests are forwarded to.
    pub(super) fn upstream(&self) -> usize {
        self.target.upstream
    }

    /// Forwards a client's request. A body that fails is the client's error (400, 408 or 413), never the upstream's.
    pub(crate) async fn run(
        &self,
        pools: &Pools,
        client: &Client,
        request: Request<ClientBody>,
        deadline: Instant,
    ) -> Result<Response<ResponseBody>, Problem> {
        let (mut parts, body) = request.into_parts();
        if let (Some(idle), Some(handshake), Some(upgrade)) = (
            self.websocket,
            parts.extensions.remove::<Handshake>(),
            parts.extensions.remove::<OnUpgrade>(),
        ) {
            set_upgrade(&mut parts.headers);
            // A handshake has no body. The upstream would wait for one of this length, and take the next request for it.
            parts.headers.remove(header::CONTENT_LENGTH);
            let limits = Limits {
                idle,
                expires: handshake.expires,
                draining: self.draining.clone(),
            };
            let request = to_upstream(parts, RequestBody::empty());
            let answer = self
                .call(pools, client, request, deadline, Some((upgrade, limits)))
                .await;
            return answer.or_else(|error| self.no_response(error));
        }
        let upload = Arc::clone(body.upload());
        let has_body = !body.is_end_stream();
        let body = if has_body {
            RequestBody::Client(body)
        } else {
            RequestBody::empty()
        };
        let request = to_upstream(parts, body);
        match self.call(pools, client, request, deadline, None).await {
            Ok(answer) => Ok(answer),
            Err(error) => match (upload.end(), error) {
                (Some(UploadEnd::TooLarge(limit)), _) => Err(Problem::body_too_large(limit)),
                (Some(UploadEnd::Broken), _) => {
                    Err(Problem::bad_request("the body is malformed or incomplete"))
                }
                (None, CallError::Timeout) if has_body => {
                    Err(Problem::request_timeout("the body did not arrive in time"))
                }
                (_, error) => self.no_response(error),
            },
        }
    }

    /// Sends a request that the gateway has built itself.
    pub(super) async fn run_own(
        &self,
        pools: &Pools,
        client: &Client,
        request: Request<RequestBody>,
        deadline: Instant,
    ) -> Result<Response<ResponseBody>, Problem> {
        let answer = self.call(pools, client, request, deadline, None).await;
        answer.or_else(|error| self.no_response(error))
    }

    /// The response to the client if the upstream gives none: an error, or 202 on a `best_effort` route.
    fn no_response(&self, error: CallError) -> Result<Response<ResponseBody>, Problem> {
        if !self.best_effort {
            return Err(error.into());
        }
        let mut accepted = Response::new(ResponseBody::empty());
        *accepted.status_mut() = StatusCode::ACCEPTED;
        Ok(accepted)
    }

    /// The upstream that a link has chosen, or otherwise that of the route.
    fn chosen(&self, extensions: &Extensions) -> &Target {
        let chosen = extensions.get::<Chosen>();
        let other = chosen.and_then(|chosen| self.others.iter().find(|one| one.upstream == chosen.upstream));
        other.unwrap_or(&self.target)
    }

    async fn call(
        &self,
        pools: &Pools,
        client: &Client,
        request: Request<RequestBody>,
        deadline: Instant,
        websocket: Option<(OnUpgrade, Limits)>,
    ) -> Result<Response<ResponseBody>, CallError> {
        let target = self.chosen(request.extensions());
        let pool = pools.pool(target.upstream);
        let (response, lease) = upstream::call(pool, target, client, request, deadline).await?;
        let (mut response, lease) = (response, Box::new(lease));
        headers::clean_response(response.headers_mut());
        if let Some((upgrade, limits)) = websocket
            && response.status() == StatusCode::SWITCHING_PROTOCOLS
        {
            return Ok(websocket::accept(upgrade, response, lease, limits));
        }
        let (parts, body) = response.into_parts();
        let timeout = self.idle.map_or(BodyTimeout::Deadline(deadline), |idle| {
            BodyTimeout::Idle(idle, self.draining.clone())
        });
        Ok(Response::from_parts(
            parts,
            ResponseBody::streamed(body, lease, timeout),
        ))
    }
}

/// The client's request in the form in which the upstream gets it.
fn to_upstream(mut parts: Parts, body: RequestBody) -> Request<RequestBody> {
    // hyper has answered the client's `Expect`. The upstream gets the body without being asked first.
    parts.headers.remove(header::EXPECT);
    parts.version = http::Version::HTTP_11;
    if let Some(path) = parts.uri.path_and_query() {
        parts.uri = Uri::from(path.clone());
    }
    Request::from_parts(parts, body)
}
