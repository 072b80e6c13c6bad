//! gRPC over HTTP/2, and gRPC-Web, which browsers can use with HTTP/1.1 as well: how calls are recognized, their status and
//! their time limit. See the specifications `PROTOCOL-HTTP2` and `PROTOCOL-WEB` of gRPC.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tonic::Code;

use super::{Problem, ResponseBody};

/// The status of a call, in its trailers, or in the headers of a response without a body.
pub const STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// Explains the status, percent-encoded.
pub const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The status as a message of protocol buffers.
pub const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// The time that a call may take.
pub const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The characters that `grpc-message` must encode.
const ENCODED: AsciiSet = CONTROLS.add(b'%');
/// First byte of the frame with the trailers in a body of gRPC-Web.
const TRAILERS: u8 = 0x80;

/// The form in which a client makes a gRPC call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// gRPC itself, over HTTP/2.
    Grpc,
    /// gRPC-Web: the trailers are in the body.
    Web,
    /// gRPC-Web with base64 bodies.
    WebText,
}

impl Wire {
    /// The form of a request, or `None` if it is not a gRPC call that the gateway can pass on.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        let wire = Self::of_content(request.headers())?;
        let is_possible = wire != Self::Grpc || request.version() == Version::HTTP_2;
        (request.method() == Method::POST && is_possible).then_some(wire)
    }

    /// The form of a body, by its content type.
    #[must_use]
    pub fn of_content(headers: &HeaderMap) -> Option<Self> {
        parse(headers).map(|(wire, _)| wire)
    }

    /// The content type of this form, for messages in the format that `headers` name: `+proto` by default.
    #[must_use]
    pub fn content_type(self, headers: &HeaderMap) -> HeaderValue {
        let format = parse(headers).map(|(_, format)| format).unwrap_or_default();
        let name = match self {
            Self::Grpc => "application/grpc",
            Self::Web => "application/grpc-web",
            Self::WebText => "application/grpc-web-text",
        };
        HeaderValue::try_from(format!("{name}{format}")).unwrap_or_else(|_| HeaderValue::from_static(name))
    }

    /// A part of a body in this form.
    #[must_use]
    pub fn encode(self, data: Bytes) -> Bytes {
        match self {
            Self::Grpc | Self::Web => data,
            Self::WebText => BASE64_STANDARD.encode(data).into(),
        }
    }

    /// The trailers as the last frame of a body of gRPC-Web.
    #[must_use]
    pub fn encode_trailers(self, trailers: &HeaderMap) -> Bytes {
        let mut text = BytesMut::new();
        for (name, value) in trailers {
            text.extend_from_slice(name.as_str().as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
        let mut frame = BytesMut::with_capacity(5 + text.len());
        frame.put_u8(TRAILERS);
        frame.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        frame.extend_from_slice(&text);
        self.encode(frame.freeze())
    }

    /// A response that only has a status, and `headers`.
    #[must_use]
    pub fn respond(self, mut headers: HeaderMap, code: Code, message: &str) -> Response<ResponseBody> {
        let content = self.content_type(&headers);
        let trailers = trailers(code, message);
        let body = if self == Self::Grpc {
            headers.extend(trailers);
            ResponseBody::empty()
        } else {
            ResponseBody::full(self.encode_trailers(&trailers))
        };
        headers.insert(header::CONTENT_TYPE, content);
        let mut response = Response::new(body);
        *response.headers_mut() = headers;
        response.extensions_mut().insert(CallStatus::known(code));
        response
    }
}

/// The properties of a client's gRPC call that are needed to respond with an error of the gateway itself.
#[derive(Debug, Clone)]
pub struct Call {
    wire: Wire,
    content_type: Option<HeaderValue>,
}

impl Call {
    /// The call that a request makes, or `None` if it is not a gRPC call.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        Wire::of(request).map(|wire| Self {
            wire,
            content_type: request.headers().get(header::CONTENT_TYPE).cloned(),
        })
    }

    /// The response for an error of the gateway itself.
    #[must_use]
    pub fn respond(&self, problem: Problem) -> Response<ResponseBody> {
        let (code, detail) = (code_of_problem(problem.status()), problem.detail().to_owned());
        let (parts, _) = problem.into_response("").into_parts();
        let mut headers = parts.headers;
        headers.remove(header::CONTENT_TYPE);
        headers.extend(
            self.content_type
                .clone()
                .map(|content| (header::CONTENT_TYPE, content)),
        );
        self.wire.respond(headers, code, &detail)
    }
}

/// The form that a content type names, and the format of its messages, such as `+proto`.
fn parse(headers: &HeaderMap) -> Option<(Wire, &str)> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let text = text.split(';').next()?.trim();
    let prefix = "application/grpc";
    if !text.get(..prefix.len())?.eq_ignore_ascii_case(prefix) {
        return None;
    }
    let rest = &text[prefix.len()..];
    let (form, format) = rest.split_at(rest.find('+').unwrap_or(rest.len()));
    let wire = match form.to_ascii_lowercase().as_str() {
        "" => Wire::Grpc,
        "-web" => Wire::Web,
        "-web-text" => Wire::WebText,
        _ => return None,
    };
    Some((wire, format))
}

/// Trailers with a status.
#[must_use]
pub fn trailers(code: Code, message: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert(STATUS, HeaderValue::from(i32::from(code)));
    let message = utf8_percent_encode(message, &ENCODED).to_string();
    if let Ok(message) = HeaderValue::try_from(message) {
        trailers.insert(MESSAGE, message);
    }
    trailers
}

/// The status in the trailers, or in the headers of a response without a body. An invalid one is [`Code::Unknown`].
#[must_use]
pub fn status(headers: &HeaderMap) -> Option<Code> {
    let status = headers.get(STATUS)?;
    Some(Code::from_bytes(status.as_bytes()))
}

/// The status of a call that the gateway itself answers with this HTTP status.
fn code_of_problem(status: StatusCode) -> Code {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Code::InvalidArgument,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Code::Unimplemented,
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        StatusCode::INTERNAL_SERVER_ERROR => Code::Internal,
        _ => Code::Unknown,
    }
}

/// The status of a call whose response has none, by its HTTP status (`http-grpc-status-mapping` of gRPC).
#[must_use]
pub fn code_of_http(status: StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// The HTTP status that corresponds to the status of a call, for the figures of a route.
#[must_use]
pub fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        // The client has ended the call.
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The status of a call, once it is known. Clones share it; the response has one as an extension until the call has
/// ended.
#[derive(Debug, Clone, Default)]
pub struct CallStatus(Arc<OnceLock<Code>>);

impl CallStatus {
    /// A status that is known already.
    #[must_use]
    pub fn known(code: Code) -> Self {
        let status = Self::default();
        status.set(code);
        status
    }

    /// Sets the status; the first one counts.
    pub fn set(&self, code: Code) {
        let _ = self.0.set(code);
    }

    /// The status; `None` if the call has not ended.
    #[must_use]
    pub fn get(&self) -> Option<Code> {
        self.0.get().copied()
    }
}

/// The time that the client gives a call; `None` if it does not set one. An invalid value is an error.
pub fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let Some(value) = headers.get(TIMEOUT) else {
        return Ok(None);
    };
    let parsed = value.to_str().ok().and_then(parse_timeout);
    parsed.map(Some).ok_or_else(|| {
        Problem::bad_request("`grpc-timeout` is not a number of at most eight digits with a unit")
    })
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// The value of `grpc-timeout` for this time, rounded down to the unit that fits.
#[must_use]
pub fn timeout_value(time: Duration) -> HeaderValue {
    let units = [
        (time.as_micros(), 'u'),
        (time.as_millis(), 'm'),
        (u128::from(time.as_secs()), 'S'),
        (u128::from(time.as_secs() / 3600), 'H'),
    ];
    let fitting = units.into_iter().find(|(number, _)| *number < 100_000_000);
    let (number, unit) = fitting.unwrap_or((99_999_999, 'H'));
    HeaderValue::try_from(format!("{number}{unit}")).unwrap_or_else(|_| HeaderValue::from_static("0u"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_recognized_by_their_content_type() {
        let wire = |content: &'static str, version| {
            let mut request = Request::post("/").body(()).unwrap();
            *request.version_mut() = version;
            let content = HeaderValue::from_static(content);
            request.headers_mut().insert(header::CONTENT_TYPE, content);
            Wire::of(&request)
        };
        for (content, expected) in [
            ("application/grpc", Some(Wire::Grpc)),
            ("application/grpc+proto", Some(Wire::Grpc)),
            ("Application/GRPC; charset=x", Some(Wire::Grpc)),
            ("application/grpc-web+proto", Some(Wire::Web)),
            ("application/grpc-web-text", Some(Wire::WebText)),
            ("application/grpcx", None),
            ("application/json", None),
        ] {
            assert_eq!(wire(content, Version::HTTP_2), expected, "{content}");
        }
        assert_eq!(wire("application/grpc", Version::HTTP_11), None);
        assert_eq!(wire("application/grpc-web", Version::HTTP_11), Some(Wire::Web));
    }

    #[test]
    fn the_format_of_messages_is_kept() {
        let headers = HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/grpc-web-text+json"),
        )]);
        assert_eq!(Wire::Grpc.content_type(&headers), "application/grpc+json");
        assert_eq!(Wire::Web.content_type(&headers), "application/grpc-web+json");
        assert_eq!(
            Wire::WebText.content_type(&HeaderMap::new()),
            "application/grpc-web-text"
        );
    }

    #[test]
    fn timeouts_are_read_and_written() {
        let parsed = |text: &str| parse_timeout(text).map(|time| time.as_micros());
        assert_eq!(parsed("3S"), Some(3_000_000));
        assert_eq!(parsed("99999999H"), Some(99_999_999 * 3_600_000_000));
        assert_eq!(parsed("250m"), Some(250_000));
        assert_eq!(parsed("1500n"), Some(1));
        for invalid in ["", "S", "123456789S", "-1S", "1.5S", "1s", "1", "+1S", "1€"] {
            assert_eq!(parsed(invalid), None, "{invalid}");
        }
        assert_eq!(timeout_value(Duration::from_millis(1500)), "1500000u");
        assert_eq!(timeout_value(Duration::from_secs(1000)), "1000000m");
        assert_eq!(timeout_value(Duration::from_secs(1_000_000)), "1000000S");
        assert_eq!(timeout_value(Duration::MAX), "99999999H");
    }

    #[test]
    fn messages_of_a_status_are_encoded() {
        let trailers = trailers(Code::Unavailable, "100 % broken\n\u{e9}");
        assert_eq!(trailers[STATUS], "14");
        assert_eq!(trailers[MESSAGE], "100 %25 broken%0A%C3%A9");
        let frame = Wire::Web.encode_trailers(&trailers);
        assert_eq!(frame[0], 0x80);
        assert_eq!(usize::from(frame[4]), frame.len() - 5);
        assert!(
            frame[5..].starts_with(b"grpc-status: 14\r\ngrpc-message: 100"),
            "{frame:?}"
        );
    }
}
