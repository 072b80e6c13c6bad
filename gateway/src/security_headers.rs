//! Header fields that protect people's browsers, whoever answered: no guessing of types, no plain HTTP after HTTPS, and
//! no copies of personal answers in caches.

use http::{HeaderMap, HeaderValue, Method, header};

const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What is known of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a Method,
    /// It was given to a client that had shown who it is.
    pub(crate) is_personal: bool,
    /// For a client that came by HTTPS.
    pub(crate) hsts: Option<&'a HeaderValue>,
}

/// Adds them to the headers of an answer.
pub(crate) fn protect(headers: &mut HeaderMap, answered: Answered<'_>) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    if let Some(hsts) = answered.hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    let must_not_be_kept = if answered.is_personal {
        !is_for_one_client(headers)
    } else {
        // A service says itself how long its public data may be kept. Everything but reading may answer with secrets,
        // as logging in does.
        let reads = [Method::GET, Method::HEAD].contains(answered.method);
        !reads && !headers.contains_key(header::CACHE_CONTROL)
    };
    if must_not_be_kept {
        headers.insert(header::CACHE_CONTROL, NO_STORE);
    }
}

/// Whether the service itself keeps shared caches from storing the answer.
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

    /// What `Cache-Control` becomes.
    fn caching(method: &Method, is_personal: bool, before: Option<&'static str>) -> String {
        let mut headers = HeaderMap::new();
        headers.extend(before.map(|before| (header::CACHE_CONTROL, HeaderValue::from_static(before))));
        let answered = Answered {
            method,
            is_personal,
            hsts: None,
        };
        protect(&mut headers, answered);
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        let value = headers.get(header::CACHE_CONTROL);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn personal_answers_are_kept_nowhere_and_public_ones_as_their_service_says() {
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
