//! Security headers for every response: browsers do not guess content types and do not return from HTTPS to plain HTTP,
//! and caches do not store personal responses.

use http::{HeaderMap, HeaderValue, Method, header};

const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The properties of a response that decide which headers it needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResponseInfo<'a> {
    /// The method of the request.
    pub(crate) method: &'a Method,
    /// Whether the client is authenticated.
    pub(crate) is_personal: bool,
    /// Value of `Strict-Transport-Security`; only for clients that use HTTPS.
    pub(crate) hsts: Option<&'a HeaderValue>,
}

/// Adds the security headers to the headers of a response.
pub(crate) fn add_security_headers(headers: &mut HeaderMap, info: ResponseInfo<'_>) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    if let Some(hsts) = info.hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    let needs_no_store = if info.is_personal {
        !is_for_one_client(headers)
    } else {
        // A service decides itself how long its public data may be cached. The response to any other method may contain
        // secrets, for example that of a login.
        let is_read = [Method::GET, Method::HEAD].contains(info.method);
        !is_read && !headers.contains_key(header::CACHE_CONTROL)
    };
    if needs_no_store {
        headers.insert(header::CACHE_CONTROL, NO_STORE);
    }
}

/// Whether the service itself forbids shared caches to store the response.
fn is_for_one_client(headers: &HeaderMap) -> bool {
    let directives = headers.get_all(header::CACHE_CONTROL).iter();
    directives
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|directive| {
            let name = directive.trim();
            name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("private")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The resulting `Cache-Control` of a response that had the value `before`; empty if there is none.
    fn caching(method: &Method, is_personal: bool, before: Option<&'static str>) -> String {
        let mut headers = HeaderMap::new();
        headers.extend(before.map(|before| (header::CACHE_CONTROL, HeaderValue::from_static(before))));
        let info = ResponseInfo {
            method,
            is_personal,
            hsts: None,
        };
        add_security_headers(&mut headers, info);
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        let value = headers.get(header::CACHE_CONTROL);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn personal_responses_are_not_stored_and_public_ones_keep_their_caching() {
        for (method, is_personal, before, after) in [
            (Method::GET, true, None, "no-store"),
            (Method::GET, true, Some("public, max-age=60"), "no-store"),
            (
                Method::GET,
                true,
                Some("Private, max-age=60"),
                "Private, max-age=60",
            ),
            (
                Method::GET,
                false,
                Some("public, max-age=60"),
                "public, max-age=60",
            ),
            (Method::GET, false, None, ""),
            (Method::HEAD, false, None, ""),
            (Method::POST, false, None, "no-store"),
            (Method::POST, false, Some("max-age=1"), "max-age=1"),
        ] {
            assert_eq!(
                caching(&method, is_personal, before),
                after,
                "{method} {before:?}"
            );
        }
    }
}
