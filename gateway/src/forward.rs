//! A request handed on as it is, and its answer handed back, neither ever collected.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use http::{Request, Response, Uri, header};
use hyper::body::{Body as _, Incoming};

use crate::{
    body::{Patience, RequestBody, ResponseBody},
    core::Core,
    headers,
    problem::Problem,
    route::Compiled,
    upstream,
};

pub(crate) async fn forward(
    core: &Core,
    route: &Compiled,
    upstream: usize,
    request: Request<Incoming>,
    deadline: Instant,
) -> Result<Response<ResponseBody>, Problem> {
    let (mut parts, body) = request.into_parts();
    let exceeded = Arc::new(AtomicBool::new(false));
    let body = if body.is_end_stream() {
        RequestBody::empty()
    } else if parts.headers.contains_key(header::CONTENT_LENGTH) {
        RequestBody::Known(body)
    } else {
        let left = core.gateway.limits.body.0;
        RequestBody::Counted {
            inner: body,
            left,
            exceeded: Arc::clone(&exceeded),
        }
    };
    // The client's Expect was answered by this server; the upstream is sent the body at once.
    parts.headers.remove(header::EXPECT);
    parts.version = http::Version::HTTP_11;
    if let Some(path) = parts.uri.path_and_query() {
        parts.uri = Uri::from(path.clone());
    }
    let answer = upstream::call(&core.pools[upstream], Request::from_parts(parts, body), deadline).await;
    let (response, lease) = match answer {
        Ok(answer) => answer,
        Err(_) if exceeded.load(Ordering::Relaxed) => return Err(too_large(core)),
        Err(error) => return Err(error.into()),
    };
    let (mut parts, body) = response.into_parts();
    headers::clean_answer(&mut parts.headers);
    let patience = route.idle.map_or(Patience::Until(deadline), Patience::Idle);
    Ok(Response::from_parts(
        parts,
        ResponseBody::streamed(body, lease, patience),
    ))
}

pub(crate) fn too_large(core: &Core) -> Problem {
    Problem::too_large(format!(
        "a body may have at most {} bytes",
        core.gateway.limits.body.0
    ))
}
