//! One request's way: what it must look like, its route, its chain, its answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use hyper::body::Incoming;
use ipnet::IpNet;
use tracing::{Instrument, field::Empty};

use crate::{
    aggregate::Caller,
    body::ResponseBody,
    chain::{Link, Passage, cors},
    client_body::ClientBody,
    config::Local,
    core::Core,
    forward,
    headers::{self, API_KEY, Origin, REQUEST_ID},
    openapi,
    problem::Problem,
    route::{Action, Compiled, Found},
    security_headers::{Answered, protect},
    template::{self, Scope},
    upstream,
};

const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// What a listener's connections have in common.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) trusted_proxies: Arc<[IpNet]>,
    /// `Strict-Transport-Security`, for clients that came by HTTPS.
    pub(crate) hsts: HeaderValue,
}

/// What is known of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) rules: Rules,
    /// Set when the connection sent a request whose end two readers could see in different places.
    pub(crate) malformed: Arc<AtomicBool>,
}

/// Answers a request; whatever happens, there is an answer, with the request's ids.
pub(crate) async fn serve(core: Arc<Core>, peer: Peer, request: Request<Incoming>) -> Response<ResponseBody> {
    let started = Instant::now();
    let mut request = ClientBody::of(request, core.gateway.limits.body.0, &peer.malformed);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let request_id = headers::request_id(request.headers());
    let origin = Origin::of(request.headers(), peer.address, &peer.rules.trusted_proxies);
    // Whoever sends a request may say which trace it belongs to, but not that it is recorded.
    let span = telemetry::http::extract(request.headers()).untrusted_child(|| {
        tracing::info_span!(
            "http",
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = telemetry::metrics::method(&method),
            http.route = Empty,
            url.scheme = origin.scheme(),
            url.path = path,
            server.address = telemetry::http::host(request.headers()),
            http.response.status_code = Empty,
            error.type = Empty,
            request_id = request_id.to_str().unwrap_or_default(),
        )
    });
    async {
        let mut passed = Passed::default();
        request.headers_mut().insert(REQUEST_ID, request_id.clone());
        let (route, result) = match admit(&core, &peer, &request) {
            Err(problem) => ("refused", unmatched(&core, origin, &mut passed, Err(problem))),
            Ok(()) => match core.gateway.table.find(&method, &path) {
                Found::Route(route, params) => (
                    route.path.as_str(),
                    run(&core, origin, route, &params, request, &mut passed).await,
                ),
                Found::OtherMethods(allow) => {
                    let result =
                        preflight(&core, &request, &path).ok_or_else(|| Problem::method_not_allowed(allow));
                    ("unmatched", unmatched(&core, origin, &mut passed, result))
                }
                Found::Nothing => {
                    let result = Err(Problem::not_found("there is no such resource"));
                    ("unmatched", unmatched(&core, origin, &mut passed, result))
                }
            },
        };
        let mut response = result.unwrap_or_else(|problem| problem.into_response(&path));
        let close = peer.malformed.load(Ordering::Relaxed);
        let status = response.status();
        telemetry::name_span(|| format!("{} {route}", telemetry::metrics::method(&method)));
        tracing::Span::current().record("http.route", route);
        telemetry::http::record_status(status, status.is_server_error());
        let headers = response.headers_mut();
        for (name, value) in &passed.answer {
            if name == header::VARY {
                // The upstream's answer may depend on more than the chain's.
                headers.append(name, value.clone());
            } else {
                headers.insert(name, value.clone());
            }
        }
        let answered = Answered {
            method: &method,
            is_personal: passed.is_personal,
            hsts: origin.is_https.then_some(&peer.rules.hsts),
        };
        protect(headers, answered);
        headers.insert(REQUEST_ID, request_id);
        let trace = telemetry::TraceContext::current().traceparent;
        if let Some(trace) = trace.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(TRACE_RESPONSE, trace);
        }
        if close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        tracing::info!(%method, route, status = status.as_u16(), "answered");
        telemetry::http::observe_answer(&method, route, status, started);
        response
    }
    .instrument(span)
    .await
}

/// What the chain adds to the answer, whatever that will be.
#[derive(Debug, Default)]
struct Passed {
    answer: HeaderMap,
    /// The client has shown who it is.
    is_personal: bool,
}

/// The answer to a request that no route takes, unless the client has sent too many of them.
fn unmatched(
    core: &Core,
    origin: Origin,
    passed: &mut Passed,
    result: Result<Response<ResponseBody>, Problem>,
) -> Result<Response<ResponseBody>, Problem> {
    if let Some(rate) = &core.gateway.unmatched {
        let mut passage = Passage::new(origin.client, Instant::now());
        let within = rate.pass(&mut passage);
        passed.answer = passage.answer;
        within?;
    }
    result
}

/// What no request may be, whatever its route.
fn admit(core: &Core, peer: &Peer, request: &Request<ClientBody>) -> Result<(), Problem> {
    if peer.malformed.load(Ordering::Relaxed) {
        return Err(Problem::bad_request(
            "a request states its length once: a Content-Length or chunk sizes, as plain numbers",
        ));
    }
    if [Method::TRACE, Method::CONNECT].contains(request.method()) {
        return Err(Problem::method_not_allowed(HeaderValue::from_static(
            "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        )));
    }
    if request.version() >= http::Version::HTTP_11
        && request.headers().get_all(header::HOST).iter().count() != 1
    {
        return Err(Problem::bad_request("one Host header is required"));
    }
    if !sane_path(request.uri().path()) {
        return Err(Problem::bad_request(
            "the path has `.` or `..` for a name, or is not percent-encoded UTF-8",
        ));
    }
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > core.gateway.limits.body.0) {
        return Err(forward::too_large(core));
    }
    Ok(())
}

/// Whether nobody on the way could take the path for another one.
fn sane_path(path: &str) -> bool {
    template::decode(path).is_some_and(|text| {
        let mut names = text.split(['/', '\\']);
        !text.contains(char::is_control) && !names.any(|name| name == "." || name == "..")
    })
}

async fn run(
    core: &Core,
    origin: Origin,
    route: &Compiled,
    params: &[(String, String)],
    mut request: Request<ClientBody>,
    passed: &mut Passed,
) -> Result<Response<ResponseBody>, Problem> {
    let deadline = Instant::now() + route.deadline;
    let method = request.method().clone();
    let own = request.headers_mut();
    headers::strip_hop_by_hop(own);
    headers::strip_identity(own, &core.gateway.own_headers);
    headers::set_forwarded(own, origin);
    headers::set_client_address(own, origin.client);
    let mut passage = Passage::new(origin.client, deadline);
    let mut refused = None;
    for link in &route.links {
        if let Err(problem) = link
            .pass(core, &mut passage, &method, request.headers_mut())
            .await
        {
            refused = Some(problem);
            break;
        }
    }
    // It has been exchanged or means nothing here; upstreams know only tokens.
    request.headers_mut().remove(API_KEY);
    passed.answer = std::mem::take(&mut passage.answer);
    passed.is_personal = passage.identity.is_some();
    if let Some(problem) = refused {
        return Err(problem);
    }
    tracing::debug!(route = route.name, "admitted");
    let client = passage.by_user();
    match &route.action {
        Action::Forward(target) => forward::forward(core, route, target, &client, request, deadline).await,
        Action::BrowserSpans(target, spans) => {
            let host = core.pools[target.upstream].cluster.host.clone();
            let request = spans.read(core, request, host, deadline).await?;
            forward::forward_own(core, route, target, &client, request, deadline).await
        }
        Action::Grpc(call) => {
            let parts = std::collections::BTreeMap::new();
            let value = call
                .run(
                    core,
                    Scope {
                        params,
                        parts: &parts,
                    },
                    &client,
                    deadline,
                )
                .await?;
            Ok(crate::aggregate::json_response(&value.unwrap_or_default()))
        }
        Action::Aggregate(plan) => {
            let caller = Caller {
                client: &client,
                headers: request.headers(),
            };
            plan.run(core, params, caller, deadline).await
        }
        Action::Files(files) => files.answer(&request).await,
        Action::Local(local) => answer_locally(core, *local, deadline).await,
    }
}

async fn answer_locally(
    core: &Core,
    local: Local,
    deadline: Instant,
) -> Result<Response<ResponseBody>, Problem> {
    let ok = serde_json::json!({"status": "ok"});
    match local {
        Local::Healthz => Ok(crate::aggregate::json_response(&ok)),
        Local::Readyz if core.gateway.ready() => Ok(crate::aggregate::json_response(&ok)),
        Local::Readyz => Err(Problem::unavailable("the gateway is not ready")),
        Local::Openapi => openapi::answer(core, deadline).await,
        Local::Docs => Ok(openapi::page()),
        Local::Upstreams => Ok(crate::aggregate::json_response(&upstream::report(
            &core.gateway.clusters,
            &core.gateway.breakers,
        ))),
    }
}

/// The answer to a browser's question whether a page may send a request, where the route of that request says so.
fn preflight(core: &Core, request: &Request<ClientBody>, path: &str) -> Option<Response<ResponseBody>> {
    let wanted = cors::preflight_method(request.method(), request.headers())?;
    let Found::Route(route, _) = core.gateway.table.find(&wanted, path) else {
        return None;
    };
    let allow = core.gateway.table.allow(path)?;
    route.links.iter().find_map(|link| match link {
        Link::Cors(origins) => Some(origins.preflight(request.headers(), &allow)),
        _ => None,
    })
}
