//! Files of a folder, as an application in the browser needs them: a link into the middle of the application gets its
//! first page, names that carry a hash are kept for ever, everything else is asked for again.

use std::io::ErrorKind;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyExt as _;
use tower_http::services::ServeDir;

use crate::{body::ResponseBody, client_body::ClientBody, config, problem::Problem};

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// A folder, ready for requests.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    serve: ServeDir,
    fallback: Option<Uri>,
    never: Vec<String>,
    immutable: Option<String>,
    headers: HeaderMap,
}

impl Files {
    pub(crate) fn new(config: &config::Files) -> anyhow::Result<Self> {
        if !config.folder.is_dir() {
            tracing::warn!(folder = %config.folder.display(), "there is no such folder, and so no files");
        }
        let serve = ServeDir::new(&config.folder)
            .redirect_to_trailing_slash(false)
            .precompressed_br()
            .precompressed_gzip();
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            headers.insert(name.parse::<HeaderName>()?, value.parse()?);
        }
        let fallback = config.fallback.as_ref().map(|file| format!("/{file}").parse());
        Ok(Self {
            serve,
            fallback: fallback.transpose()?,
            never: config.never.clone(),
            immutable: config.immutable.clone(),
            headers,
        })
    }

    pub(crate) async fn answer(
        &self,
        request: &Request<ClientBody>,
    ) -> Result<Response<ResponseBody>, Problem> {
        let path = request.uri().path();
        if self.never.iter().any(|prefix| is_below(path, prefix)) {
            return Err(nothing());
        }
        let found = self.read(request, request.uri().clone()).await?;
        let (mut response, keep) = match (found, &self.fallback) {
            (Some(file), _) => {
                let is_immutable = |prefix: &String| is_below(path, prefix);
                let keep = self.immutable.as_ref().is_some_and(is_immutable);
                (file, if keep { FOR_EVER } else { ASK_AGAIN })
            }
            (None, Some(fallback)) if is_navigation(request.headers()) => {
                let page = self.read(request, fallback.clone()).await?;
                (page.ok_or_else(nothing)?, ASK_AGAIN)
            }
            (None, _) => return Err(nothing()),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, keep);
        headers.extend(self.headers.clone());
        Ok(response)
    }

    /// A file, if there is one.
    async fn read(
        &self,
        request: &Request<ClientBody>,
        uri: Uri,
    ) -> Result<Option<Response<ResponseBody>>, Problem> {
        let mut wanted = Request::new(());
        *wanted.method_mut() = request.method().clone();
        *wanted.headers_mut() = request.headers().clone();
        *wanted.uri_mut() = uri;
        match self.serve.clone().try_call(wanted).await {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => Ok(None),
            Ok(response) => Ok(Some(
                response.map(|body| ResponseBody::file(body.map_err(Into::into))),
            )),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => {
                tracing::error!(%error, "a file cannot be read");
                Err(Problem::internal("the file cannot be read"))
            }
        }
    }
}

fn nothing() -> Problem {
    Problem::not_found("there is no such resource")
}

/// Whether `path` is `prefix` or something in it.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a browser asks for a page, rather than for something that a page needs.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .any(|accept| accept.contains("text/html"))
}
