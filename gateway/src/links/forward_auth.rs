//! Lets a service decide whether a request may pass, as Traefik's `forwardAuth` and nginx's `auth_request` do.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderName, HeaderValue, Request, Response, Uri, header, request::Parts, uri::PathAndQuery};

use super::{Identity, RequestContext, headers::check_name};
use crate::{
    config::{self, Config, ConfigError, Protocol},
    message::{
        Problem, RequestBody, ResponseBody,
        headers::{clean_response, remove_all},
    },
    upstream::{self, Pools},
};

const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// Fields of the client's request that would mean something else to the service.
const NOT_SENT: [HeaderName; 9] = [
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::RANGE,
];

/// The service that decides.
#[derive(Debug)]
pub struct ForwardAuth {
    upstream: usize,
    path: Uri,
    copy: Vec<HeaderName>,
    user: Option<HeaderName>,
    timeout: Duration,
}

impl ForwardAuth {
    /// Checks that the upstream exists, and that the path and the names are valid.
    pub(crate) fn check(config: &Config, rules: &config::ForwardAuth) -> Result<(), ConfigError> {
        config.upstream(&rules.to, Protocol::Http)?;
        if !rules.path.value.starts_with('/') || rules.path.value.parse::<PathAndQuery>().is_err() {
            return Err(ConfigError::on(
                &rules.path,
                "this is not a path; it must begin with a slash",
            ));
        }
        rules.copy.iter().chain(&rules.user).try_for_each(check_name)
    }

    /// Creates the link from a checked configuration; `upstream` is the index of the upstream.
    #[must_use]
    pub fn new(rules: &config::ForwardAuth, upstream: usize) -> Self {
        Self {
            upstream,
            path: rules.path.value.parse().unwrap_or_default(),
            copy: rules
                .copy
                .iter()
                .filter_map(|name| name.value.parse().ok())
                .collect(),
            user: rules.user.as_ref().and_then(|name| name.value.parse().ok()),
            timeout: rules.timeout.0,
        }
    }

    /// Asks the service. The request passes with the fields that it adds, or its answer is the response to the client.
    pub async fn pass(
        &self,
        pools: &Pools,
        context: &mut RequestContext<'_>,
        request: &mut Parts,
    ) -> Result<Option<Response<ResponseBody>>, Problem> {
        let pool = pools.pool(self.upstream);
        let mut question = Request::new(RequestBody::empty());
        *question.uri_mut() = self.path.clone();
        let headers = question.headers_mut();
        headers.clone_from(&request.headers);
        for name in NOT_SENT {
            headers.remove(name);
        }
        headers.insert(header::HOST, pool.cluster.host.clone());
        let path = request.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        for (name, value) in [(METHOD, request.method.as_str()), (URI, path)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        let deadline = context.deadline.min(Instant::now() + self.timeout);
        let answer = upstream::collect(pool, None, question, deadline)
            .await
            .map_err(|_| Problem::unavailable("access cannot be checked at the moment; try again later"))?;
        let (mut parts, body) = answer.into_parts();
        if !parts.status.is_success() {
            clean_response(&mut parts.headers);
            parts.headers.remove(header::CONTENT_LENGTH);
            return Ok(Some(Response::from_parts(parts, ResponseBody::full(body))));
        }
        remove_all(&mut request.headers, &self.copy);
        for name in &self.copy {
            for value in parts.headers.get_all(name) {
                request.headers.append(name, value.clone());
            }
        }
        let user = self
            .user
            .as_ref()
            .and_then(|name| parts.headers.get(name)?.to_str().ok());
        match user {
            Some(user) => context.identity = Some(Arc::new(Identity::of_user(user))),
            None => context.is_vouched = true,
        }
        Ok(None)
    }
}
