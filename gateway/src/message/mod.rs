//! Requests and responses: their bodies, their header fields, and the errors of the gateway itself.

mod activity;
mod body;
mod client;
mod client_body;
pub mod grpc;
pub mod headers;
mod problem;
mod security_headers;
mod unread;

use http::{HeaderValue, Response, header};
use serde_json::Value;

pub(crate) use activity::{Activity, copy};
pub use body::{BodyTimeout, BoxError, Lease, RequestBody, ResponseBody};
pub use client::{Client, network};
pub use client_body::{ClientBody, Upload, UploadEnd};
pub use problem::Problem;
pub(crate) use security_headers::{ResponseInfo, add_security_headers};
pub(crate) use unread::Streams;

/// A JSON response of the gateway itself. It is made for one client, so caches must not store it.
pub(crate) fn json_response(value: &Value) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::full(value.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
