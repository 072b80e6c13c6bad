//! Handles one request: validates it, finds its route, runs the route's chain, and produces the response.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use http::{HeaderMap, HeaderValue, Method, Request, Response, header, uri::Authority};
use http_body::Body as _;
use hyper::body::Incoming;
use ipnet::IpNet;
use serde_json::json;
use telemetry::http::{REQUEST_ID, TRACE_RESPONSE, request_id};
use tracing::{Instrument, field::Empty};

use super::{
    Source,
    completion::complete,
    gateway::{Core, View},
    report,
};
use crate::{
    actions::{Action, Handshake, Scope, template},
    config::{Config, Local, environment},
    links::{Link, RequestContext, cors},
    message::{
        ClientBody, Problem, ResponseBody, ResponseInfo, add_security_headers, grpc,
        headers::{self, API_KEY, Origin},
        json_response,
    },
    openapi,
    snapshot::{CompiledRoute, Lookup, Snapshot, Wanted},
    upstream::{self, Caller},
};

/// Settings that all connections of a listener share.
#[derive(Debug, Clone)]
pub(crate) struct ListenerSettings {
    /// Peers in these networks are proxies whose `X-Forwarded-*` fields are believed.
    pub(crate) trusted_proxies: Arc<[IpNet]>,
    /// Value of `Strict-Transport-Security` for clients that use HTTPS.
    pub(crate) hsts: HeaderValue,
    /// Whether a connection begins with the client's address (see [`super::proxy_protocol`]).
    pub(crate) has_proxy_header: bool,
    /// Whether the listener itself speaks HTTPS.
    pub(crate) is_https: bool,
}

/// A client's connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) settings: ListenerSettings,
    /// Set once the client has sent a request with ambiguous framing (see [`crate::serve::framing`]).
    pub(crate) malformed: Arc<AtomicBool>,
}

/// Handles a request. Every outcome, errors included, is a response that carries the request id and the trace id.
pub(crate) async fn serve(core: Arc<Core>, peer: Peer, request: Request<Incoming>) -> Response<ResponseBody> {
    let started = Instant::now();
    let view = core.view();
    let snapshot = &*view.snapshot;
    let mut request = ClientBody::wrap(request, snapshot.config.limits.body.0, &peer.malformed);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let request_id = request_id(request.headers());
    let call = grpc::Call::of(&request);
    let mut origin = Origin::of(request.headers(), peer.address, &peer.settings.trusted_proxies);
    origin.is_https |= peer.settings.is_https;
    headers::normalize(&mut request);
    // A client may choose the trace that its request belongs to, but not whether that trace is sampled.
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
            rpc.grpc.status_code = Empty,
            request_id = request_id.to_str().unwrap_or_default(),
        )
    });
    async {
        let mut chain_output = ChainOutput::default();
        let mut traffic = None;
        request.headers_mut().insert(REQUEST_ID, request_id.clone());
        let (route, result) = match validate(&peer, &request) {
            Err(problem) => (
                "refused",
                unmatched(snapshot, origin, &mut chain_output, Err(problem)).await,
            ),
            Ok(()) => match snapshot.table.find(wanted(&request, origin)) {
                Lookup::Route(route, params) => {
                    traffic = Some(&route.traffic);
                    (
                        route.path.as_str(),
                        Ok(handle(&core, &view, origin, route, &params, request, &mut chain_output).await),
                    )
                }
                Lookup::MethodNotAllowed(allow) => {
                    let result = preflight(snapshot, &request, origin)
                        .ok_or_else(|| Problem::method_not_allowed(allow));
                    (
                        "unmatched",
                        unmatched(snapshot, origin, &mut chain_output, result).await,
                    )
                }
                Lookup::NotFound => {
                    let result = Err(Problem::not_found("this resource does not exist"));
                    (
                        "unmatched",
                        unmatched(snapshot, origin, &mut chain_output, result).await,
                    )
                }
            },
        };
        let mut response = result.unwrap_or_else(|problem| error(problem, &path, call.as_ref()));
        let close = peer.malformed.load(Ordering::Relaxed);
        let status = response.status();
        telemetry::name_span(|| format!("{} {route}", telemetry::metrics::method(&method)));
        tracing::Span::current().record("http.route", route);
        telemetry::http::record_status(status, status.is_server_error());
        let headers = response.headers_mut();
        for (name, value) in &chain_output.headers {
            if name == header::VARY {
                // The upstream may have listed further request headers that its response depends on.
                headers.append(name, value.clone());
            } else {
                headers.insert(name, value.clone());
            }
        }
        let info = ResponseInfo {
            method: &method,
            is_personal: chain_output.is_personal,
            hsts: origin.is_https.then_some(&peer.settings.hsts),
        };
        add_security_headers(headers, info);
        headers.insert(REQUEST_ID, request_id);
        let trace = telemetry::TraceContext::current().traceparent;
        if let Some(trace) = trace.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(TRACE_RESPONSE, trace);
        }
        if close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if method == Method::HEAD {
            remove_body(&mut response);
        }
        complete(response, &method, route, traffic, started)
    }
    .instrument(span)
    .await
}

/// Removes the body of a response to HEAD but keeps its length. hyper does so only in HTTP/1.
fn remove_body(response: &mut Response<ResponseBody>) {
    let length = response.body().size_hint().exact().filter(|length| *length > 0);
    if let Some(length) = length {
        response
            .headers_mut()
            .entry(header::CONTENT_LENGTH)
            .or_insert(length.into());
    }
    *response.body_mut() = ResponseBody::empty();
}

/// The response for an error of the gateway itself; for a gRPC call, it has a gRPC status.
fn error(problem: Problem, path: &str, call: Option<&grpc::Call>) -> Response<ResponseBody> {
    match call {
        Some(call) => call.respond(problem),
        None => problem.into_response(path),
    }
}

/// What the chain contributes to the response, whether it succeeds or fails.
#[derive(Debug, Default)]
struct ChainOutput {
    headers: HeaderMap,
    /// Whether the client is authenticated.
    is_personal: bool,
}

/// Applies the quota of unmatched requests: returns `result` while the client is within it, and 429 otherwise.
async fn unmatched(
    snapshot: &Snapshot,
    origin: Origin,
    chain_output: &mut ChainOutput,
    result: Result<Response<ResponseBody>, Problem>,
) -> Result<Response<ResponseBody>, Problem> {
    if let Some(rate) = &snapshot.unmatched {
        let mut context = RequestContext::new(origin.client, Instant::now(), "unmatched", &[]);
        let within = rate.pass(&mut context).await;
        chain_output.headers = context.response_headers;
        within?;
    }
    result
}

/// Rejects requests that are invalid for every route.
fn validate(peer: &Peer, request: &Request<ClientBody>) -> Result<(), Problem> {
    if peer.malformed.load(Ordering::Relaxed) {
        return Err(Problem::bad_request(
            "the length of the body is ambiguous; send one Content-Length, or chunked encoding, with plain numbers",
        ));
    }
    if [Method::TRACE, Method::CONNECT].contains(request.method()) {
        return Err(Problem::method_not_allowed(HeaderValue::from_static(
            "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        )));
    }
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() >= http::Version::HTTP_11) {
        return Err(Problem::bad_request("exactly one Host header is required"));
    }
    let has_userinfo = |authority: &Authority| authority.as_str().contains('@');
    if request.uri().authority().is_some_and(has_userinfo) {
        return Err(Problem::bad_request("the host contains user information"));
    }
    if !is_unambiguous_path(request.uri().path()) {
        return Err(Problem::bad_request(
            "the path contains a `.` or `..` segment, a control character, or invalid percent-encoding",
        ));
    }
    Ok(())
}

/// Whether every server on the way reads the path in the same way: valid UTF-8 without control characters, and without
/// `.` or `..` segments.
fn is_unambiguous_path(path: &str) -> bool {
    template::decode(path).is_some_and(|text| {
        let mut names = text.split(['/', '\\']);
        !text.contains(char::is_control) && !names.any(|name| name == "." || name == "..")
    })
}

/// Runs the chain of the route and its action. The links that the request has passed then see the response, in reverse
/// order; a problem is a response as well.
async fn handle(
    core: &Core,
    view: &View,
    origin: Origin,
    route: &CompiledRoute,
    params: &[(String, String)],
    request: Request<ClientBody>,
    chain_output: &mut ChainOutput,
) -> Response<ResponseBody> {
    // A link may change the path of the request.
    let uri = request.uri().clone();
    let call = grpc::Call::of(&request);
    let (mut parts, mut body) = request.into_parts();
    Handshake::mark(&mut parts);
    let own = &mut parts.headers;
    headers::strip_hop_by_hop(own);
    headers::strip_identity(own, &view.snapshot.own_headers);
    headers::set_forwarded(own, origin);
    headers::set_client_address(own, origin.client);
    let mut context = RequestContext::new(
        origin.client,
        Instant::now() + route.deadline,
        &route.name,
        params,
    );
    let mut answer = Ok(None);
    let mut passed = 0;
    for link in &route.links {
        answer = link.on_request(&view.pools, &mut context, &mut parts).await;
        if !matches!(answer, Ok(None)) {
            break;
        }
        passed += 1;
    }
    if let (Some(handshake), Some(identity)) = (parts.extensions.get_mut::<Handshake>(), &context.identity) {
        handshake.expires = Some(identity.expires());
    }
    // Upstreams accept only tokens. The key has been exchanged for one, or this route does not accept keys.
    parts.headers.remove(API_KEY);
    let result = match answer {
        Ok(Some(response)) => Ok(response),
        Err(problem) => Err(problem),
        Ok(None) => {
            tracing::debug!(route = route.name, "the request has passed the chain");
            let limit = context.body_limit.unwrap_or(view.snapshot.config.limits.body.0);
            body.set_limit(limit);
            body.copy_to(std::mem::take(&mut context.body_copies));
            match check_length(&parts.headers, limit) {
                Ok(()) => {
                    act(
                        core,
                        view,
                        route,
                        params,
                        &context,
                        Request::from_parts(parts, body),
                    )
                    .await
                }
                Err(problem) => Err(problem),
            }
        }
    };
    let mut response = result.unwrap_or_else(|problem| error(problem, uri.path(), call.as_ref()));
    for link in route.links[..passed].iter().rev() {
        let changed = link.on_response(&mut context, response).await;
        response = changed.unwrap_or_else(|problem| problem.into_response(uri.path()));
    }
    chain_output.headers = std::mem::take(&mut context.response_headers);
    chain_output.is_personal = context.is_personal();
    response
}

/// Rejects a request whose `Content-Length` is larger than `limit` bytes.
fn check_length(headers: &HeaderMap, limit: usize) -> Result<(), Problem> {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    match length {
        Some(length) if length > limit => Err(Problem::body_too_large(limit)),
        _ => Ok(()),
    }
}

/// Produces the response of a route for a request that has passed its chain.
async fn act(
    core: &Core,
    view: &View,
    route: &CompiledRoute,
    params: &[(String, String)],
    context: &RequestContext<'_>,
    request: Request<ClientBody>,
) -> Result<Response<ResponseBody>, Problem> {
    let (client, pools, deadline) = (context.by_user(), &view.pools, context.deadline);
    match &route.action {
        Action::Forward(forward) => forward.run(pools, &client, request, deadline).await,
        // The futures of the other actions are boxed, so that they do not enlarge the future of every request, which
        // hyper moves.
        Action::BrowserSpans(spans) => Box::pin(spans.run(pools, &client, request, deadline)).await,
        Action::PassThrough(pass) => {
            let limit = context.body_limit.unwrap_or(view.snapshot.config.limits.body.0);
            Box::pin(pass.run(pools, context, request, limit)).await
        }
        Action::Grpc(call) => {
            let parts = BTreeMap::new();
            let scope = Scope {
                params,
                parts: &parts,
            };
            let value = Box::pin(call.run(pools, scope, Caller::new(&client, request.headers()), deadline));
            let value = value.await?;
            Ok(json_response(&value.unwrap_or_default()))
        }
        Action::Aggregate(plan) => {
            Box::pin(plan.run(pools, params, Caller::new(&client, request.headers()), deadline)).await
        }
        Action::Files(files) => Box::pin(files.respond(&request)).await,
        Action::Redirect(redirect) => redirect.respond(request.uri(), params),
        Action::Local(Local::Config) if request.method() == Method::PUT => {
            let text = request.into_body().read(deadline).await?;
            Box::pin(replace_config(core, &text)).await
        }
        Action::Local(local) => Box::pin(answer_locally(core, view, *local, deadline)).await,
    }
}

async fn answer_locally(
    core: &Core,
    view: &View,
    local: Local,
    deadline: Instant,
) -> Result<Response<ResponseBody>, Problem> {
    let ok = json!({"status": "ok"});
    let View { snapshot, pools } = view;
    match local {
        Local::Healthz => Ok(json_response(&ok)),
        Local::Readyz if core.gateway.ready() => Ok(json_response(&ok)),
        Local::Readyz => Err(Problem::unavailable("the gateway is not ready")),
        Local::Openapi => match &snapshot.documents {
            Some(documents) => Ok(json_response(&documents.merged(pools, deadline).await)),
            None => Err(Problem::not_found("this gateway serves no API document")),
        },
        Local::Docs => Ok(openapi::page()),
        Local::Config => Ok(json_response(&json!(core.gateway.history.report()))),
        Local::Routes => Ok(json_response(&json!(report::routes(snapshot)))),
        Local::Upstreams => Ok(json_response(&upstream::report(
            &snapshot.clusters,
            &snapshot.guards.breakers,
        ))),
    }
}

/// Replaces the configuration by the YAML in `text`, until the process ends or its file changes.
async fn replace_config(core: &Core, text: &[u8]) -> Result<Response<ResponseBody>, Problem> {
    let text = std::str::from_utf8(text).map_err(|_| Problem::invalid("the configuration is not UTF-8"))?;
    let folder = core.gateway.snapshot().config.folder.clone();
    let config = Config::parse(text, environment).map(|config| config.in_folder(&folder));
    let replaced = core.gateway.reload_in_background(config, Source::Api).await;
    replaced.map_err(|error| Problem::invalid(format!("{error:#}")))?;
    Ok(json_response(&json!(core.gateway.history.report())))
}

/// The parts of a request that determine its route.
fn wanted(request: &Request<ClientBody>, origin: Origin) -> Wanted<'_> {
    Wanted {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        is_https: origin.is_https,
    }
}

/// The response to a CORS preflight request, if it is one and the route of the announced request has a `cors` link.
fn preflight(
    snapshot: &Snapshot,
    request: &Request<ClientBody>,
    origin: Origin,
) -> Option<Response<ResponseBody>> {
    let announced = cors::preflight_method(request.method(), request.headers())?;
    let wanted = Wanted {
        method: &announced,
        ..wanted(request, origin)
    };
    let Lookup::Route(route, _) = snapshot.table.find(wanted) else {
        return None;
    };
    let allow = snapshot.table.allow(wanted)?;
    route.links.iter().find_map(|link| match link {
        Link::Cors(origins) => Some(origins.preflight(request.headers(), &allow)),
        _ => None,
    })
}
