//! A request handed on as it is, and its answer handed back, neither ever collected.

use std::{sync::Arc, time::Instant};

use http::{Request, Response, StatusCode, Uri, header};
use http_body::Body as _;

use crate::{
    body::{Patience, RequestBody, ResponseBody},
    chain::Client,
    client_body::{ClientBody, UploadEnd},
    core::Core,
    headers,
    problem::Problem,
    route::Compiled,
    upstream::{self, CallError, Target},
};

pub(crate) async fn forward(
    core: &Core,
    route: &Compiled,
    target: &Target,
    client: &Client,
    request: Request<ClientBody>,
    deadline: Instant,
) -> Result<Response<ResponseBody>, Problem> {
    let (mut parts, body) = request.into_parts();
    let upload = Arc::clone(body.upload());
    let has_body = !body.is_end_stream();
    let body = if has_body {
        RequestBody::Client(body)
    } else {
        RequestBody::empty()
    };
    // The client's Expect was answered by this server; the upstream is sent the body at once.
    parts.headers.remove(header::EXPECT);
    parts.version = http::Version::HTTP_11;
    if let Some(path) = parts.uri.path_and_query() {
        parts.uri = Uri::from(path.clone());
    }
    let request = Request::from_parts(parts, body);
    match call(core, route, target, client, request, deadline).await {
        Ok(answer) => Ok(answer),
        Err(error) => match (upload.end(), error) {
            (Some(UploadEnd::TooLarge), _) => Err(too_large(core)),
            (Some(UploadEnd::Broken), _) => Err(Problem::bad_request("the body is malformed or incomplete")),
            (None, CallError::Late) if has_body => {
                Err(Problem::request_timeout("the body did not arrive in time"))
            }
            (_, error) => without_answer(route, error),
        },
    }
}

/// Hands on a request of the gateway's own making.
pub(crate) async fn forward_own(
    core: &Core,
    route: &Compiled,
    target: &Target,
    client: &Client,
    request: Request<RequestBody>,
    deadline: Instant,
) -> Result<Response<ResponseBody>, Problem> {
    let answer = call(core, route, target, client, request, deadline).await;
    answer.or_else(|error| without_answer(route, error))
}

/// What the client gets where the upstream has no answer.
fn without_answer(route: &Compiled, error: CallError) -> Result<Response<ResponseBody>, Problem> {
    if !route.best_effort {
        return Err(error.into());
    }
    let mut accepted = Response::new(ResponseBody::empty());
    *accepted.status_mut() = StatusCode::ACCEPTED;
    Ok(accepted)
}

async fn call(
    core: &Core,
    route: &Compiled,
    target: &Target,
    client: &Client,
    request: Request<RequestBody>,
    deadline: Instant,
) -> Result<Response<ResponseBody>, CallError> {
    let pool = &core.pools[target.upstream];
    let (response, lease) = upstream::call(pool, target, client, request, deadline).await?;
    let (mut parts, body) = response.into_parts();
    headers::clean_answer(&mut parts.headers);
    let patience = route.idle.map_or(Patience::Until(deadline), |idle| {
        Patience::Idle(idle, core.gateway.draining.clone())
    });
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
