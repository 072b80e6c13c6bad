//! Serves the static files of a single-page application. A link to one of the application's pages gets the fallback
//! page. Files whose names contain a hash are cached by browsers without expiry; all others are revalidated.

use std::io::ErrorKind;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyExt as _;
use tower_http::services::ServeDir;

use crate::{
    config,
    message::{ClientBody, Problem, ResponseBody},
};

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// Serves the files of one folder.
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
            tracing::warn!(folder = %config.folder.display(), "the folder does not exist; its routes respond with 404 until it does");
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

    /// The file at the request's path, or the fallback page if a browser navigates to an unknown path.
    pub(crate) async fn respond(
        &self,
        request: &Request<ClientBody>,
    ) -> Result<Response<ResponseBody>, Problem> {
        let path = request.uri().path();
        if self.never.iter().any(|prefix| is_below(path, prefix)) {
            return Err(not_found());
        }
        let found = self.read(request, request.uri().clone()).await?;
        let (mut response, keep) = match (found, &self.fallback) {
            (Some(file), _) => {
                let is_immutable = |prefix: &String| is_below(path, prefix);
                let keep = self.immutable.as_ref().is_some_and(is_immutable);
                (file, if keep { IMMUTABLE } else { REVALIDATE })
            }
            (None, Some(fallback)) if is_navigation(request.headers()) => {
                let page = self.read(request, fallback.clone()).await?;
                (page.ok_or_else(not_found)?, REVALIDATE)
            }
            (None, _) => return Err(not_found()),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, keep);
        headers.extend(self.headers.clone());
        Ok(response)
    }

    /// The response with the file at `uri`; `None` if there is no such file.
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
                response.map(|body| ResponseBody::boxed(body.map_err(Into::into))),
            )),
            // No file can have a name that is longer than the file system allows.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename
                ) =>
            {
                Ok(None)
            }
            Err(error) => {
                tracing::error!(%error, "reading a file failed");
                Err(Problem::internal("the file could not be read"))
            }
        }
    }
}

fn not_found() -> Problem {
    Problem::not_found("this resource does not exist")
}

/// Whether `path` is `prefix` itself or below it.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a browser requests a page, and not a script, image or other part of one.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .any(|accept| accept.contains("text/html"))
}
