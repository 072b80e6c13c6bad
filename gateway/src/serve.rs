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
    headers::{self, API_KEY, REQUEST_ID},
    openapi,
    problem::Problem,
    route::{Action, Compiled, Found},
    template::{self, Scope},
    upstream,
};

const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// What is known of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) trusted_proxies: Arc<[IpNet]>,
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
    let span = telemetry::http::extract(request.headers()).child(|| {
        tracing::info_span!(
            "http",
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = telemetry::metrics::method(&method),
            http.route = Empty,
            url.scheme = "http",
            url.path = path,
            server.address = telemetry::http::host(request.headers()),
            http.response.status_code = Empty,
            error.type = Empty,
            request_id = request_id.to_str().unwrap_or_default(),
        )
    });
    async {
        let mut answer = HeaderMap::new();
        request.headers_mut().insert(REQUEST_ID, request_id.clone());
        let (route, result) = match admit(&core, &peer, &request) {
            Err(problem) => ("refused", Err(problem)),
            Ok(()) => match core.gateway.table.find(&method, &path) {
                Found::Route(route, params) => (
                    route.path.as_str(),
                    run(&core, &peer, route, &params, request, &mut answer).await,
                ),
                Found::OtherMethods(allow) => (
                    "unmatched",
                    preflight(&core, &request, &path).ok_or_else(|| Problem::method_not_allowed(allow)),
                ),
                Found::Nothing => ("unmatched", Err(Problem::not_found("there is no such resource"))),
            },
        };
        let mut response = result.unwrap_or_else(|problem| problem.into_response(&path));
        let close = peer.malformed.load(Ordering::Relaxed);
        let status = response.status();
        telemetry::name_span(|| format!("{} {route}", telemetry::metrics::method(&method)));
        tracing::Span::current().record("http.route", route);
        telemetry::http::record_status(status, status.is_server_error());
        let headers = response.headers_mut();
        for (name, value) in &answer {
            if name == header::VARY {
                // The upstream's answer may depend on more than the chain's.
                headers.append(name, value.clone());
            } else {
                headers.insert(name, value.clone());
            }
        }
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
    peer: &Peer,
    route: &Compiled,
    params: &[(String, String)],
    mut request: Request<ClientBody>,
    answer: &mut HeaderMap,
) -> Result<Response<ResponseBody>, Problem> {
    let deadline = Instant::now() + route.deadline;
    let client = headers::client_address(request.headers(), peer.address, &peer.trusted_proxies);
    let address = peer.address.ip().to_canonical();
    let trusted = peer.trusted_proxies.iter().any(|net| net.contains(&address));
    let method = request.method().clone();
    let own = request.headers_mut();
    headers::strip_hop_by_hop(own);
    headers::strip_identity(own, &core.gateway.own_headers);
    headers::set_forwarded(own, address, trusted);
    headers::set_client_address(own, client);
    let mut passage = Passage {
        client,
        deadline,
        identity: None,
        answer: HeaderMap::new(),
    };
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
    *answer = std::mem::take(&mut passage.answer);
    if let Some(problem) = refused {
        return Err(problem);
    }
    tracing::debug!(route = route.name, "admitted");
    let client = passage.by_user();
    match &route.action {
        Action::Forward(target) => forward::forward(core, route, target, &client, request, deadline).await,
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
