//! Passes gRPC calls through to an upstream: all four kinds of calls, with metadata and trailers in both directions. Calls
//! of gRPC-Web are translated. Nothing is buffered, cached or sent again.

mod ends;
mod messages;
mod reply;

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, Version, header, request::Parts};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use self::{
    ends::{End, Ends},
    messages::Messages,
    reply::Reply,
};
use crate::{
    config,
    links::{Chosen, RequestContext},
    message::{
        Activity, ClientBody, Problem, RequestBody, ResponseBody, Upload, UploadEnd,
        grpc::{self, CallStatus, Wire},
        headers,
    },
    upstream::{self, CallError, Pool, Pools, Rpc, Target},
};

/// The fields with which a call ends; in gRPC-Web they are in the body.
const END: [http::HeaderName; 3] = [grpc::STATUS, grpc::MESSAGE, grpc::DETAILS];

/// The action of a route that passes gRPC calls through.
#[derive(Debug)]
pub(crate) struct PassThrough {
    target: Target,
    /// Other upstreams, which the links of the route may choose instead.
    others: Vec<Target>,
    /// Set for streams: a call ends after this time without data in either direction, and has no other deadline than that
    /// of its client.
    idle: Option<Duration>,
    /// Ends streams when it is cancelled.
    draining: CancellationToken,
}

impl PassThrough {
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
            draining,
        }
    }

    /// Passes a call through. `limit` is the maximum size of a message of the client, in bytes.
    pub(crate) async fn run(
        &self,
        pools: &Pools,
        context: &RequestContext<'_>,
        request: Request<ClientBody>,
        limit: usize,
    ) -> Result<Response<ResponseBody>, Problem> {
        let wire = Wire::of(&request).ok_or_else(|| {
            Problem::unsupported_media_type(
                "this route accepts gRPC calls over HTTP/2, and gRPC-Web calls over any version of HTTP",
            )
        })?;
        let (parts, body) = request.into_parts();
        let chosen = parts.extensions.get::<Chosen>();
        let target = chosen
            .and_then(|chosen| self.others.iter().find(|one| one.upstream == chosen.upstream))
            .unwrap_or(&self.target);
        let pool = pools.pool(target.upstream);
        let activity = Arc::new(Activity::new());
        let ends = self.ends(context, &parts.headers, &activity)?;
        let upload = Arc::clone(body.upload());
        let messages = Messages::new(body, wire, limit, Arc::clone(&activity));
        let request = to_upstream(parts, pool, RequestBody::Messages(messages.boxed_unsync()));
        let client = context.by_user();
        let call = upstream::begin_rpc(
            pool,
            (target, &client),
            request,
            (ends.deadline, context.deadline),
            &upload,
        );
        let mut end: EndOfCall = Box::pin(ends.wait());
        let begun = tokio::select! {
            biased;
            begun = call => begun,
            end = &mut end => return Err(end.problem()),
        };
        let (response, rpc) = begun.map_err(|error| match (upload.end(), error) {
            (Some(UploadEnd::TooLarge(limit)), _) => Problem::body_too_large(limit),
            (Some(UploadEnd::Broken), _) => CallError::Upload.into(),
            (_, error) => error.into(),
        })?;
        let call = Call {
            wire,
            upload,
            activity,
            end,
        };
        Ok(self.respond(call, response, rpc))
    }

    /// The limits at which the gateway ends a call.
    fn ends(
        &self,
        context: &RequestContext<'_>,
        headers: &HeaderMap,
        activity: &Arc<Activity>,
    ) -> Result<Ends, Problem> {
        let own = grpc::timeout(headers)?.and_then(|time| Instant::now().checked_add(time));
        let Some(idle) = self.idle else {
            let deadline = own.map_or(context.deadline, |own| own.min(context.deadline));
            return Ok(Ends::at(deadline));
        };
        let identity = context.identity.as_ref();
        let expires = identity.map(|identity| {
            let left = identity.expires().duration_since(SystemTime::now());
            left.unwrap_or_default()
        });
        Ok(Ends {
            deadline: own,
            idle: Some((idle, Arc::clone(activity))),
            expires: expires.and_then(|left| Instant::now().checked_add(left)),
            draining: Some(self.draining.clone()),
        })
    }

    /// The response to the client.
    fn respond(&self, call: Call, response: Response<Incoming>, mut rpc: Rpc) -> Response<ResponseBody> {
        let wire = call.wire;
        let (mut parts, body) = response.into_parts();
        headers::clean_response(&mut parts.headers);
        if parts.status != StatusCode::OK || Wire::of_content(&parts.headers) != Some(Wire::Grpc) {
            let code = grpc::code_of_http(parts.status);
            rpc.record(Some(code));
            let message = format!(
                "the service responded with HTTP status {} and without a gRPC status",
                parts.status.as_u16()
            );
            return wire.respond(HeaderMap::new(), code, &message);
        }
        parts.headers.remove(header::CONTENT_LENGTH);
        let content = wire.content_type(&parts.headers);
        parts.headers.insert(header::CONTENT_TYPE, content);
        parts.version = Version::HTTP_11;
        let status = CallStatus::default();
        parts.extensions.clear();
        parts.extensions.insert(status.clone());
        let Some(code) = grpc::status(&parts.headers) else {
            if self.idle.is_some() {
                // The status of a stream may come much later, or never.
                rpc.record(Some(Code::Ok));
            }
            let reply = Reply::new(call, body, rpc, status);
            return Response::from_parts(parts, reply.into_body());
        };
        // There are no messages, and the headers contain the trailers.
        status.set(code);
        rpc.record(Some(code));
        let body = if wire == Wire::Grpc {
            ResponseBody::empty()
        } else {
            let own = END.into_iter().filter_map(|name| {
                let value = parts.headers.remove(&name)?;
                Some((name, value))
            });
            ResponseBody::full(wire.encode_trailers(&own.collect()))
        };
        Response::from_parts(parts, body)
    }
}

/// Completes when a call must end.
type EndOfCall = Pin<Box<dyn Future<Output = End> + Send>>;

/// What is known about a call when its response begins.
struct Call {
    wire: Wire,
    /// The state of the client's messages.
    upload: Arc<Upload>,
    activity: Arc<Activity>,
    end: EndOfCall,
}

/// The client's call in the form in which the upstream gets it.
fn to_upstream(mut parts: Parts, pool: &Pool, body: RequestBody) -> Request<RequestBody> {
    let content = Wire::Grpc.content_type(&parts.headers);
    let host = parts.headers.remove(header::HOST);
    for name in [header::EXPECT, header::CONTENT_LENGTH, header::ACCEPT] {
        parts.headers.remove(name);
    }
    parts.headers.insert(header::CONTENT_TYPE, content);
    // The client of this connection is the gateway, which reads trailers.
    parts
        .headers
        .insert(header::TE, HeaderValue::from_static("trailers"));
    let authority = host.as_ref().and_then(|host| host.to_str().ok()?.parse().ok());
    let authority = authority.or_else(|| pool.cluster.host.to_str().ok()?.parse().ok());
    let mut uri = parts.uri.into_parts();
    uri.scheme = pool.cluster.scheme().parse().ok();
    uri.authority = authority;
    parts.uri = Uri::from_parts(uri).unwrap_or_default();
    parts.version = Version::HTTP_2;
    Request::from_parts(parts, body)
}
